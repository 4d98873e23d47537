package host

import (
	"context"
	"errors"
	"testing"

	"github.com/wasgi/wasgi/host/pool"
)

// TestQuietTakesNoSlot: neither while one is free nor while none is, and it ends
// with its context.
func TestQuietTakesNoSlot(t *testing.T) {
	f := &fleet{slots: pool.NewSlots(1)}
	if err := f.quiet(t.Context()); err != nil {
		t.Error(err)
	}
	release, err := f.slots.Acquire(t.Context(), "busy")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := f.quiet(t.Context()); err != nil {
		t.Error(err)
	}
	if s := f.slots.Stats(); s.Running != 1 || s.Waiting != 0 {
		t.Errorf("%d slots are held, %d callers wait", s.Running, s.Waiting)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.quiet(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
