package main

import (
	"archive/zip"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/pywasm/branchhint"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

//go:embed app
var app embed.FS

// requests is how many are served while branches are counted: enough for what
// happens now and then, such as a collection of garbage.
const requests = 200

// errNoCounts says that the compiler did not count.
var errNoCounts = errors.New("no branch was counted: this program was built with the released wazero (run it with -modfile .wazero/go.mod, as the build does), or wazero has no compiler for this machine")

// record serves the application in a folder from a guest that counts its
// branches, and returns what they tell. Work is a folder for its state.
func record(ctx context.Context, module []byte, root *zip.Reader, folder, work string) ([]branchhint.Function, error) {
	var c branchhint.Counts
	defer runtime.KeepAlive(&c)
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine, err := sandbox.NewEngine(c.In(ctx), sandbox.EngineConfig{Module: module, Logger: log})
	if err != nil {
		return nil, err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	if len(c.Now()) == 0 {
		return nil, errNoCounts
	}
	q, err := request()
	if err != nil {
		return nil, err
	}
	in, err := start(ctx, engine, root, folder, work, log, q)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	before := c.Now()
	for range requests {
		if err := serve(ctx, in, &q); err != nil {
			return nil, err
		}
	}
	return hints(before, c.Now(), requests), nil
}

// start boots the application and warms it up with a request.
func start(ctx context.Context, engine *sandbox.Engine, archive *zip.Reader, folder, work string, log *slog.Logger, q sandbox.Request) (*sandbox.Instance, error) {
	root, err := wasi.Archive(archive)
	if err != nil {
		return nil, err
	}
	t, err := tenants.Load(folder, "hints")
	if err != nil {
		return nil, err
	}
	m := release.Maker{Sandbox: engine, Root: root, State: work, Log: log}
	if t.Release, err = m.Prepare(ctx, t, nil); err != nil {
		return nil, err
	}
	a := policy.App{Tenant: t, Release: t.Release, Root: root, Quotas: policy.QuotasFor(t, nil), Stderr: os.Stderr}
	p, err := a.Policy()
	if err != nil {
		return nil, err
	}
	image, err := engine.Build(ctx, sandbox.Spec{Name: t.Name, Policy: p, Boot: a.Boot(), Load: a.Load(), Warmup: []sandbox.Request{q, q, q}})
	if err != nil {
		return nil, err
	}
	defer image.Close() // the instance holds what it needs
	return image.Restore(ctx)
}

// request is what a browser sends through nginx.
func request() (sandbox.Request, error) {
	numbers := abi.KeyNumbers()
	var e abi.Environ
	for _, p := range []abi.Pair{
		{Key: "REQUEST_METHOD", Value: "GET"}, {Key: "SCRIPT_NAME", Value: ""}, {Key: "PATH_INFO", Value: "/articles/42/a-title"},
		{Key: "QUERY_STRING", Value: "page=3&q=caf%C3%A9+au+lait&tag=a&tag=b"}, {Key: "SERVER_NAME", Value: "localhost"}, {Key: "SERVER_PORT", Value: "8000"},
		{Key: "SERVER_PROTOCOL", Value: "HTTP/1.1"}, {Key: "REMOTE_ADDR", Value: "127.0.0.1"},
		{Key: "wsgi.url_scheme", Value: "http"}, {Key: "HTTP_HOST", Value: "localhost:8000"},
		{Key: "HTTP_ACCEPT", Value: "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}, {Key: "HTTP_ACCEPT_LANGUAGE", Value: "fr-CH, fr;q=0.9, en;q=0.8"},
		{Key: "HTTP_COOKIE", Value: "session=eyJ1c2VyIjogNDJ9.c2lnbmF0dXJl; theme=dark"}, {Key: "HTTP_X_FORWARDED_FOR", Value: "203.0.113.9"},
	} {
		e.Add(numbers, p.Key, p.Value)
	}
	message, err := e.Bytes()
	return sandbox.Request{Environ: message}, err
}

// serve serves one request and wants an answer without fault.
func serve(ctx context.Context, in *sandbox.Instance, q *sandbox.Request) error {
	var a answer
	if err := in.Serve(ctx, q, &a); err != nil {
		return err
	}
	if a.status != 200 {
		return fmt.Errorf("the application answered %d", a.status)
	}
	return nil
}

// answer takes a response.
type answer struct{ status int }

func (a *answer) Start(head abi.ResponseHead) error {
	a.status = int(head.Status)
	return nil
}

func (a *answer) Write([]byte, bool) error { return nil }

func (a *answer) Log(_ abi.LogLevel, text string) { fmt.Fprintln(os.Stderr, text) }

// unpack puts the application where a guest can see it.
func unpack(dir string) (string, error) {
	if err := os.CopyFS(dir, app); err != nil {
		return "", err
	}
	return filepath.Join(dir, "app"), nil
}

// openRoot reads the guest's root file system. Close it when no guest runs.
func openRoot(name string) (*zip.Reader, io.Closer, error) {
	r, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return &r.Reader, r, nil
}
