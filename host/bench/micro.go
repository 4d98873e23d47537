package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// How often each thing is done: restores for the medians, live instances for
// the memory.
const (
	restores  = 200
	resets    = 500
	instances = 50
)

// bench holds what the measurements of instances share.
type bench struct {
	opt    options
	engine *sandbox.Engine
	root   wasi.FS
}

// measureMicro measures instances in this process, without HTTP.
func measureMicro(ctx context.Context, opt options) ([]result, error) {
	art, err := pywasm.Load()
	if err != nil {
		return nil, err
	}
	root, err := wasi.Archive(art.RootFS())
	if err != nil {
		return nil, err
	}
	engine, err := sandbox.NewEngine(ctx, sandbox.EngineConfig{Module: art.Wasm(), CacheDir: filepath.Join(opt.work, "cache"), Logger: slog.Default()})
	if err != nil {
		return nil, err
	}
	defer engine.Close(ctx)
	b := bench{opt, engine, root}
	out, err := binarySize(opt)
	if err != nil {
		return nil, err
	}
	for _, app := range opt.apps {
		results, err := b.app(ctx, app)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", app, err)
		}
		out = append(out, results...)
	}
	return out, nil
}

func binarySize(opt options) ([]result, error) {
	info, err := os.Stat(opt.binary)
	if err != nil {
		return nil, err
	}
	return []result{micro("binary, interpreter and standard library included", float64(info.Size())/(1<<20), "MiB")}, nil
}

func micro(name string, value float64, unit string) result {
	return result{Name: name, Value: value, Unit: unit, kind: "micro"}
}

func (b bench) app(ctx context.Context, app string) ([]result, error) {
	started := time.Now()
	im, err := b.image(ctx, app)
	if err != nil {
		return nil, err
	}
	defer im.Close()
	built := time.Since(started)
	q, err := hello()
	if err != nil {
		return nil, err
	}
	out, err := b.restore(ctx, app, im, q)
	if err != nil {
		return nil, err
	}
	more, err := b.reset(ctx, app, im, q)
	if err != nil {
		return nil, err
	}
	memory, err := b.memory(ctx, app, im, q)
	if err != nil {
		return nil, err
	}
	stats := im.Stats()
	out = append(out, more...)
	return append(out, memory,
		micro(app+": boot, import and snapshot", built.Seconds()*1000, "ms"),
		micro(app+": snapshot, pages that are not zero", float64(stats.NonZeroBytes)/(1<<20), "MiB")), nil
}

func (b bench) image(ctx context.Context, app string) (*sandbox.Image, error) {
	t, err := tenants.Load(appDir(app), app)
	if err != nil {
		return nil, err
	}
	m := release.Maker{Sandbox: b.engine, Root: b.root, State: filepath.Join(b.opt.work, "state"), Log: slog.Default()}
	if t.Release, err = m.Prepare(ctx, t, nil); err != nil {
		return nil, err
	}
	a := policy.App{Tenant: t, Release: t.Release, Root: b.root, Quotas: policy.QuotasFor(t, nil), Stderr: os.Stderr}
	p, err := a.Policy()
	if err != nil {
		return nil, err
	}
	q, err := hello()
	if err != nil {
		return nil, err
	}
	return b.engine.Build(ctx, sandbox.Spec{Name: app, Policy: p, Boot: a.Boot(), Load: a.Load(), Warmup: []sandbox.Request{q, q}})
}

// hello is the request that every measurement makes.
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

func (b bench) restore(ctx context.Context, app string, im *sandbox.Image, q sandbox.Request) ([]result, error) {
	var restored, first []time.Duration
	for range restores {
		begin := time.Now()
		in, err := im.Restore(ctx)
		if err != nil {
			return nil, err
		}
		restored = append(restored, time.Since(begin))
		var f firstByte
		if err := in.Serve(ctx, &q, &f); err != nil {
			return nil, err
		}
		first = append(first, f.at.Sub(begin))
		if err := in.Close(); err != nil {
			return nil, err
		}
	}
	return []result{
		micro(app+": instance from snapshot, p50", ms(medianOf(restored)), "ms"),
		micro(app+": snapshot to first byte, p50", ms(medianOf(first)), "ms"),
	}, nil
}

func (b bench) reset(ctx context.Context, app string, im *sandbox.Image, q sandbox.Request) ([]result, error) {
	in, err := im.Restore(ctx)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var served, reset []time.Duration
	pages := 0
	for range resets {
		begin := time.Now()
		if err := in.Serve(ctx, &q, &firstByte{}); err != nil {
			return nil, err
		}
		middle := time.Now()
		if err := in.Reset(); err != nil {
			return nil, err
		}
		served, reset = append(served, middle.Sub(begin)), append(reset, time.Since(middle))
		pages = in.Stats().DirtyPages
	}
	return []result{
		micro(app+": request after a reset, p50", ms(medianOf(served)), "ms"),
		micro(app+": reset (fresh), p50", ms(medianOf(reset)), "ms"),
		micro(app+": pages put back by a reset", float64(pages), "pages"),
	}, nil
}

func (b bench) memory(ctx context.Context, app string, im *sandbox.Image, q sandbox.Request) (result, error) {
	before, err := privateBytes()
	if err != nil {
		return result{}, err
	}
	var live []*sandbox.Instance
	defer func() {
		for _, in := range live {
			_ = in.Close()
		}
	}()
	for range instances {
		in, err := im.Restore(ctx)
		if err != nil {
			return result{}, err
		}
		live = append(live, in)
		if err := in.Serve(ctx, &q, &firstByte{}); err != nil {
			return result{}, err
		}
	}
	after, err := privateBytes()
	if err != nil {
		return result{}, err
	}
	return micro(app+": private memory of a warm instance", float64(after-before)/instances/(1<<20), "MiB"), nil
}

// privateBytes is what this process has written to and shares with nobody.
func privateBytes() (int64, error) {
	debug.FreeOSMemory() // what the process has freed counts otherwise
	text, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Private_Dirty:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/self/smaps_rollup has no Private_Dirty")
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
