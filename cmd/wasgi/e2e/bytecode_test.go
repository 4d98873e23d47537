package e2e

import (
	"strings"
	"testing"
)

// bytecodeApp says what its helper says, and how much byte code of that there is.
const bytecodeApp = `import os
import helper

def application(environ, start_response):
    try:
        with open("/app/__pycache__/helper.cpython-313.pyc", "rb") as f:
            code = len(f.read()) > 16
    except FileNotFoundError:
        code = False
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{helper.TEXT} {code} {os.path.exists('/app/__pycache__')}".encode()]
`

// TestFoldersLearn: what an application in a folder has compiled at its start is byte
// code at the next one, for as long as the text is the same. The folder stays as it is.
func TestFoldersLearn(t *testing.T) {
	t.Parallel()
	if apartByDefault() {
		t.Skip("a worker process makes its byte code by itself, at each start")
	}
	w, root := newWorld(t), t.TempDir()
	helper := func(text string) string { return strings.Repeat("# padding\n", 200) + "TEXT = '" + text + "'\n" }
	write(t, root, "one/helper.py", helper("first"))
	write(t, root, "one/wsgi.py", bytecodeApp)
	s := w.serve(t, launch{root: root, flags: []string{"--log-level", "debug", "--cache-dir", t.TempDir()}}, "one")
	b := s.site(t, "one").browser(t)
	s.logs(t, `msg="byte code was made ahead" tenant=one sources=1\n`, 0)
	b.get("/").status(200).text("first True False")

	from := s.log.size()
	write(t, root, "one/helper.py", helper("second"))
	s.ready(t, "one")
	s.logs(t, `msg="byte code was made ahead" tenant=one sources=1\n`, from)
	b.get("/").status(200).text("second True False")

	// Another one with the same text must not find out that one has it.
	from = s.log.size()
	write(t, root, "two/helper.py", helper("first"))
	write(t, root, "two/wsgi.py", bytecodeApp)
	s.ready(t, "two")
	s.logs(t, `msg="byte code was made ahead" tenant=two sources=1\n`, from)
	two := site{server: s, tenant: "two", origin: s.site(t, "one").origin, prefix: "/two"}
	two.browser(t).get("/").status(200).text("first True False")
}
