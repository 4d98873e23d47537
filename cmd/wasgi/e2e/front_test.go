package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// frontApp says so when it is asked, and streams on request.
const frontApp = `import time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    kind = ("Content-Type", "text/html; charset=utf-8")
    if path == "/stream":
        start_response("200 OK", [kind])
        return stream()
    if path == "/breaks":
        start_response("200 OK", [kind])
        return breaks()
    if path == "/tagged":
        if environ.get("HTTP_IF_NONE_MATCH", "").removeprefix("W/") == '"v1"':
            start_response("304 Not Modified", [("ETag", '"v1"')])
            return []
        start_response("200 OK", [kind, ("ETag", '"v1"')])
        return [b"tagged " * 1000]
    if path == "/short":
        start_response("200 OK", [kind])
        return [b"short"]
    start_response("200 OK", [kind])
    return [("application " + path + " " + environ["REQUEST_METHOD"] + "\n").encode() * 500]
def stream():
    for n in range(3):
        if n: time.sleep(1)
        yield f"piece {n}\n".encode()
def breaks():
    yield b"beginning\n"
    raise RuntimeError("half-way")
`

const frontManifest = `compress = true
static_max_age = "1h"
[static]
"/static" = "assets"
"/" = "public"
[redirects]
"/old" = "/new"
"/blog/*" = "301 https://blog.example/*"
"/static/moved.css" = "308 /static/site.css"
`

// front serves an application with static files, redirects and compression.
func front(t *testing.T, extra ...string) (*server, string) {
	t.Helper()
	w, root := newWorld(t), t.TempDir()
	css := strings.Repeat("body { color: #123456 }\n", 100)
	for name, text := range map[string]string{
		"wsgi.py": frontApp, "wasgi.toml": frontManifest, "assets/site.css": css, "assets/app.js": "plain", "assets/app.js.gz": "compressed",
		"assets/.secret": "hidden", "assets/image.png": strings.Repeat("png", 1000), "public/robots.txt": "robots\n", "public/docs/index.html": "<p>docs</p>\n",
	} {
		write(t, root, "app/"+name, text)
	}
	for link, target := range map[string]string{"code": "../wsgi.py", "passwd": "/etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(root, "app/assets", link)); err != nil {
			t.Fatal(err)
		}
	}
	return w.serve(t, launch{root: root, flags: extra}, "app"), filepath.Join(root, "app")
}

// unpack undoes a content coding.
func unpack(t *testing.T, a answer) string {
	t.Helper()
	var r io.Reader = strings.NewReader(a.body)
	var err error
	switch coding := a.resp.Header.Get("Content-Encoding"); coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = unzstd(t, r)
	case "":
	default:
		t.Fatalf("Content-Encoding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", a.what, err)
	}
	return string(text)
}

func unzstd(t *testing.T, r io.Reader) (io.Reader, error) {
	t.Helper()
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	t.Cleanup(z.Close)
	return z, nil
}

func headerIs(t *testing.T, a answer, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := strings.Join(a.resp.Header.Values(pairs[i]), ","); got != pairs[i+1] {
			t.Errorf("%s: %s is %q, want %q", a.what, pairs[i], got, pairs[i+1])
		}
	}
}

// TestStaticFiles over HTTP/1 and HTTP/2.
func TestStaticFiles(t *testing.T) {
	t.Parallel()
	cert := certificate(t, "shop.example")
	s, _ := front(t, append(cert.flags(), "--listen", "http://127.0.0.1:0,https://127.0.0.1:0")...)
	addresses := s.addresses(t, 2)
	t.Run("HTTP/1", func(t *testing.T) { frontFiles(t, s.site(t, "app").browser(t)) })
	t.Run("HTTP/2", func(t *testing.T) { frontFiles(t, cert.browser(t, "app", addresses[1])) })
}

func frontFiles(t *testing.T, b *browser) {
	css := strings.Repeat("body { color: #123456 }\n", 100)
	a := b.get("/static/site.css").status(200).text(css).length(len(css))
	headerIs(t, a, "Content-Type", "text/css; charset=utf-8", "Cache-Control", "max-age=3600", "Accept-Ranges", "bytes", "X-Content-Type-Options", "nosniff", "Vary", "Accept-Encoding")
	tag, date := a.resp.Header.Get("Etag"), a.resp.Header.Get("Last-Modified")
	if at, err := http.ParseTime(date); err != nil || time.Since(at) > time.Hour || len(tag) < 10 {
		t.Errorf("tag %q, date %q", tag, date)
	}
	b.send("HEAD", "/static/site.css").status(200).length(len(css)).text("")
	headerIs(t, b.get("/static/site.css", header("Range", "bytes=0-3")).status(206).text("body"), "Content-Range", "bytes 0-3/2400", "Content-Encoding", "")
	headerIs(t, b.get("/static/site.css", header("If-None-Match", tag)).status(304).text(""), "Etag", tag, "Content-Type", "", "Vary", "Accept-Encoding")
	b.get("/static/site.css", header("If-Modified-Since", date)).status(304)
	b.get("/static/site.css", header("Range", "bytes=9999-")).status(416)

	for _, accept := range []string{"gzip", "zstd, gzip;q=0.5"} {
		coding, _, _ := strings.Cut(accept, ",")
		a = b.get("/static/site.css", header("Accept-Encoding", accept)).status(200)
		headerIs(t, a, "Content-Encoding", coding, "Etag", "W/"+tag, "Vary", "Accept-Encoding")
		if unpack(t, a) != css || len(a.body) > 300 {
			t.Errorf("%s: %d bytes", coding, len(a.body))
		}
		headerIs(t, b.send("HEAD", "/static/site.css", header("Accept-Encoding", accept)).status(200).text(""), "Content-Encoding", coding, "Content-Length", "")
		b.get("/static/site.css", header("Accept-Encoding", accept), header("If-None-Match", "W/"+tag)).status(304).text("")
	}
	headerIs(t, b.get("/static/app.js", header("Accept-Encoding", "gzip")).status(200).text("compressed"), "Content-Encoding", "gzip", "Content-Length", "10", "Content-Type", "text/javascript; charset=utf-8")
	headerIs(t, b.get("/static/app.js").status(200).text("plain"), "Content-Encoding", "", "Vary", "Accept-Encoding")
	headerIs(t, b.get("/static/image.png", header("Accept-Encoding", "gzip")).status(200), "Content-Encoding", "", "Content-Length", "3000", "Vary", "")
	b.get("/robots.txt").status(200).text("robots\n")
	b.get("/docs/").status(200).text("<p>docs</p>\n")

	// What is not shown is the application's to answer, and so is every other method.
	for _, path := range []string{"/static/.secret", "/static/code", "/static/passwd", "/static/%2e%2e/wsgi.py", "/static/..%2fwsgi.py", "/static//site.css", "/static/missing", "/docs", "/wsgi.py", "/wasgi.toml", "/static/site.css%00"} {
		b.get(path).status(200).has("application /").lacks("def application", "root:", "hidden")
	}
	b.send("POST", "/static/site.css").status(200).has("application /static/site.css POST")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	s, folder := front(t)
	b := s.site(t, "app").browser(t)
	for path, want := range map[string]string{
		"/old": "302 /app/new", "/old?a=b": "302 /app/new?a=b", "/blog/x%20y/": "301 https://blog.example/x%20y/",
		"/blog//evil.example": "301 https://blog.example/evil.example", "/static/moved.css": "308 /app/static/site.css",
	} {
		code, location, _ := strings.Cut(want, " ")
		a := b.get(path).text("")
		headerIs(t, a, "Location", location, "Content-Length", "0")
		if !strings.HasPrefix(a.resp.Status, code) {
			t.Errorf("%s: %s, want %s", path, a.resp.Status, code)
		}
	}
	b.send("POST", "/old", body("text/plain", "x")).status(302)
	b.get("/older").status(200).has("application /older")

	from := s.log.size()
	write(t, folder, "wasgi.toml", frontManifest+"\"/x\" = \"https://a.example*\"\n\"old\" = \"/\"\n")
	s.logs(t, `wasgi\.toml:11: redirects\.\\"old\\": .*must be a path like`, from)
	s.logs(t, `wasgi\.toml:10: redirects\.\\"/x\\": .*none that it could stand for`, from)
	from = s.log.size()
	write(t, folder, "wasgi.toml", "[static]\n\"/s\" = \".\"\n")
	s.logs(t, `wasgi\.toml:2: static\.\\"/s\\": .*would show its source`, from)
	from = s.log.size()
	write(t, folder, "wasgi.toml", "[static]\n\"/s\" = \"nowhere\"\n")
	s.logs(t, `\\"/s\\" is to show the folder \\"nowhere\\": .*no such file`, from)
	b.get("/old").status(302) // the release before goes on
}

func TestCompression(t *testing.T) {
	t.Parallel()
	cert := certificate(t, "shop.example")
	s, folder := front(t, append(cert.flags(), "--listen", "http://127.0.0.1:0,https://127.0.0.1:0")...)
	addresses := s.addresses(t, 2)
	t.Run("HTTP/1", func(t *testing.T) { compression(t, s.site(t, "app").browser(t)) })
	t.Run("HTTP/2", func(t *testing.T) { compression(t, cert.browser(t, "app", addresses[1])) })
	write(t, folder, "wasgi.toml", "")
	s.ready(t, "app")
	headerIs(t, s.site(t, "app").browser(t).get("/x", header("Accept-Encoding", "gzip")).status(200), "Content-Encoding", "", "Vary", "")
}

func compression(t *testing.T, b *browser) {
	text := strings.Repeat("application /x GET\n", 500)
	for _, coding := range []string{"gzip", "zstd"} {
		a := b.get("/x", header("Accept-Encoding", coding)).status(200)
		headerIs(t, a, "Content-Encoding", coding, "Vary", "Accept-Encoding", "Content-Type", "text/html; charset=utf-8")
		if unpack(t, a) != text || len(a.body) > 500 {
			t.Errorf("%s: %d bytes", coding, len(a.body))
		}
		headerIs(t, b.send("HEAD", "/x", header("Accept-Encoding", coding)).status(200).text(""), "Content-Encoding", coding, "Content-Length", "")
		headerIs(t, b.get("/tagged", header("Accept-Encoding", coding)).status(200), "Etag", `W/"v1"`, "Content-Encoding", coding)
		headerIs(t, b.get("/tagged", header("Accept-Encoding", coding), header("If-None-Match", `W/"v1"`)).status(304).text(""), "Etag", `W/"v1"`, "Content-Encoding", "")
		compressedStream(t, b, coding)
		brokenStream(t, b, coding)
	}
	headerIs(t, b.get("/x").status(200).text(text).length(len(text)), "Content-Encoding", "", "Vary", "Accept-Encoding")
	headerIs(t, b.get("/short", header("Accept-Encoding", "gzip")).status(200).text("short").length(5), "Content-Encoding", "", "Vary", "")
}

// compressedStream: a piece can be read before the next one is made.
func compressedStream(t *testing.T, b *browser, coding string) {
	res, err := b.client.Do(b.request("GET", "/stream", header("Accept-Encoding", coding)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Encoding"); got != coding {
		t.Fatalf("Content-Encoding %q", got)
	}
	var r io.Reader
	if coding == "gzip" {
		r, err = gzip.NewReader(res.Body)
	} else {
		r, err = unzstd(t, res.Body)
	}
	if err != nil {
		t.Fatal(err)
	}
	begun, first := time.Now(), time.Duration(0)
	for n := range 3 {
		piece := make([]byte, len("piece 0\n"))
		if _, err := io.ReadFull(r, piece); err != nil || string(piece) != "piece "+string(rune('0'+n))+"\n" {
			t.Errorf("%q, %v", piece, err)
		}
		if n == 0 {
			first = time.Since(begun)
		}
	}
	if total := time.Since(begun); total-first < time.Second { // the application sleeps for two between them
		t.Errorf("%s: the first piece came %v before the last", coding, total-first)
	}
	if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}

// brokenStream: what broke off does not look whole.
func brokenStream(t *testing.T, b *browser, coding string) {
	res, err := b.client.Do(b.request("GET", "/breaks", header("Accept-Encoding", coding)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil {
		t.Errorf("%s: a broken response ended well, with %d bytes", coding, len(got))
	}
	if coding == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(z); string(text) != "beginning\n" || err == nil {
			t.Errorf("%q, %v", text, err)
		}
	}
}
