//go:build linux

package worker

import (
	"os"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
)

func TestStatm(t *testing.T) {
	if n, err := ownOf([]byte("100 50 20 1 0 30 0\n"), 4096); n != 30*4096 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, text := range []string{"", "1 2", "1 x 2 3", "1 2 x 3", "1 -2 3"} {
		if _, err := ownOf([]byte(text), 4096); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestLedger books this process, as a worker would be.
func TestLedger(t *testing.T) {
	host := sandbox.NewBudget(1<<40, nil)
	l := newLedger(os.Getpid(), sandbox.NewBudget(0, host))
	if !l.open() || host.Used() != l.base || l.base < 1<<20 {
		t.Fatalf("base %d, booked %d", l.base, host.Used())
	}
	base := l.base
	l.base /= 2 // as if it had grown
	if !l.look(time.Now()) || l.grown == 0 || host.Used() != base+l.grown {
		t.Errorf("grown by %d, booked %d", l.grown, host.Used())
	}
	l.base = base
	l.close()
	l.close()
	if host.Used() != 0 {
		t.Errorf("%d bytes are left", host.Used())
	}
}

// TestNoMemoryForAWorker: a host whose budget is full starts none.
func TestNoMemoryForAWorker(t *testing.T) {
	l := newLab(t)
	cfg := l.config("echo")
	host := sandbox.NewBudget(1, nil)
	cfg.Memory = sandbox.NewBudget(0, host)
	_, err := Build(t.Context(), cfg)
	wantKind(t, err, sandbox.KindMemory)
	if host.Used() != 0 {
		t.Errorf("%d bytes are booked", host.Used())
	}
}

// TestMemoryIsBooked: a worker is booked as long as it lives. One that has grown
// beyond its tenant's room, and that nobody uses, makes place for another.
func TestMemoryIsBooked(t *testing.T) {
	l := newLab(t)
	cfg := l.config("echo")
	host := sandbox.NewBudget(1<<40, nil)
	cfg.Memory = sandbox.NewBudget(1, host) // the tenant has no room to grow
	im, err := Build(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if host.Used() < 1<<20 || cfg.Memory.Used() != 0 {
		t.Errorf("%d and %d bytes are booked", host.Used(), cfg.Memory.Used())
	}
	large := im.current.ledger
	half := large.base / 2
	large.base -= half // as if it had grown since
	host.Give(half)
	_, err = im.Restore(t.Context())
	wantKind(t, err, sandbox.KindMemory)
	if im.current != nil {
		t.Error("a worker without room is kept")
	}
	if err := im.Close(); err != nil || host.Used() > 1 {
		t.Errorf("%v, %d bytes are booked after the end", err, host.Used())
	}
}
