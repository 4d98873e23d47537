package static

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// app is a folder with files at one time, and a secret beside it.
func app(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "app")
	files["../secret"] = "secret"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1700000000, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, c Config) *Files {
	t.Helper()
	f, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// body is what a path is answered with, "-" for nothing.
func body(t *testing.T, f *Files, path, accept string) string {
	t.Helper()
	file := f.Find(path, accept)
	if file == nil {
		return "-"
	}
	defer file.Close()
	text, err := io.ReadAll(file.file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFind(t *testing.T) {
	dir := app(t, map[string]string{
		"wsgi.py": "code", "assets/a.css": "a", "assets/sub/b.txt": "b", "assets/sub/index.html": "index", "assets/.env": "hidden",
		"assets/.git/config": "hidden", "assets/ä ö.txt": "ä", "special/x.txt": "special", "public/index.html": "home", "public/robots.txt": "robots",
		"public/static/never.txt": "never", "assets/view.py": "code", "assets/sub/VIEW.PY": "code", "assets/view.pyc": "code",
	})
	for name, target := range map[string]string{
		"assets/out": "../../secret", "assets/absolute": filepath.Join(dir, "../secret"), "assets/code": "../wsgi.py",
		"assets/inside": "sub/b.txt", "assets/folder": "..", "assets/self": "self",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "assets/pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	prefixes := map[string]string{"/static": "assets", "/static/special": "special", "/": "public"}
	f := open(t, Config{Dir: dir, Prefixes: prefixes})
	for path, want := range map[string]string{
		"/static/a.css": "a", "/static/sub/b.txt": "b", "/static/sub/": "index", "/static/ä ö.txt": "ä",
		"/static/special/x.txt": "special", "/": "home", "/robots.txt": "robots",
		"/static": "-", "/static/": "-", "/static/sub": "-", "/staticx": "-", "/static/never.txt": "-", "": "-",
		"/static/../wsgi.py": "-", "/static/sub/../../wsgi.py": "-", "/static//a.css": "-", "/static/./a.css": "-", "/static/sub//b.txt": "-",
		"/../secret": "-", "/static/view.py": "-", "/static/sub/VIEW.PY": "-", "/static/view.pyc": "-", "/static/a.css/": "-", "/static/a.css\x00": "-", "/static/sub\\b.txt": "-", "//etc/passwd": "-",
		"/static/.env": "-", "/static/.git/config": "-",
		"/static/out": "-", "/static/absolute": "-", "/static/code": "-", "/static/folder/wsgi.py": "-", "/static/folder": "-", "/static/self": "-",
		"/static/inside": "b", "/static/pipe": "-",
	} {
		if got := body(t, f, path, ""); got != want {
			t.Errorf("%q is answered with %q, want %q", path, got, want)
		}
	}
	dotted := open(t, Config{Dir: dir, Prefixes: prefixes, Dotfiles: true})
	for path, want := range map[string]string{"/static/.env": "hidden", "/static/.git/config": "hidden", "/static/..": "-", "/static/../wsgi.py": "-"} {
		if got := body(t, dotted, path, ""); got != want {
			t.Errorf("with dot files: %q is answered with %q, want %q", path, got, want)
		}
	}
}

// A folder of the manifest cannot be a link out of the application either.
func TestOpenRefuses(t *testing.T) {
	dir := app(t, map[string]string{"file": ""})
	if err := os.Symlink("..", filepath.Join(dir, "up")); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"missing", "up", "..", "file"} {
		f, err := Open(Config{Dir: dir, Prefixes: map[string]string{"/s": folder}})
		if err == nil || !strings.Contains(err.Error(), `"/s" is to show the folder "`+folder+`"`) {
			t.Errorf("%s: %v %v", folder, f, err)
		}
	}
	f, err := Open(Config{Dir: "/nowhere"})
	if f != nil || err != nil || f.Find("/", "") != nil || f.Close() != nil {
		t.Errorf("no prefixes: %v %v", f, err)
	}
}

func TestCompressedNeighbours(t *testing.T) {
	dir := app(t, map[string]string{
		"s/a.js": "plain", "s/a.js.br": "br", "s/a.js.zst": "zst", "s/a.js.gz": "gz", "s/old.js": "plain", "s/old.js.gz": "gz", "s/alone.js.gz": "gz",
	})
	past := time.Unix(1600000000, 0)
	if err := os.Chtimes(filepath.Join(dir, "s/old.js.gz"), past, past); err != nil {
		t.Fatal(err)
	}
	f := open(t, Config{Dir: dir, Prefixes: map[string]string{"/s": "s"}})
	for accept, want := range map[string]string{
		"": "plain", "identity": "plain", "gzip": "gz", "x-gzip": "gz", "gzip, deflate, br, zstd": "br", "zstd, gzip": "zst", "br;q=0, gzip;q=0.1": "gz",
		"*": "br", "*;q=0": "plain", "br;q=0,*": "zst", "GZIP": "gz", "gzipped": "plain", "gzip;q=nonsense": "gz",
	} {
		if got := body(t, f, "/s/a.js", accept); got != want {
			t.Errorf("%q gets %q, want %q", accept, got, want)
		}
	}
	if got := body(t, f, "/s/old.js", "gzip"); got != "plain" {
		t.Errorf("an older neighbour was sent: %q", got)
	}
	if got := body(t, f, "/s/alone.js", "gzip"); got != "-" {
		t.Errorf("a neighbour without a file was sent: %q", got)
	}
}

func ask(t *testing.T, f *Files, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://h/", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	file := f.Find(path, r.Header.Get("Accept-Encoding"))
	if file == nil {
		t.Fatalf("%s is not found", path)
	}
	defer file.Close()
	w := httptest.NewRecorder()
	file.Serve(w, r)
	return w.Result()
}

func TestServe(t *testing.T) {
	dir := app(t, map[string]string{"s/a.txt": "0123456789", "s/b.txt": "0123456789", "s/a.txt.gz": "compressed"})
	f := open(t, Config{Dir: dir, Prefixes: map[string]string{"/s": "s"}, MaxAge: time.Hour, Release: "1"})
	whole := ask(t, f, "GET", "/s/a.txt")
	tag, date := whole.Header.Get("Etag"), whole.Header.Get("Last-Modified")
	gz := ask(t, f, "GET", "/s/a.txt", "Accept-Encoding", "gzip")
	if date != "Tue, 14 Nov 2023 22:13:20 GMT" || len(tag) != 18 || gz.Header.Get("Etag") == tag {
		t.Fatalf("tag %s, that of gzip %s, date %s", tag, gz.Header.Get("Etag"), date)
	}
	for _, c := range []struct {
		name, method string
		headers      []string
		status       int
		body         string
		length       string
		other        map[string]string
	}{
		{"whole", "GET", nil, 200, "0123456789", "10", map[string]string{
			"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=3600", "Vary": "Accept-Encoding", "Accept-Ranges": "bytes",
			"X-Content-Type-Options": "nosniff", "Content-Encoding": ""}},
		{"head", "HEAD", nil, 200, "", "10", nil},
		{"range", "GET", []string{"Range", "bytes=2-4"}, 206, "234", "3", map[string]string{"Content-Range": "bytes 2-4/10"}},
		{"last bytes", "GET", []string{"Range", "bytes=-2"}, 206, "89", "2", map[string]string{"Content-Range": "bytes 8-9/10"}},
		{"beyond", "GET", []string{"Range", "bytes=20-"}, 416, "invalid range: failed to overlap\n", "", map[string]string{"Content-Range": "bytes */10"}},
		{"same tag", "GET", []string{"If-None-Match", tag}, 304, "", "", map[string]string{"Etag": tag, "Vary": "Accept-Encoding", "Cache-Control": "max-age=3600"}},
		{"weak tag", "GET", []string{"If-None-Match", `"x", W/` + tag}, 304, "", "", nil},
		{"other tag", "GET", []string{"If-None-Match", `"x"`, "If-Modified-Since", date}, 200, "0123456789", "10", nil},
		{"not modified", "GET", []string{"If-Modified-Since", date}, 304, "", "", nil},
		{"modified", "GET", []string{"If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT"}, 200, "0123456789", "10", nil},
		{"other tag wanted", "GET", []string{"If-Match", `"x"`}, 412, "", "", nil},
		{"range of another", "GET", []string{"Range", "bytes=0-1", "If-Range", `"x"`}, 200, "0123456789", "10", nil},
		{"range of this", "GET", []string{"Range", "bytes=0-1", "If-Range", tag}, 206, "01", "2", nil},
		{"compressed", "GET", []string{"Accept-Encoding", "gzip"}, 200, "compressed", "10", map[string]string{
			"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8", "Vary": "Accept-Encoding"}},
		{"compressed head", "HEAD", []string{"Accept-Encoding", "gzip"}, 200, "", "10", map[string]string{"Content-Encoding": "gzip"}},
		{"the plain tag for the compressed", "GET", []string{"Accept-Encoding", "gzip", "If-None-Match", tag}, 200, "compressed", "10", nil},
		{"compressed range", "GET", []string{"Accept-Encoding", "gzip", "Range", "bytes=0-3"}, 206, "comp", "", map[string]string{"Content-Encoding": "gzip"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ask(t, f, c.method, "/s/a.txt", c.headers...)
			text, _ := io.ReadAll(got.Body)
			if got.StatusCode != c.status || string(text) != c.body || c.length != "" && got.Header.Get("Content-Length") != c.length {
				t.Errorf("%d %q with length %s", got.StatusCode, text, got.Header.Get("Content-Length"))
			}
			for name, want := range c.other {
				if v := got.Header.Get(name); v != want {
					t.Errorf("%s is %q, want %q", name, v, want)
				}
			}
		})
	}
	if same := ask(t, f, "GET", "/s/b.txt"); same.Header.Get("Vary") != "" {
		t.Error("a file without neighbours varies")
	}
	next := open(t, Config{Dir: dir, Prefixes: map[string]string{"/s": "s"}, Release: "2"})
	if again := ask(t, next, "GET", "/s/a.txt"); again.Header.Get("Etag") == tag || again.Header.Get("Cache-Control") != "" {
		t.Errorf("the next release has %v", again.Header)
	}
}

// FuzzFind: no path reaches the secret, the code, or what is hidden.
func FuzzFind(f *testing.F) {
	for _, s := range []string{"/s/a", "/s/../wsgi.py", "/s/../../secret", "/s/.h", "//", "/s/l/secret", "/s/\x00"} {
		f.Add(s)
	}
	dir := filepath.Join(f.TempDir(), "app")
	for name, text := range map[string]string{"s/a": "public", "s/.h": "hidden", "wsgi.py": "code", "../secret": "secret"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.Symlink("../..", filepath.Join(dir, "s/l")); err != nil {
		f.Fatal(err)
	}
	files, err := Open(Config{Dir: dir, Prefixes: map[string]string{"/s": "s"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		file := files.Find(path, path)
		if file == nil {
			return
		}
		defer file.Close()
		if text, err := io.ReadAll(file.file); err != nil || string(text) != "public" {
			t.Errorf("%q shows %q", path, text)
		}
	})
}
