package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/pywasm"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// The benchmarks of this file need the guest and, once, an installer with its
// index: `go test -run '^$' -bench . ./host/bench`. COLD_WORK keeps what they
// made between runs.

// coldBench is an engine and where it keeps its files.
type coldBench struct {
	work   string
	engine *sandbox.Engine
	root   wasi.FS
}

// newColdBench is a bench whose paths do not depend on the folder of the test.
func newColdBench(b *testing.B) coldBench {
	b.Helper()
	b.Chdir("../..")
	art, err := pywasm.Load()
	if err != nil {
		b.Skip(err)
	}
	work := os.Getenv("COLD_WORK")
	if work == "" {
		work = filepath.Join(os.TempDir(), "wasgi-bench")
	}
	if err := os.MkdirAll(work, 0o700); err != nil {
		b.Fatal(err)
	}
	root, err := wasi.Archive(art.RootFS())
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	engine, err := sandbox.NewEngine(b.Context(), sandbox.EngineConfig{Module: art.Wasm(), CacheDir: filepath.Join(work, "cache"), Logger: log})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = engine.Close(context.Background()) })
	return coldBench{work, engine, root}
}

// BenchmarkAsleep is what a tenant that sleeps needs to its first byte: the
// instance, and the first request in it.
func BenchmarkAsleep(b *testing.B) {
	c := newColdBench(b)
	for _, app := range []string{"bare", "flask", "django"} {
		b.Run(app, func(b *testing.B) { c.asleep(b, app) })
	}
}

func (c coldBench) asleep(b *testing.B, app string) {
	im, q := c.asleepApp(b, app)
	defer im.Close()
	var restored, served, second, both []time.Duration
	for b.Loop() {
		begin := time.Now()
		in, err := im.Restore(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		var f, g firstByte
		if err := in.Serve(b.Context(), &q, &f); err != nil {
			b.Fatal(err)
		}
		again := time.Now()
		if err := in.Serve(b.Context(), &q, &g); err != nil {
			b.Fatal(err)
		}
		restored, served = append(restored, middle.Sub(begin)), append(served, f.at.Sub(middle))
		second, both = append(second, g.at.Sub(again)), append(both, f.at.Sub(begin))
		if err := in.Close(); err != nil {
			b.Fatal(err)
		}
	}
	percentiles(b, "restore", restored)
	percentiles(b, "first", served)
	percentiles(b, "second", second)
	percentiles(b, "asleep", both)
}

func percentiles(b *testing.B, name string, d []time.Duration) {
	slices.Sort(d)
	us := func(i int) float64 { return float64(d[i].Nanoseconds()) / 1000 }
	b.ReportMetric(us(len(d)/10), name+"-p10-µs")
	b.ReportMetric(us(len(d)/2), name+"-p50-µs")
	b.ReportMetric(us(len(d)*99/100), name+"-p99-µs")
}

// asleepApp is an application that sleeps, and the request that wakes it.
func (c coldBench) asleepApp(b *testing.B, app string) (*sandbox.Image, sandbox.Request) {
	b.Helper()
	q, err := hello()
	if err != nil {
		b.Fatal(err)
	}
	im, err := c.stored(b.Context(), app)
	if err != nil {
		b.Fatal(err)
	}
	return im, q
}

// stored is an image from a file, as a host has it.
func (c coldBench) stored(ctx context.Context, app string) (*sandbox.Image, error) {
	spec, err := c.spec(ctx, app)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(c.work, "snapshots", app)
	return c.engine.BuildStored(ctx, spec, path, sandbox.NewKey([]byte(time.Now().String())))
}

// inRAM is an image without a file.
func (c coldBench) inRAM(ctx context.Context, app string) (*sandbox.Image, error) {
	spec, err := c.spec(ctx, app)
	if err != nil {
		return nil, err
	}
	return c.engine.Build(ctx, spec)
}

func (c coldBench) spec(ctx context.Context, app string) (sandbox.Spec, error) {
	t, err := tenants.Load(filepath.Join("host", "bench", "apps", app), app)
	if err != nil {
		return sandbox.Spec{}, err
	}
	m := release.Maker{Sandbox: c.engine, Root: c.root, State: filepath.Join(c.work, "state"), Log: slog.New(slog.DiscardHandler)}
	if t.Release, err = m.Prepare(ctx, t, nil); err != nil {
		return sandbox.Spec{}, err
	}
	a := policy.App{Tenant: t, Release: t.Release, Root: c.root, Quotas: policy.QuotasFor(t, nil), Stderr: os.Stderr}
	p, err := a.Policy()
	if err != nil {
		return sandbox.Spec{}, err
	}
	q, err := hello()
	return sandbox.Spec{Name: app, Policy: p, Boot: a.Boot(), Load: a.Load(), Warmup: []sandbox.Request{q}, WarmupRounds: t.Manifest.Warmup.Rounds}, err
}

// BenchmarkDeploy is what lies between a folder whose dependencies are installed
// and an image to serve from: in RAM, and in a file as a host keeps it.
func BenchmarkDeploy(b *testing.B) {
	c := newColdBench(b)
	for _, app := range []string{"bare", "flask", "django"} {
		b.Run(app, func(b *testing.B) { c.deploy(b, app) })
	}
}

func (c coldBench) deploy(b *testing.B, app string) {
	var memory, stored []time.Duration
	for b.Loop() {
		begin := time.Now()
		im, err := c.inRAM(b.Context(), app)
		if err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		disk, err := c.stored(b.Context(), app)
		if err != nil {
			b.Fatal(err)
		}
		memory, stored = append(memory, middle.Sub(begin)), append(stored, time.Since(middle))
		if err := errors.Join(im.Close(), disk.Close()); err != nil {
			b.Fatal(err)
		}
	}
	percentiles(b, "memory", memory)
	percentiles(b, "stored", stored)
}

// BenchmarkFresh is a request and what puts the instance back after it.
func BenchmarkFresh(b *testing.B) {
	c := newColdBench(b)
	for _, app := range []string{"bare", "bottle", "flask", "django"} {
		b.Run(app, func(b *testing.B) { c.fresh(b, app) })
	}
}

func (c coldBench) fresh(b *testing.B, app string) {
	im, q := c.asleepApp(b, app)
	defer im.Close()
	in, err := im.Restore(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	var served, reset []time.Duration
	for b.Loop() {
		begin := time.Now()
		if err := in.Serve(b.Context(), &q, &firstByte{}); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if err := in.Reset(); err != nil {
			b.Fatal(err)
		}
		served, reset = append(served, middle.Sub(begin)), append(reset, time.Since(middle))
	}
	percentiles(b, "serve", served)
	percentiles(b, "reset", reset)
}
