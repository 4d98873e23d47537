package wasi

import (
	"context"
	"math"
	"time"

	wsys "github.com/tetratelabs/wazero/sys"
)

// clockResolution is that of all clocks of a guest, in nanoseconds. A finer one would serve those who time caches better
// than it serves a profiler of Python, whose shortest call takes about as long (DESIGN.md).
const clockResolution wsys.ClockResolution = 1000

func coarse(nanos int64) int64 { return nanos - nanos%int64(clockResolution) }

// started is when the process began to count. The monotonic clock of guests starts at the wall clock's value then,
// not at the machine's boot: a snapshot on disk outlives a reboot, and its guest must not see that clock run back.
var started = time.Now()

func nanotime() int64 { return coarse(started.UnixNano() + int64(time.Since(started))) }

func walltime() (sec int64, nsec int32) {
	now := time.Now()
	return now.Unix(), int32(coarse(int64(now.Nanosecond())))
}

// hookedSleep is the shortest sleep for which the hooks of OnSleep are worth their cost.
const hookedSleep = time.Millisecond

// sleeper is the part of a sandbox that waits.
type sleeper struct {
	request       context.Context
	before, after func()
}

// SetContext tells the sandbox which request it serves: a sleep ends with the request's deadline or cancellation, even
// when the context of the call into the guest carries neither. nil takes it back.
func (s *sleeper) SetContext(ctx context.Context) { s.request = ctx }

// OnSleep sets what is called around each sleep of a millisecond or more, so that the host can give the CPU slot of a
// waiting guest to another one. after may block; what it waits for must end with the request. nil is allowed.
func (s *sleeper) OnSleep(before, after func()) { s.before, s.after = before, after }

// sleep returns after d or at the end of ctx or of the request, whichever is first. The guest is not told which: its
// next metered instruction ends it.
func (s *sleeper) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	if d >= hookedSleep {
		call(s.before)
		defer call(s.after)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	var request <-chan struct{}
	if s.request != nil {
		request = s.request.Done()
	}
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-request:
	}
}

// over tells whether the call or the request has ended.
func (s *sleeper) over(ctx context.Context) bool {
	return ctx.Err() != nil || s.request != nil && s.request.Err() != nil
}

func call(f func()) {
	if f != nil {
		f()
	}
}

func clampDuration(ns uint64) time.Duration {
	return time.Duration(min(ns, math.MaxInt64))
}
