package sandbox

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

// offer puts a shell into the stock, so that the next instance is made of it.
func (e *Engine) offer(t testing.TB) {
	t.Helper()
	s, err := e.newShell(maxMemory, nil)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case e.shells <- s:
	default:
		e.discard(s)
	}
}

// TestAShellBecomesAnyTenants: an instance that is made of a shell is like one
// that was made for its tenant: memory, globals, limit and books.
func TestAShellBecomesAnyTenants(t *testing.T) {
	e := newEngine(t, tck.Dirty(50))
	for _, limit := range []uint64{e.guest.min, 16 << 20, maxMemory} {
		budget := NewBudget(64<<20, nil)
		im := build(t, e, Spec{MemoryLimit: limit, Budget: budget})
		before := budget.Used()
		plain, err := im.Restore(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		booked := budget.Used() - before
		e.offer(t)
		in, err := im.Restore(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(e.shells) != 0 {
			t.Fatal("the shell was not taken")
		}
		if got := budget.Used() - before; got != 2*booked || booked != overhead {
			t.Errorf("limit %d: two instances are booked as %d bytes, the first as %d", limit, got, booked)
		}
		if m, p := in.memory, plain.memory; uint64(len(m.base)) != limit || m.size != p.size || m.floor != p.floor || m.budget != budget {
			t.Errorf("limit %d: %d bytes are reserved, %d the guest's, %d the image's", limit, len(m.base), m.size, m.floor)
		}
		if !bytes.Equal(in.memory.base[:in.memory.size], plain.memory.base[:plain.memory.size]) {
			t.Errorf("limit %d: another memory", limit)
		}
		for i, g := range in.globals {
			if g.Get() != plain.globals[i].Get() {
				t.Errorf("limit %d: the global %s is %d", limit, e.guest.globals[i], g.Get())
			}
		}
		if _, ok := in.module.Memory().Grow(uint32((limit-in.memory.size)/wasmPage) + 1); ok {
			t.Errorf("limit %d: the memory grows beyond it", limit)
		}
		serve(t, in, emptyRequest())
		closed(t, plain.Close())
		closed(t, in.Close())
		closed(t, im.Close())
		if budget.Used() != 0 {
			t.Errorf("limit %d: %d bytes were not given back", limit, budget.Used())
		}
	}
}

// TestTheStockIsBounded: eight shells and no more, another one for each that is
// taken, none when it is over.
func TestTheStockIsBounded(t *testing.T) {
	e := newEngine(t, tck.Echo())
	im := build(t, e, Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	asked, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		e.Stock(ctx, func(ctx context.Context) error {
			select {
			case asked <- struct{}{}:
			case <-ctx.Done():
			}
			return ctx.Err()
		})
	}()
	for range maxShells {
		<-asked
	}
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	<-asked // for the ninth, only now: before, the eighth had no place
	closed(t, in.Close())
	if n := cap(e.shells); n != maxShells-1 {
		t.Errorf("%d shells have a place, and one more waits", n)
	}
	cancel()
	<-over
	if len(e.shells) != 0 {
		t.Errorf("%d shells are left", len(e.shells))
	}
}

func TestNoStockWhenThereIsNoTime(t *testing.T) {
	e := newEngine(t, tck.Echo())
	e.Stock(t.Context(), func(context.Context) error { return errors.New("never") })
	if len(e.shells) != 0 {
		t.Errorf("%d shells", len(e.shells))
	}
}
