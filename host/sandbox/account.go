package sandbox

import (
	"context"
	"errors"
	"time"
)

// Fuel is what a metered loop burns one of at each turn, and a bulk copy one of
// for each 4 KiB. How much time that is depends on the loop: two nanoseconds in
// a tight one, twenty in Python's, a microsecond around a copy. So the refill
// follows the time that the last one lasted. The upper bound keeps a guest that
// turns from fast loops to slow ones from going unchecked for long; at it the
// checks cost a tight loop one part in a hundred (DESIGN.md).
const (
	minFuel    = 16
	maxFuel    = 1 << 13
	firstFuel  = 1 << 12
	fuelTarget = time.Millisecond
)

// Account is what one call has used.
type Account struct {
	Fuel uint64        // turns of metered loops
	CPU  time.Duration // time inside the guest; waiting for the client or for the clock does not count
	// Longest is the longest time between two looks of the meter: for so long
	// nobody could stop the guest, and the collector had to wait for it.
	Longest time.Duration
}

// account keeps the books of the running call and knows when it must end.
type account struct {
	Account
	ctx      context.Context
	deadline time.Time // zero is none
	limit    time.Duration
	granted  int32     // fuel of the last refill
	since    time.Time // when the guest was last let go
	turn     time.Time // when its slice began
}

func (a *account) open(ctx context.Context, limit time.Duration) {
	granted := a.granted
	if granted == 0 {
		granted = firstFuel
	}
	*a = account{ctx: ctx, limit: limit, granted: granted, since: time.Now()}
	a.turn = a.since
	a.deadline, _ = ctx.Deadline()
}

// refill is the fuel that the guest may burn before the next check.
func (a *account) refill() int32 { return a.granted }

// spent books a refill and chooses the next one. left is zero, or below when
// the last instruction cost more than there was.
func (a *account) spent(now time.Time, left int32) {
	lasted := now.Sub(a.since)
	a.burn(left)
	a.CPU += lasted
	a.Longest = max(a.Longest, lasted)
	a.since = now
	a.granted = nextFuel(a.granted, lasted)
}

// nextFuel aims at fuelTarget. It grows slowly and shrinks at once.
func nextFuel(granted int32, lasted time.Duration) int32 {
	next := int64(granted) * 2
	if lasted > 0 {
		next = min(next, int64(granted)*int64(fuelTarget)/int64(lasted))
	}
	return int32(min(max(next, minFuel), maxFuel))
}

// cut takes back the fuel that is left: the guest has been granted what it has
// burnt.
func (a *account) cut(left int32) {
	if left > 0 && left <= a.granted {
		a.granted -= left
	}
}

// burn ignores a number above what was granted: only a guest that is no
// longer itself has that.
func (a *account) burn(left int32) {
	if left <= a.granted {
		a.Fuel += uint64(int64(a.granted) - int64(left))
	}
}

// pause stops the clock while the guest waits for somebody else.
func (a *account) pause() { a.CPU += time.Since(a.since) }

func (a *account) resume() { a.since = time.Now() }

func (a *account) close(left int32) {
	a.CPU += time.Since(a.since)
	a.burn(left)
	a.ctx = nil
}

// calledOff says whether the caller has ended the call: the host stops, say.
func (a *account) calledOff() bool {
	return a.ctx != nil && errors.Is(a.ctx.Err(), context.Canceled)
}

// over says why the call must end, nil while it may go on. The deadline is
// compared here and not left to a timer, which may never run while guests keep
// every processor.
func (a *account) over(now time.Time) *Error {
	if !a.deadline.IsZero() && !now.Before(a.deadline) {
		return &Error{Kind: KindTimeout, Detail: "the deadline has passed", Err: context.DeadlineExceeded}
	}
	if a.limit != 0 && a.CPU > a.limit {
		return &Error{Kind: KindTimeout, Detail: "the CPU limit of " + a.limit.String() + " is used up"}
	}
	if a.ctx == nil {
		return nil
	}
	switch err := a.ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Detail: "the deadline has passed", Err: context.DeadlineExceeded}
	}
	return &Error{Kind: KindCanceled, Err: context.Cause(a.ctx)}
}
