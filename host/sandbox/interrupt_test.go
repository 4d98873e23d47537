package sandbox

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

// served runs one request whose time is over from the start.
func served(t *testing.T, in *Instance, r Responder) *Error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	return wantKind(t, in.Serve(ctx, emptyRequest(), r), KindTimeout)
}

func TestAGuestIsAskedFirst(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.Obedient()), Spec{Grace: time.Hour}))
	r := &recorder{}
	served(t, in, r)
	signal, moved := binary.LittleEndian.Uint32(r.body), binary.LittleEndian.Uint32(r.body[4:])
	if signal != abi.SignalTime || moved != abi.InterruptRedZone {
		t.Errorf("asked with signal %d, %d bytes below the stack pointer", signal, moved)
	}
	if in.Usable() {
		t.Error("an instance whose time was over is usable")
	}
}

func TestAGuestThatDoesNotObeyIsStopped(t *testing.T) {
	for name, module := range map[string][]byte{
		"that goes on":             tck.Spin(),
		"that cannot be asked":     tck.Uninterruptible(),
		"that traps when asked to": tck.TrapInInterrupt(),
	} {
		t.Run(name, func(t *testing.T) {
			spec := Spec{Grace: time.Hour}
			if name == "that goes on" {
				spec.Grace = time.Millisecond
			}
			in := restore(t, build(t, newEngine(t, module), spec))
			served(t, in, &recorder{})
			if in.Usable() {
				t.Error("usable")
			}
		})
	}
}

// TestNobodyIsAskedWithoutGrace: below 0 the guest is stopped at once.
func TestNobodyIsAskedWithoutGrace(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.Obedient()), Spec{Grace: -1}))
	r := &recorder{}
	served(t, in, r)
	if len(r.body) != 0 {
		t.Errorf("it was asked and answered %x", r.body)
	}
}

// TestASleepInTheGraceLasts: what is slept after the end of the time ends with
// the grace, not at once.
func TestASleepInTheGraceEndsWithIt(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.Sleep(time.Hour)), Spec{Grace: 5 * time.Millisecond}))
	served(t, in, &recorder{})
}

// TestDeadlinesAreMonotonic: a clock that is set ends no request and keeps none
// alive.
func TestDeadlinesAreMonotonic(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var a account
	a.open(ctx, 0)
	for what, at := range map[string]time.Time{"deadline": a.deadline, "start": a.since} {
		if at.Round(0) == at {
			t.Errorf("the %s has no monotonic reading", what)
		}
	}
}

// TestGraceBeginsAtTheDeadline: a guest that waited for its turn beyond deadline
// and grace is stopped, not asked.
func TestGraceBeginsAtTheDeadline(t *testing.T) {
	in := restore(t, build(t, newEngine(t, tck.Obedient()), Spec{Grace: time.Minute}))
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
	defer cancel()
	r := &recorder{}
	wantKind(t, in.Serve(ctx, emptyRequest(), r), KindTimeout)
	if len(r.body) != 0 {
		t.Errorf("it was asked and answered %x", r.body)
	}
}
