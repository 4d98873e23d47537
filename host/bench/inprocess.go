package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// guests runs guests in this process, without HTTP.
type guests struct {
	b      *bench
	state  string // folder of the releases
	engine *sandbox.Engine
	root   wasi.FS
}

// newGuests compiles a guest module; nil stands for the one that is embedded.
func (b *bench) newGuests(ctx context.Context, name string, module []byte) (*guests, error) {
	art, err := pywasm.Load()
	if err != nil {
		return nil, err
	}
	if module == nil {
		module = art.Wasm()
	}
	root, err := wasi.Archive(art.RootFS())
	if err != nil {
		return nil, err
	}
	b.show.doing("compiling the guest")
	dir := filepath.Join(b.opt.work, "inprocess", name)
	log := slog.New(slog.DiscardHandler)
	engine, err := sandbox.NewEngine(ctx, sandbox.EngineConfig{Module: module, CacheDir: filepath.Join(dir, "cache"), Logger: log})
	if err != nil {
		return nil, err
	}
	return &guests{b, filepath.Join(dir, "state"), engine, root}, nil
}

func (g *guests) close() error { return g.engine.Close(context.Background()) }

// image boots an application and warms it up.
func (g *guests) image(ctx context.Context, name string, q sandbox.Request) (*sandbox.Image, error) {
	g.b.show.doing("booting %s", name)
	t, err := tenants.Load(g.b.appDir(name), name)
	if err != nil {
		return nil, err
	}
	m := release.Maker{Sandbox: g.engine, Root: g.root, State: g.state, Log: slog.New(slog.DiscardHandler)}
	if t.Release, err = m.Prepare(ctx, t, nil); err != nil {
		return nil, err
	}
	a := policy.App{Tenant: t, Release: t.Release, Root: g.root, Quotas: policy.QuotasFor(t, nil), Stderr: os.Stderr}
	p, err := a.Policy()
	if err != nil {
		return nil, err
	}
	return g.engine.Build(ctx, sandbox.Spec{Name: name, Policy: p, Boot: a.Boot(), Load: a.Load(), Warmup: []sandbox.Request{q}, WarmupRounds: t.Manifest.Warmup.Rounds})
}

// hello is the request that every measurement without HTTP makes.
func hello() (sandbox.Request, error) {
	numbers := abi.KeyNumbers()
	var e abi.Environ
	for _, p := range []abi.Pair{
		{Key: "REQUEST_METHOD", Value: "GET"}, {Key: "SCRIPT_NAME", Value: ""}, {Key: "PATH_INFO", Value: "/"},
		{Key: "QUERY_STRING", Value: ""}, {Key: "SERVER_NAME", Value: "localhost"}, {Key: "SERVER_PORT", Value: "8000"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "REMOTE_ADDR", Value: "127.0.0.1"},
		{Key: "wsgi.url_scheme", Value: "http"}, {Key: "HTTP_HOST", Value: "localhost:8000"},
	} {
		e.Add(numbers, p.Key, p.Value)
	}
	message, err := e.Bytes()
	return sandbox.Request{Environ: message}, err
}

// firstByte is a Responder that notes when the body began.
type firstByte struct{ at time.Time }

func (f *firstByte) Start(abi.ResponseHead) error { return nil }

func (f *firstByte) Write([]byte, bool) error {
	if f.at.IsZero() {
		f.at = time.Now()
	}
	return nil
}

func (f *firstByte) Log(abi.LogLevel, string) {}

// hot runs so many instances at once in a loop and returns requests a second,
// all together. A fresh loop puts the instance back after each request.
func hot(ctx context.Context, im *sandbox.Image, workers int, fresh bool, seconds time.Duration) (float64, error) {
	rates, errs := make([]float64, workers), make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { rates[i], errs[i] = hotLoop(ctx, im, fresh, seconds) })
	}
	all.Wait()
	var sum float64
	for i, err := range errs {
		if err != nil {
			return 0, err
		}
		sum += rates[i]
	}
	return sum, nil
}

func hotLoop(ctx context.Context, im *sandbox.Image, fresh bool, seconds time.Duration) (float64, error) {
	q, err := hello()
	if err != nil {
		return 0, err
	}
	in, err := im.Restore(ctx)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	calls, begin := 0, time.Now()
	for time.Since(begin) < seconds {
		if err := in.Serve(ctx, &q, &firstByte{}); err != nil {
			return 0, err
		}
		if fresh {
			if err := in.Reset(); err != nil {
				return 0, err
			}
		}
		calls++
	}
	return float64(calls) / time.Since(begin).Seconds(), nil
}
