package e2e

import (
	"regexp"
	"testing"
)

// TestImportFailure serves an application that cannot be imported beside one
// that can.
func TestImportFailure(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	folder := w.app(t, root, "broken")
	write(t, root, "text/wsgi.py", source("text\n"))
	s := w.serve(t, launch{root: root}, "text")
	s.logs(t, `msg="cannot be served" tenant=broken `, 0)
	broken := site{server: s, tenant: "broken", origin: s.site(t, "text").origin, prefix: "/broken"}
	broken.logged(t, "RuntimeError: no database <here>", 0)
	broken.logged(t, `File \"/app/wsgi.py\", line 3, in <module>`, 0)
	b := broken.browser(t)
	a := b.get("/").status(502).contentType(plain).has("502 Bad Gateway\n").lacks("database", "Traceback", "wsgi.py")
	a.has(a.resp.Header.Get("X-Request-Id"))
	s.site(t, "text").browser(t).get("/").status(200).text("text\n")

	write(t, folder, "wsgi.py", source("repaired\n"))
	s.ready(t, "broken")
	b.get("/").status(200).text("repaired\n")
}

// TestDev shows an author what went wrong, in the page, and reloads.
func TestDev(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	folder := w.app(t, t.TempDir(), "broken")
	s := w.serve(t, launch{root: folder, dev: true})
	match, _ := s.log.wait(t, regexp.MustCompile(listening), 0)
	b := site{server: s, tenant: "broken", origin: match[1]}.browser(t)
	s.logs(t, `msg="cannot be served" tenant=broken `, 0)
	b.get("/any").status(502).contentType(plain).
		ordered("Traceback (most recent call last):\n", `File "/app/wsgi.py", line 3, in <module>`, "RuntimeError: no database <here>\n")
	b.get("/any", header("Accept", "text/html")).status(502).contentType(html).
		has("RuntimeError: no database &lt;here&gt;").lacks("<here>")

	copyTree(t, w.example("bare"), folder)
	s.ready(t, "broken")
	b.get("/").status(200).text("Hello from WSGI!\n")
	b.get("/environ").status(200).has("SCRIPT_NAME=''\n", "PATH_INFO='/environ'\n")
	b.get("/fail").status(500).
		ordered("Traceback (most recent call last):\n", `File "/app/wsgi.py", line `, "RuntimeError: deliberate failure\n")
	b.get("/fail", header("Accept", "text/html")).status(500).contentType(html).has("RuntimeError: deliberate failure")
}
