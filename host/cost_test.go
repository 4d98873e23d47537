package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/wasgi/wasgi/host/accesslog"
)

// blank is a response that nobody reads.
type blank struct{ header http.Header }

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }
func (b *blank) WriteHeader(int)             {}

// BenchmarkRequest is what the host itself does for a request: everything between
// net/http and the guest, which answers at once. DESIGN.md has the figures.
func BenchmarkRequest(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer collector.Close()
	sink := collector.URL
	for _, c := range []struct {
		name string
		log  accesslog.Format
		edit func(*Config)
	}{
		{"bare", nil, func(c *Config) { c.Metrics = false }},
		{"metrics", nil, func(c *Config) {}},
		{"access log", accesslog.JSON, func(c *Config) { c.Metrics = false }},
		{"metrics and access log", accesslog.JSON, func(c *Config) {}},
		{"access log, traced", accesslog.JSON, func(c *Config) { c.TraceEndpoint = sink }},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkRequest(b, c.log, c.edit) })
	}
}

func benchmarkRequest(b *testing.B, format accesslog.Format, edit func(*Config)) {
	h, ready := benchmarkHost(b, edit)
	var access *accesslog.Log
	if format != nil {
		access = accesslog.New(io.Discard, format, discard())
		defer access.Close()
	}
	front, err := newFront(h.cfg, h.fleet, h.log, access)
	if err != nil {
		b.Fatal(err)
	}
	if front.tracer, err = newTracer(b.Context(), h.cfg, "", h.log); err != nil {
		b.Fatal(err)
	}
	defer closeTracer(front.tracer)
	handler := front.handler()
	<-ready
	r := httptest.NewRequest("GET", "/app/a/b?c=d", nil)
	r.Header = http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}, "Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	b.ReportAllocs()
	for b.Loop() {
		w := blank{http.Header{}}
		handler.ServeHTTP(&w, r)
	}
}

// benchmarkHost has one tenant; ready is closed when it serves.
func benchmarkHost(b *testing.B, edit func(*Config)) (h *Host, ready chan struct{}) {
	r := &running{root: b.TempDir(), maker: &fakeMaker{app: func(c fakeCall) error {
		return c.say(200, "Hello from WSGI!\n", "Content-Type", "text/plain")
	}}}
	c, err := LoadConfig("", nil)
	if err != nil {
		b.Fatal(err)
	}
	c.Root, c.StateDir, c.CacheDir = r.root, b.TempDir(), b.TempDir()
	edit(&c)
	dir := filepath.Join(r.root, "app")
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "wsgi.py"), []byte("def application(e, s): pass  # version:1\n"), 0o644)); err != nil {
		b.Fatal(err)
	}
	ready = make(chan struct{})
	h = newHost(c, r.maker, slog.New(slog.DiscardHandler), WithEvents(func(e Event) {
		if e.Kind == EventReady {
			close(ready)
		}
	}))
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(func() { cancel(); h.fleet.close(context.Background()) })
	if err := h.fleet.start(ctx); err != nil {
		b.Fatal(err)
	}
	return h, ready
}
