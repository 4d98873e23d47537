package compress

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// takes is a client's Accept-Encoding, in words.
func takes(codings string) func(string) bool {
	return func(c string) bool { return strings.Contains(codings, c) }
}

// decode undoes a coding. what is cut short is an error.
func decode(coding string, b []byte) (string, error) {
	var r io.Reader = bytes.NewReader(b)
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return "", err
		}
		r = z
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return "", err
		}
		defer z.Close()
		r = z
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

func TestResponses(t *testing.T) {
	long := strings.Repeat("Hello, world. ", 1000)
	for _, c := range []struct {
		name, method, accept string
		status               int
		headers              []string
		body                 string
		coding               string
		want                 map[string]string // "" for none
	}{
		{"zstd is better", "GET", "gzip zstd", 200, []string{"Content-Type", "text/html; charset=utf-8", "Content-Length", "14000"}, long, "zstd",
			map[string]string{"Content-Length": "", "Vary": "Accept-Encoding"}},
		{"gzip", "GET", "gzip", 200, []string{"Content-Type", "application/json"}, long, "gzip", nil},
		{"error pages too", "GET", "gzip", 404, []string{"Content-Type", "text/plain"}, long, "gzip", nil},
		{"not wanted", "GET", "", 200, []string{"Content-Type", "text/html", "Content-Length", "14000", "Etag", `"a"`}, long, "",
			map[string]string{"Vary": "Accept-Encoding", "Content-Length": "14000", "Etag": `"a"`}},
		{"short", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Content-Length", "99"}, strings.Repeat("x", 99), "", map[string]string{"Vary": ""}},
		{"just long enough", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Content-Length", "100"}, strings.Repeat("x", 100), "gzip", nil},
		{"image", "GET", "gzip", 200, []string{"Content-Type", "image/png"}, long, "", map[string]string{"Vary": ""}},
		{"svg", "GET", "gzip", 200, []string{"Content-Type", "image/svg+xml"}, long, "gzip", nil},
		{"no type", "GET", "gzip", 200, nil, long, "", nil},
		{"events", "GET", "gzip", 200, []string{"Content-Type", "text/event-stream"}, long, "", nil},
		{"is encoded", "GET", "gzip", 200, []string{"Content-Type", "text/html", "content-encoding", "br"}, long, "br", nil},
		{"no-transform", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Cache-Control", "public, No-Transform"}, long, "", nil},
		{"has a digest", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Content-Digest", "sha-256=:x:"}, long, "", nil},
		{"a part", "GET", "gzip", 206, []string{"Content-Type", "text/html", "Content-Range", "bytes 0-1/2"}, long, "", nil},
		{"strong tag", "GET", "gzip", 200, []string{"Content-Type", "text/html", "ETag", `"a"`}, long, "gzip", map[string]string{"Etag": `W/"a"`}},
		{"weak tag", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Etag", `W/"a"`}, long, "gzip", map[string]string{"Etag": `W/"a"`}},
		{"ranges", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Accept-Ranges", "bytes"}, long, "gzip", map[string]string{"Accept-Ranges": ""}},
		{"varies", "GET", "gzip", 200, []string{"Content-Type", "text/html", "vary", "Cookie"}, long, "gzip", map[string]string{"Vary": "Cookie,Accept-Encoding"}},
		{"varies already", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Vary", "cookie, accept-encoding"}, long, "gzip", map[string]string{"Vary": "cookie, accept-encoding"}},
		{"varies by everything", "GET", "gzip", 200, []string{"Content-Type", "text/html", "Vary", "*"}, long, "gzip", map[string]string{"Vary": "*"}},
		{"not modified", "GET", "gzip", 304, []string{"Etag", `"a"`}, "", "", map[string]string{"Etag": `W/"a"`, "Vary": "Accept-Encoding"}},
		{"not modified, not wanted", "GET", "", 304, []string{"Etag", `"a"`}, "", "", map[string]string{"Etag": `"a"`, "Vary": "Accept-Encoding"}},
		{"no content", "GET", "gzip", 204, []string{"Content-Type", "text/html"}, "", "", map[string]string{"Vary": ""}},
		{"head", "HEAD", "gzip", 200, []string{"Content-Type", "text/html", "Content-Length", "14000", "Etag", `"a"`}, "", "gzip",
			map[string]string{"Content-Length": "", "Etag": `W/"a"`, "Vary": "Accept-Encoding"}},
		{"empty", "GET", "gzip", 200, []string{"Content-Type", "text/html"}, "", "gzip", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := New(1)
			rec := httptest.NewRecorder()
			for i := 0; i < len(c.headers); i += 2 {
				rec.Header()[c.headers[i]] = []string{c.headers[i+1]}
			}
			w := e.Wrap(rec, httptest.NewRequest(c.method, "/", nil), 100, takes(c.accept))
			w.WriteHeader(c.status)
			if c.method == "GET" && c.body != "" {
				if _, err := io.Copy(w, strings.NewReader(c.body)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := value(rec.Header(), "Content-Encoding"); got != c.coding {
				t.Errorf("Content-Encoding is %q, want %q", got, c.coding)
			}
			if n, used := w.Sent(); used && n != int64(rec.Body.Len()) {
				t.Errorf("%d bytes are told, %d were sent", n, rec.Body.Len())
			}
			if c.method == "HEAD" {
				if rec.Body.Len() != 0 {
					t.Errorf("HEAD has a body of %d bytes", rec.Body.Len())
				}
			} else if text, err := decode(c.coding, rec.Body.Bytes()); text != c.body || err != nil {
				t.Errorf("%d bytes became %d: %v", len(c.body), len(text), err)
			}
			for name, want := range c.want {
				if got := value(rec.Header(), name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if len(e.seats) != 0 {
				t.Error("an encoder is not given back")
			}
		})
	}
}

// What is flushed can be read, whatever comes later.
func TestFlush(t *testing.T) {
	for _, coding := range []string{"gzip", "zstd"} {
		e := New(1)
		got := make(chan string)
		s := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
			to.Header().Set("Content-Type", "text/plain")
			w := e.Wrap(to, r, 100, takes(coding))
			for _, piece := range []string{"one", "two"} {
				if _, err := io.WriteString(w, piece); err != nil {
					t.Error(err)
				}
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
				if text := <-got; text != piece {
					t.Errorf("%s: the client has %q of %q", coding, text, piece)
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}))
		transport := &http.Transport{DisableCompression: true}
		res, err := (&http.Client{Transport: transport}).Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader
		if coding == "gzip" {
			r, err = gzip.NewReader(res.Body)
		} else {
			r, err = zstd.NewReader(res.Body, zstd.WithDecoderConcurrency(1))
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			piece := make([]byte, 3)
			_, err := io.ReadFull(r, piece)
			if err != nil {
				t.Error(err)
			}
			got <- string(piece)
		}
		if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
			t.Errorf("%s: then %q, %v", coding, rest, err)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		s.Close()
		if z, ok := r.(*zstd.Decoder); ok {
			z.Close()
		}
	}
}

// A response that broke off has no end, and its encoder serves the next one.
func TestAbandon(t *testing.T) {
	e := New(1)
	for _, coding := range []string{"gzip", "zstd"} {
		for _, whole := range []bool{false, true} {
			rec := httptest.NewRecorder()
			rec.Header().Set("Content-Type", "text/plain")
			w := e.Wrap(rec, httptest.NewRequest("GET", "/", nil), 100, takes(coding))
			if _, err := io.WriteString(w, "text"); err != nil {
				t.Fatal(err)
			}
			if err := w.FlushError(); err != nil {
				t.Fatal(err)
			}
			if whole {
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			w.Abandon()
			w.Abandon()
			text, err := decode(coding, rec.Body.Bytes())
			if whole && text != "text" || whole != (err == nil) {
				t.Errorf("%s, whole %v: %q, %v", coding, whole, text, err)
			}
		}
	}
}

// Above the limit responses go out as they are.
func TestEncodersAreBounded(t *testing.T) {
	e := New(1)
	begin := func() (*Writer, *httptest.ResponseRecorder) {
		rec := httptest.NewRecorder()
		rec.Header().Set("Content-Type", "text/plain")
		w := e.Wrap(rec, httptest.NewRequest("GET", "/", nil), 100, takes("gzip"))
		if _, err := io.WriteString(w, "text"); err != nil {
			t.Fatal(err)
		}
		return w, rec
	}
	first, _ := begin()
	_, second := begin()
	if got := second.Header(); got.Get("Content-Encoding") != "" || got.Get("Vary") != "Accept-Encoding" || second.Body.String() != "text" {
		t.Errorf("%v %q", got, second.Body)
	}
	first.Abandon()
	if _, third := begin(); third.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the encoder was not given back")
	}
}

func BenchmarkCompress(b *testing.B) {
	page := []byte(strings.Repeat("<li><a href='/item/123'>An item of a list</a> costs 12.50</li>\n", 300))
	e := New(1)
	for _, coding := range []string{"gzip", "zstd"} {
		b.Run(coding, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/", nil)
			b.SetBytes(int64(len(page)))
			for b.Loop() {
				w := e.Wrap(&blank{http.Header{"Content-Type": {"text/html"}}}, r, 100, takes(coding))
				_, _ = w.Write(page)
				_ = w.Close()
			}
		})
	}
}

type blank struct{ header http.Header }

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
func (b *blank) WriteHeader(int)             {}
