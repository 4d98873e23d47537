package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// canaryApp leaves what it is sent wherever a tenant can leave something, and
// then ends in the way that the path says.
const canaryApp = `
import os, sys, time
kept = []

def application(environ, start_response):
    canary = environ["wsgi.input"].read()
    text = canary.decode()
    kept.extend([canary * 200000, text * 100000, (text + "\u4e00") * 50000, (text + "\U0001f600") * 20000, dict(environ)])
    if canary:
        with open("/tmp/canary", "wb") as f:
            f.write(canary * 1000)
        kept.append(open("/tmp/canary", "rb"))
        os.environ["CANARY"] = text
        print(text)
        print(text, file=environ["wsgi.errors"])
        os.write(2, canary)
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Canary", text)])
    end = environ["PATH_INFO"]
    if end == "/exit":
        os._exit(3)
    if end == "/abort":
        os.abort()
    if end == "/late":
        while True: pass
    if end == "/memory":
        while True: kept.append(canary * 500000)
    return [canary * 10000]
`

// TestCanaryOfATenant: whatever a tenant leaves, and however its instance ends,
// no byte of it is in the memory of another tenant's instance.
func TestCanaryOfATenant(t *testing.T) {
	p := newPython(t)
	a, b := p.spec(t, canaryApp), p.spec(t, canaryApp)
	a.MemoryLimit = 192 << 20
	from, to := build(t, p.engine, a), build(t, p.engine, b)
	canary := strings.Repeat("the canary of A ", 4)
	for _, end := range []string{"/", "/exit", "/abort", "/late", "/memory"} {
		t.Run(end, func(t *testing.T) {
			in := restore(t, from)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			if end == "/late" {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			}
			defer cancel()
			err := in.Serve(ctx, &Request{Environ: post(t, end, len(canary)), Body: strings.NewReader(canary)}, &recorder{})
			wantDiscarded(t, in, end, err)
			closed(t, in.Close())
			other := restore(t, to)
			wantNoCanary(t, other, canary)
			serve(t, other, &Request{Environ: post(t, "/", 5), Body: strings.NewReader("quiet")}) // makes its memory grow
			wantNoCanary(t, other, canary)
			closed(t, other.Close())
		})
	}
}

// wantDiscarded checks that an instance which ended badly serves nobody again.
func wantDiscarded(t *testing.T, in *Instance, end string, err error) {
	t.Helper()
	want := map[string]Kind{"/exit": KindExit, "/abort": KindTrap, "/late": KindTimeout, "/memory": KindMemory}[end]
	var failed *Error
	switch {
	case end == "/":
		must(t, err)
		return
	case !errors.As(err, &failed) || failed.Kind != want && !(end == "/memory" && failed.Kind == KindException):
		t.Fatalf("%v, want the kind %v", err, want)
	}
	if failed.Kind == KindException {
		return // MemoryError, caught by the gateway
	}
	if in.Usable() {
		t.Error("usable after " + end)
	}
	for what, err := range map[string]error{"served": in.Serve(t.Context(), emptyRequest(), &recorder{}), "reset": in.Reset()} {
		if !errors.As(err, &failed) || failed.Kind != KindHost {
			t.Errorf("%s after %s: %v", what, end, err)
		}
	}
}

// TestFullInstanceIsDiscarded: an application that leaks, and catches what comes
// of it, gets a new instance when the old one is full.
func TestFullInstanceIsDiscarded(t *testing.T) {
	p := newPython(t)
	spec := p.spec(t, `
kept = []

def application(environ, start_response):
    try:
        kept.append(bytearray(8 << 20))
    except MemoryError:
        pass
    start_response("200 OK", [])
    return []
`)
	spec.MemoryLimit = 96 << 20
	in := restore(t, build(t, p.engine, spec))
	served := 0
	for ; in.Usable() && served < 100; served++ {
		serve(t, in, &Request{Environ: get(t, "/")})
	}
	if served < 5 || served == 100 {
		t.Errorf("discarded after %d requests", served)
	}
}
