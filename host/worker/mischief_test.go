//go:build linux

package worker

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
)

// TestMischiefAtTheStart: a worker that was never built.
func TestMischiefAtTheStart(t *testing.T) {
	for name, kind := range map[string]sandbox.Kind{
		"dies at start": sandbox.KindTrap, "garbage at start": sandbox.KindTrap, "huge at start": sandbox.KindTrap,
		"fails with nothing": sandbox.KindTrap, "exception at load": sandbox.KindException, "no such guest": sandbox.KindTrap, "built outside": sandbox.KindTrap,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			_, err := Build(t.Context(), l.config(name))
			wantKind(t, err, kind)
			if l.log.count("its requests were lost") > 0 {
				t.Error("a worker that was never built is told of as a loss")
			}
		})
	}
	t.Run("silent at start", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := Build(ctx, newLab(t).config("silent at start")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestMischief lets a worker that was taken over answer a request with
// something that no worker says. The request fails as the tenant's own crash,
// and the worker is killed.
func TestMischief(t *testing.T) {
	for name, want := range map[string]struct {
		kind  sandbox.Kind
		lives bool // it lied within the protocol
	}{
		"ends without a head":   {kind: sandbox.KindTrap},
		"unknown frame":         {kind: sandbox.KindTrap},
		"frame of the host":     {kind: sandbox.KindTrap},
		"body without a head":   {kind: sandbox.KindTrap},
		"broken header":         {kind: sandbox.KindTrap},
		"short head":            {kind: sandbox.KindTrap},
		"reads no body":         {kind: sandbox.KindTrap},
		"reads nothing":         {kind: sandbox.KindTrap},
		"closes the socket":     {kind: sandbox.KindTrap},
		"logs at no level":      {kind: sandbox.KindTrap},
		"huge frame":            {kind: sandbox.KindTrap},
		"two heads":             {kind: sandbox.KindTrap},
		"a byte after the last": {kind: sandbox.KindTrap},
		"hints of a response":   {kind: sandbox.KindTrap},
		"hints after the head":  {kind: sandbox.KindTrap},
		"hints without end":     {kind: sandbox.KindTrap},
		"asks for ever":         {kind: sandbox.KindTimeout},
		"hangs":                 {kind: sandbox.KindTimeout},
		"resumes for ever":      {kind: sandbox.KindTimeout},
		"blames the host":       {kind: sandbox.KindTrap, lives: true},
		"unknown kind":          {kind: sandbox.KindTrap, lives: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			cfg := l.config(name)
			if want.kind == sandbox.KindTimeout {
				cfg.margin = 100 * time.Millisecond
			}
			in := l.restore(l.build(cfg))
			p := in.session.process
			wantKind(t, in.Serve(within(t, 10*time.Millisecond), emptyRequest(), &recorder{}), want.kind)
			if in.Usable() {
				t.Error("usable")
			}
			if !want.lives {
				received(t, p.done)
				dead(t, p)
			}
		})
	}
}

// TestGarbageBesideARequest: what a worker says on its control socket ends it
// as well.
func TestGarbageBesideARequest(t *testing.T) {
	l := newLab(t)
	im := l.image("garbage after an order")
	p := im.current
	_, err := im.Restore(t.Context())
	wantKind(t, err, sandbox.KindTrap)
	received(t, p.done)
	dead(t, p)
}

// TestSaidTwice: what a worker says once, before or after the host has taken it
// into service, ends it the second time.
func TestSaidTwice(t *testing.T) {
	for _, name := range []string{"built twice", "jailed twice"} {
		im, err := Build(t.Context(), newLab(t).config(name))
		if err != nil {
			continue // it was killed by then
		}
		_, err = im.Restore(within(t, patience))
		if err == nil {
			t.Errorf("%s: it serves", name)
		}
		if err := im.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestForgedTenant(t *testing.T) {
	l := newLab(t)
	l.image("forges the tenant")
	if n := l.log.count("level=ERROR msg=forged tenant=tck\n"); n != 1 || l.log.count("victim") > 0 {
		t.Errorf("the log:\n%s", l.log)
	}
}

// dead checks that the process is no more.
func dead(t *testing.T, p *process) {
	t.Helper()
	if err := syscall.Kill(p.cmd.Process.Pid, 0); !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v", p.cmd.Process.Pid, err)
	}
}
