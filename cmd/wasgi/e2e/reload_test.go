package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const textApp = `TEXT = %q

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [TEXT.encode()]
`

func source(text string) string { return fmt.Sprintf(textApp, text) }

// TestTenantsComeAndGo changes the root while it is served.
func TestTenantsComeAndGo(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, root, "stays/wsgi.py", source("stays\n"))
	s := w.serve(t, launch{root: root}, "stays")
	stays := s.site(t, "stays")
	guest := site{server: s, tenant: "guest", origin: stays.origin, prefix: "/guest"}
	b := guest.browser(t)
	b.get("/").status(404)

	write(t, root, "guest/wsgi.py", source("first\n"))
	s.ready(t, "guest")
	b.get("/").status(200).text("first\n")

	write(t, root, "guest/wsgi.py", source("second\n"))
	s.ready(t, "guest")
	b.get("/").status(200).text("second\n")

	from := s.log.size()
	write(t, root, "guest/wsgi.py", source("third\n")+"    return [\n")
	s.logs(t, `msg="cannot be served" tenant=guest .*SyntaxError`, from)
	b.get("/").status(200).text("second\n")

	write(t, root, "guest/helper.py", "TEXT = 'third'\n")
	write(t, root, "guest/wsgi.py", "from helper import TEXT\n"+source("third\n"))
	s.ready(t, "guest")
	b.get("/").status(200).text("third\n")

	from = s.log.size()
	write(t, root, "guest/wasgi.toml", "path = [\"/elsewhere\"]\n")
	s.logs(t, `msg="cannot be served" tenant=guest .*wasgi\.toml:1: .*paths`, from)
	b.get("/").status(200).text("third\n")

	write(t, root, "guest/wasgi.toml", "paths = [\"/elsewhere\"]\n")
	if url := s.ready(t, "guest"); url != stays.origin+"/elsewhere" {
		t.Errorf("served at %s", url)
	}
	b.get("/").status(404)
	guest.prefix = "/elsewhere"
	b = guest.browser(t)
	b.get("/").status(200).text("third\n")

	from = s.log.size()
	if err := os.RemoveAll(filepath.Join(root, "guest")); err != nil {
		t.Fatal(err)
	}
	s.logs(t, `msg=stopped tenant=guest`, from)
	b.get("/").status(404)
	stays.browser(t).get("/").status(200).text("stays\n")
}

// TestReloadFinishesRequests changes a tenant while it streams: the response
// that has begun ends as it began, the next one is the new release's.
func TestReloadFinishesRequests(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	folder := filepath.Join(root, "bare")
	copyTree(t, w.example("bare"), folder)
	s := w.serve(t, launch{root: root}, "bare")
	b := s.site(t, "bare").browser(t)
	stream := b.begin("/stream?pause=1")
	stream.expect("chunk 1 of 5\n")
	write(t, folder, "wsgi.py", source("new\n"))
	s.ready(t, "bare")
	b.get("/").status(200).text("new\n")
	stream.expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
}

// TestUnknownTenant asks for what nobody serves.
func TestUnknownTenant(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, root, "text/wsgi.py", source("text\n"))
	write(t, root, "named/wsgi.py", source("named\n"))
	write(t, root, "named/wasgi.toml", "hosts = [\"named.example\"]\n")
	s := w.serve(t, launch{root: root}, "text", "named")
	top := s.site(t, "text")
	top.prefix = ""
	b := top.browser(t)
	for _, path := range []string{"/", "/nobody/", "/texts/", "/texting", "/TEXT/"} {
		a := b.get(path).status(404).contentType(plain).has("404 Not Found\n")
		a.has(a.resp.Header.Get("X-Request-Id"))
	}
	b.get("/text").status(200).text("text\n")
	b.get("/text/").status(200).text("text\n")
	b.get("/", host("named.example")).status(200).text("named\n")
	b.get("/", host("named.example:8080")).status(200).text("named\n")
	b.get("/", host("other.example")).status(404)
	b.get("/text/", host("other.example")).status(200).text("text\n")
}
