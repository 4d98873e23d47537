//go:build linux

package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/tenants"
)

// patience bounds every wait of a test: it is only reached by a test that fails.
const patience = 30 * time.Second

// lab is what the workers of one test share.
type lab struct {
	t   *testing.T
	dir string
	log *syncBuffer
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), log: new(syncBuffer)}
	if err := os.Mkdir(filepath.Join(l.dir, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log:\n%s", l.log)
		}
	})
	return l
}

// config is of a tenant whose worker is called name.
func (l *lab) config(name string) Config {
	m := tenants.Defaults()
	m.Data.Persistent = false
	logger := slog.New(slog.NewTextHandler(l.log, nil))
	return Config{
		Job: Job{
			Tenant:   tenants.Tenant{Name: "tck", Dir: filepath.Join(l.dir, "app"), Manifest: m},
			Snapshot: filepath.Join(l.dir, "snapshots", name, "image"), CacheDir: filepath.Join(l.dir, "cache-"+name),
			Grace: -1, StartTimeout: 20 * time.Second, Running: 2,
		},
		Log:     tenantlog.New(logger, "tck", 1<<20, tenantlog.Options{}),
		Command: []string{"/proc/self/exe", "worker", name},
		margin:  patience,
	}
}

func (l *lab) build(cfg Config) *Image {
	l.t.Helper()
	im, err := Build(l.t.Context(), cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() {
		if err := im.Close(); err != nil {
			l.t.Errorf("Close: %v", err)
		}
	})
	return im
}

func (l *lab) image(name string) *Image {
	l.t.Helper()
	return l.build(l.config(name))
}

func (l *lab) restore(im *Image) *Instance {
	l.t.Helper()
	in, err := im.Restore(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { _ = in.Close() })
	return in
}

func (l *lab) instance(name string) *Instance {
	l.t.Helper()
	return l.restore(l.image(name))
}

// pid is of the worker that an instance is in.
func (in *Instance) pid() int { return in.session.process.cmd.Process.Pid }

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) count(text string) int { return strings.Count(s.String(), text) }

// recorder is a Responder that keeps everything.
type recorder struct {
	heads  []abi.ResponseHead
	body   []byte
	last   bool
	logs   []string
	paused int // Pause
	going  int // Resume

	onWrite func() error
}

func (r *recorder) Start(h abi.ResponseHead) error {
	r.heads = append(r.heads, h)
	return nil
}

func (r *recorder) Write(p []byte, last bool) error {
	r.body = append(r.body, p...)
	r.last = last
	if r.onWrite != nil {
		return r.onWrite()
	}
	return nil
}

func (r *recorder) Log(_ abi.LogLevel, text string) { r.logs = append(r.logs, text) }

func (r *recorder) Pause() { r.paused++ }

func (r *recorder) Resume() { r.going++ }

func emptyRequest() *sandbox.Request { return &sandbox.Request{Environ: []byte{0, 0, 0, 0}} }

// within is a context that ends after a time.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// wantKind expects an error of a kind and returns it.
func wantKind(t *testing.T, err error, kind sandbox.Kind) *sandbox.Error {
	t.Helper()
	var e *sandbox.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got %v, want an error of kind %q", err, kind)
	}
	return e
}

// received waits for a value of a channel.
func received[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
