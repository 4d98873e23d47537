package sandbox

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/abi/tck"
)

func TestKillAtTheDeadline(t *testing.T) {
	in := instanceOf(t, tck.Spin())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	e := wantKind(t, in.Serve(ctx, emptyRequest(), &recorder{}), KindTimeout)
	if !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("got %v", e)
	}
	if in.Usable() {
		t.Error("usable")
	}
	if s := in.Stats(); s.Fuel == 0 || s.CPU == 0 {
		t.Errorf("nothing was booked: %+v", s)
	}
}

func TestKillWhenCanceled(t *testing.T) {
	in := instanceOf(t, tck.Spin())
	cause := errors.New("the operator said so")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	e := wantKind(t, in.Serve(ctx, emptyRequest(), &recorder{}), KindCanceled)
	if !errors.Is(e, cause) {
		t.Errorf("got %v", e)
	}
}

func TestKillFromAnotherGoroutine(t *testing.T) {
	in := instanceOf(t, tck.Stream(1<<30, 1))
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{}
	r.onWrite = func([]byte) error {
		if r.writes == 10 {
			cancel()
		}
		return nil
	}
	wantKind(t, in.Serve(ctx, emptyRequest(), r), KindCanceled)
	if r.writes != 10 {
		t.Errorf("%d writes: the guest went on after the cancellation", r.writes)
	}
}

func TestKillAtTheCPULimit(t *testing.T) {
	im := build(t, newEngine(t, tck.Spin()), Spec{CPULimit: 5 * time.Millisecond})
	in := restore(t, im)
	wantKind(t, in.Serve(t.Context(), emptyRequest(), &recorder{}), KindTimeout)
	if s := in.Stats(); s.CPU < 5*time.Millisecond {
		t.Errorf("killed after %v", s.CPU)
	}
}

// TestKillIsPerRequest makes sure that a limit does not outlive its request.
func TestKillIsPerRequest(t *testing.T) {
	in := instanceOf(t, tck.Count(1000))
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := in.Serve(ctx, emptyRequest(), nobody{}); err != nil {
			t.Fatal(err)
		}
		cancel()
		if f := in.Stats().Fuel; f != 1001 {
			t.Errorf("%d turns were booked, want 1001", f)
		}
	}
}

func TestFuelIsBookedAcrossRefills(t *testing.T) {
	in := instanceOf(t, tck.Count(5_000_000))
	serve(t, in, emptyRequest())
	if f := in.Stats().Fuel; f != 5_000_001 {
		t.Errorf("%d turns were booked, want 5000001", f)
	}
}

func TestNextFuel(t *testing.T) {
	for _, tt := range []struct {
		granted int32
		lasted  time.Duration
		want    int32
	}{
		{1000, time.Millisecond, 1000},
		{1000, 0, 2000},
		{1000, time.Microsecond, 2000},
		{maxFuel, time.Microsecond, maxFuel},
		{1000, 2 * time.Millisecond, 500},
		{1000, 50 * time.Millisecond, 20},
		{1000, time.Hour, minFuel},
		{maxFuel, time.Duration(1<<63 - 1), minFuel},
	} {
		if got := nextFuel(tt.granted, tt.lasted); got != tt.want {
			t.Errorf("nextFuel(%d, %v) = %d, want %d", tt.granted, tt.lasted, got, tt.want)
		}
	}
}

func TestAccountPauses(t *testing.T) {
	var a account
	a.open(t.Context(), 0)
	a.pause()
	used := a.CPU
	a.since = a.since.Add(-time.Hour) // as if the client had taken an hour
	a.resume()
	a.close(a.granted)
	if a.CPU < used || a.CPU > time.Minute || a.Fuel != 0 {
		t.Errorf("booked %+v", a.Account)
	}
}

func TestKillDuringTheStart(t *testing.T) {
	tests := []struct {
		export, op string
		kind       Kind
		spec       Spec
	}{
		{abi.ExportBoot, "boot", KindTimeout, Spec{StartTimeout: 10 * time.Millisecond}},
		{abi.ExportLoad, "load", KindTimeout, Spec{StartTimeout: 10 * time.Millisecond}},
		{abi.ExportAlloc, "boot", KindTimeout, Spec{StartTimeout: 10 * time.Millisecond}},
		{abi.ExportBeforeSnapshot, "snapshot", KindTimeout, Spec{StartTimeout: 10 * time.Millisecond}},
		{abi.ExportHandle, "request", KindTimeout, Spec{WarmupTimeout: 10 * time.Millisecond, Warmup: []Request{*emptyRequest()}}},
	}
	for _, tt := range tests {
		t.Run(tt.export, func(t *testing.T) {
			tt.spec.Grace = -1
			_, err := newEngine(t, tck.SpinIn(tt.export)).Build(t.Context(), tt.spec)
			if e := wantKind(t, err, tt.kind); e.Op != tt.op {
				t.Errorf("got %v", e)
			}
		})
	}
}

func TestKillDuringTheRestore(t *testing.T) {
	im := build(t, newEngine(t, tck.SpinIn(abi.ExportAfterRestore)), Spec{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := im.Restore(ctx)
	wantKind(t, err, KindCanceled)
}

// sleeper is a Responder that is told when the guest sleeps.
type sleeper struct {
	recorder
	calls []string
}

func (s *sleeper) Pause()  { s.calls = append(s.calls, "pause") }
func (s *sleeper) Resume() { s.calls = append(s.calls, "resume") }

func TestSleepIsToldAndNotBooked(t *testing.T) {
	in := instanceOf(t, tck.Sleep(30*time.Millisecond))
	s := &sleeper{}
	if err := in.Serve(t.Context(), emptyRequest(), s); err != nil {
		t.Fatal(err)
	}
	if len(s.calls) != 2 || s.calls[0] != "pause" || s.calls[1] != "resume" {
		t.Errorf("told %v", s.calls)
	}
	if cpu := in.Stats().CPU; cpu >= 30*time.Millisecond {
		t.Errorf("booked %v for a sleep", cpu)
	}
}

func TestSleepEndsAtTheDeadline(t *testing.T) {
	in := instanceOf(t, tck.Sleep(24*time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	wantKind(t, in.Serve(ctx, emptyRequest(), &recorder{}), KindTimeout)
}
