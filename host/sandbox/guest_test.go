package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/wasi"
)

// The tests of this file run CPython. Without the artifact they are skipped.

// python is an engine with the real guest, compiled once for all tests: that
// takes seconds.
type python struct {
	engine *Engine
	root   wasi.FS
}

var loadPython = sync.OnceValues(func() (*python, error) {
	guest, err := pywasm.Load()
	if err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	root, err := wasi.Archive(guest.RootFS())
	if err != nil {
		return nil, err
	}
	e, err := NewEngine(context.Background(), EngineConfig{
		Module: guest.Wasm(), CacheDir: filepath.Join(cache, "wasgi", "sandbox-test"),
	})
	return &python{e, root}, err
})

func newPython(t testing.TB) *python {
	t.Helper()
	if testing.Short() {
		t.Skip("compiling the guest takes seconds; -short is set")
	}
	p, err := loadPython()
	if errors.Is(err, pywasm.ErrMissing) {
		t.Skip("the guest is not built: run `make guest`")
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// spec is a tenant whose module app has the given source.
func (p *python) spec(t testing.TB, source string) Spec {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return Spec{
		Name: "py",
		Policy: wasi.Policy{Mounts: []wasi.Mount{
			{Guest: "/", Open: func() (wasi.FS, error) { return p.root, nil }},
			{Guest: "/tmp", Open: func() (wasi.FS, error) { return wasi.Memory(1<<20, 100), nil }},
			{Guest: "/app", Open: func() (wasi.FS, error) { return wasi.ReadOnlyDir(dir) }},
		}},
		Boot:   abi.Boot{Args: []string{"wasgi"}, Paths: []string{"/app"}, Cwd: "/app"},
		Load:   abi.Load{Entry: "app:application"},
		Warmup: []Request{{Environ: get(t, "/warm-up")}},
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// get is the environ of a GET request.
func get(t testing.TB, path string) []byte {
	t.Helper()
	var e abi.Environ
	numbers := abi.KeyNumbers()
	for _, p := range []abi.Pair{
		{Key: "REQUEST_METHOD", Value: "GET"}, {Key: "SCRIPT_NAME", Value: ""}, {Key: "PATH_INFO", Value: path},
		{Key: "QUERY_STRING", Value: ""}, {Key: "SERVER_NAME", Value: "localhost"}, {Key: "SERVER_PORT", Value: "80"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "wsgi.url_scheme", Value: "http"},
		{Key: "CONTENT_LENGTH", Value: "0"},
	} {
		e.Add(numbers, p.Key, p.Value)
	}
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPythonConformance(t *testing.T) {
	p := newPython(t)
	im := build(t, p.engine, p.spec(t, tck.EchoApp))
	t.Run("reuse", func(t *testing.T) { tck.Check(t, session{t, restore(t, im)}) })
	t.Run("fresh", func(t *testing.T) {
		p.engine.verify = true
		defer func() { p.engine.verify = false }()
		tck.Check(t, freshSession{t, im})
	})
}

// freshSession serves each request from an instance of its own, and resets
// that as well.
type freshSession struct {
	t  *testing.T
	im *Image
}

func (s freshSession) Serve(environ, body []byte) (abi.ResponseHead, []byte, error) {
	in, err := s.im.Restore(s.t.Context())
	if err != nil {
		return abi.ResponseHead{}, nil, err
	}
	defer in.Close()
	head, out, err := session{s.t, in}.Serve(environ, body)
	if err == nil && in.memory.size == s.im.storage.size {
		err = in.Reset()
	}
	return head, out, err
}

const randomApp = `
import random, secrets, tempfile, uuid

random.random(); uuid.uuid4(); uuid.uuid1(); tempfile.gettempdir()

def application(environ, start_response):
    start_response("200 OK", [])
    return ["\n".join([repr(random.random()), str(uuid.uuid4()), str(uuid.uuid1()),
        secrets.token_hex(), next(tempfile._get_candidate_names())]).encode()]
`

// TestPythonRandomDiffers restores and resets a thousand times, and finds no
// value twice: neither random's, nor uuid's, nor secrets', nor tempfile's.
func TestPythonRandomDiffers(t *testing.T) {
	p := newPython(t)
	im := build(t, p.engine, p.spec(t, randomApp))
	seen := map[string]int{}
	note := func(in *Instance, i int) {
		values := strings.Split(string(serve(t, in, &Request{Environ: get(t, "/")}).body), "\n")
		if len(values) != 5 {
			t.Fatalf("got %q", values)
		}
		for _, v := range values {
			if j, ok := seen[v]; ok {
				t.Fatalf("%s was drawn at %d and at %d", v, j, i)
			}
			seen[v] = i
		}
	}
	for i := range 1000 {
		in := restore(t, im)
		note(in, i)
		if i%10 == 0 { // a reset draws anew as well
			reset(t, in)
			note(in, i)
		}
		closed(t, in.Close())
	}
}

const countApp = `
n = 0

def application(environ, start_response):
    global n
    n += 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(n).encode()]
`

func TestPythonFreshAndReuse(t *testing.T) {
	p := newPython(t)
	p.engine.verify = true
	defer func() { p.engine.verify = false }()
	in := restore(t, build(t, p.engine, p.spec(t, countApp)))
	var got []string
	for i := range 6 {
		got = append(got, string(serve(t, in, &Request{Environ: get(t, "/")}).body))
		if i >= 2 {
			reset(t, in)
		}
	}
	// One warm-up request came before.
	if s := strings.Join(got, " "); s != "2 3 4 2 2 2" {
		t.Errorf("counted %s", s)
	}
}

func TestPythonStored(t *testing.T) {
	p := newPython(t)
	path := filepath.Join(t.TempDir(), "py.img")
	spec, key := p.spec(t, countApp), NewKey([]byte(countApp))
	for range 2 {
		im, err := p.engine.BuildStored(t.Context(), spec, path, key)
		if err != nil {
			t.Fatal(err)
		}
		in := restore(t, im)
		if got := string(serve(t, in, &Request{Environ: get(t, "/")}).body); got != "2" {
			t.Errorf("counted %s", got)
		}
		closed(t, errors.Join(in.Close(), im.Close()))
		spec.Load.Entry = "app:nothing" // the stored image is used: nothing is loaded
	}
}

// TestPythonIsKilled stops Python code, and C code below it, without asking.
func TestPythonIsKilled(t *testing.T) {
	p := newPython(t)
	for name, code := range map[string]string{
		"loop":    "while True: pass",
		"regex":   "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')",
		"bigint":  "pow(3, 10**9)",
		"sort":    "while True: sorted([3, 1, 2] * 10**6)",
		"copy":    "b = bytearray(60 << 20)\nwhile True: b[:] = b",
		"fill":    "while True: bytes(1 << 20)",
		"sum":     "sum(range(10**12))",
		"sleep":   "import time; time.sleep(3600)",
		"finally": "try:\n    while True: pass\nfinally:\n    while True: pass",
	} {
		t.Run(name, func(t *testing.T) {
			if r, _ := p.overrun(t, code, -1); r.said() != "" {
				t.Errorf("it went on and said %q", r.said())
			}
		})
	}
}

func TestPythonOpenFileIsNamed(t *testing.T) {
	p := newPython(t)
	_, err := p.engine.Build(t.Context(), p.spec(t, "log = open('/tmp/app.log', 'w')\ndef application(e, s):\n    s('200 OK', [])\n    return []\n"))
	if wantKind(t, err, KindInvalid); !strings.Contains(err.Error(), "/tmp/app.log") {
		t.Errorf("got %v", err)
	}
}

func TestPythonMemoryLimit(t *testing.T) {
	p := newPython(t)
	const source = `
def application(environ, start_response):
    try:
        x = bytearray(200 << 20)
    except MemoryError:
        start_response("207 Full", [])
        return [b"MemoryError"]
    start_response("200 OK", [])
    return [b"enough"]
`
	spec := p.spec(t, source)
	spec.MemoryLimit = 128 << 20
	in := restore(t, build(t, p.engine, spec))
	if got := string(serve(t, in, &Request{Environ: get(t, "/")}).body); got != "MemoryError" {
		t.Errorf("got %q", got)
	}
	if !in.Usable() {
		t.Error("the application caught it, and yet the instance is unusable")
	}
}

func TestPythonWarmupMustAnswer(t *testing.T) {
	p := newPython(t)
	_, err := p.engine.Build(t.Context(), p.spec(t, "def application(e, s):\n    s('503 Later', [])\n    return []\n"))
	if wantKind(t, err, KindException); !strings.Contains(err.Error(), "warm-up request 1: ") || !strings.Contains(err.Error(), "the application answered 503") {
		t.Errorf("got %v", err)
	}
}

// TestPythonStartIsNoRequest: the CPU limit of a request does not hold for the
// start, which takes longer than any request may.
func TestPythonStartIsNoRequest(t *testing.T) {
	p := newPython(t)
	spec := p.spec(t, "sum(range(3_000_000))\ndef application(e, s):\n    s('200 OK', [])\n    return [b'ok']\n")
	spec.CPULimit = 20 * time.Millisecond
	in := restore(t, build(t, p.engine, spec))
	if got := string(serve(t, in, &Request{Environ: get(t, "/")}).body); got != "ok" {
		t.Errorf("got %q", got)
	}
}

// TestPythonImageOfChangingFilesIsNotStored: what the import read from a
// writable folder is out of date when the next process starts.
func TestPythonImageOfChangingFilesIsNotStored(t *testing.T) {
	p := newPython(t)
	for source, stored := range map[string]bool{"": true, "import os; os.path.exists('/data/state')": false} {
		data, err := wasi.WritableDir(t.TempDir(), wasi.NewQuota(1<<20, 100))
		if err != nil {
			t.Fatal(err)
		}
		spec := p.spec(t, source+"\ndef application(e, s):\n    s('200 OK', [])\n    return [b'ok']\n")
		spec.Policy.Mounts = append(spec.Policy.Mounts, wasi.Mount{Guest: "/data", Open: func() (wasi.FS, error) { return data, nil }})
		path := filepath.Join(t.TempDir(), "py.img")
		im, err := p.engine.BuildStored(t.Context(), spec, path, NewKey([]byte(source)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != stored {
			t.Errorf("%q: %v, want stored %v", source, err, stored)
		}
		if got := string(serve(t, restore(t, im), &Request{Environ: get(t, "/")}).body); got != "ok" {
			t.Errorf("got %q", got)
		}
		closed(t, im.Close())
	}
}

// TestPythonHashSeedIsTheImages: every boot draws its own seed, so that no
// tenant can compute another one's collisions; instances of one image share it,
// because its dictionaries are laid out by it.
func TestPythonHashSeedIsTheImages(t *testing.T) {
	p := newPython(t)
	const source = "def application(e, s):\n    s('200 OK', [])\n    return [str(hash('wasgi')).encode()]\n"
	seen := map[string]bool{}
	for range 5 {
		im := build(t, p.engine, p.spec(t, source))
		first := string(serve(t, restore(t, im), &Request{Environ: get(t, "/")}).body)
		if second := string(serve(t, restore(t, im), &Request{Environ: get(t, "/")}).body); second != first {
			t.Errorf("instances of one image disagree: %s and %s", first, second)
		}
		if seen[first] {
			t.Errorf("two images have the same hash: %s", first)
		}
		seen[first] = true
	}
}

// TestPythonImageIsImmortal: what the image holds keeps one reference count for
// ever, so that using it writes to no page; what a request makes is freed.
func TestPythonImageIsImmortal(t *testing.T) {
	p := newPython(t)
	const source = `
import sys, weakref

class Thing: pass

kept = {"things": [Thing(), "text " * 3, 12345678]}

def application(environ, start_response):
    held = list(kept["things"])
    counts = {sys.getrefcount(x) for x in [kept, *held, application]}
    new = Thing()
    ref = weakref.ref(new)
    del new
    start_response("200 OK", [])
    return [f"{counts} {ref()}".encode()]
`
	in := restore(t, build(t, p.engine, p.spec(t, source)))
	for range 3 {
		if got := string(serve(t, in, &Request{Environ: get(t, "/")}).body); got != "{1073741823} None" {
			t.Errorf("got %q", got)
		}
	}
}

func TestPythonScript(t *testing.T) {
	p := newPython(t)
	var out, errs bytes.Buffer
	spec := p.spec(t, "")
	policy := spec.Policy
	policy.Stdin, policy.Stdout, policy.Stderr = strings.NewReader("6 7\n"), &out, &errs
	status, err := p.engine.Python(t.Context(), PythonSpec{
		Policy: policy,
		Boot:   abi.Boot{Args: []string{"python", "-c", "import sys; a, b = input().split(); print(int(a) * int(b)); sys.exit(3)"}, Cwd: "/app"},
	})
	if err != nil || status != 3 || out.String() != "42\n" || errs.String() != "" {
		t.Errorf("status %d, %v, stdout %q, stderr %q", status, err, &out, &errs)
	}
}

// benchApps are what the figures in DESIGN.md were measured with.
func benchApps() map[string]string {
	return map[string]string{
		"bare": "def application(e, s):\n    s('200 OK', [('Content-Type', 'text/plain')])\n    return [b'hello']\n",
	}
}

func BenchmarkPython(b *testing.B) {
	p := newPython(b)
	for name, source := range benchApps() {
		im := build(b, p.engine, p.spec(b, source))
		stats := im.Stats()
		b.Logf("%s: image of %d KiB, %d KiB of it not zero", name, stats.MemorySize>>10, stats.NonZeroBytes>>10)
		ctx, q := context.Background(), &Request{Environ: get(b, "/")}
		serveOnce := func(b *testing.B, in *Instance) {
			if err := in.Serve(ctx, q, nobody{}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name+"/restore", func(b *testing.B) {
			for b.Loop() {
				in, err := im.Restore(ctx)
				if err != nil {
					b.Fatal(err)
				}
				closed(b, in.Close())
			}
		})
		b.Run(name+"/restore+first", func(b *testing.B) {
			for b.Loop() {
				in, err := im.Restore(ctx)
				if err != nil {
					b.Fatal(err)
				}
				serveOnce(b, in)
				closed(b, in.Close())
			}
		})
		b.Run(name+"/serve", func(b *testing.B) {
			in := restore(b, im)
			b.ReportAllocs()
			for b.Loop() {
				serveOnce(b, in)
			}
		})
		for _, scan := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/serve+reset/scan=%v", name, scan), func(b *testing.B) {
				saved := p.engine.dirty.scan
				defer func() { p.engine.dirty.scan = saved }()
				p.engine.dirty.scan = scan
				in := restore(b, im)
				for b.Loop() {
					serveOnce(b, in)
					reset(b, in)
				}
				b.ReportMetric(float64(in.Stats().DirtyPages), "pages")
			})
		}
	}
}
