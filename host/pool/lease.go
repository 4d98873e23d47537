package pool

import (
	"context"
	"sync/atomic"
	"time"
)

// Lease is the right to use one instance, with one CPU slot, until Release or
// Discard. It is a small value; copies are the same lease. Its methods belong
// to one goroutine at a time.
type Lease[I Instance] struct {
	e     *entry[I]
	round uint64
}

// leaseState is the part of an entry that belongs to whoever leases it.
type leaseState struct {
	round   atomic.Uint64 // grows at the end of every lease, so that an old lease is known
	hasSlot bool
	start   time.Time // of the slot's turn
	turn    turn
}

// lend makes the lease of an entry that is Busy and whose slot turn has begun.
func (e *entry[I]) lend(start time.Time) Lease[I] {
	e.lease.hasSlot, e.lease.start = true, start
	return Lease[I]{e, e.lease.round.Load()}
}

// Instance is what was lent. It must not be used after the lease has ended.
func (l Lease[I]) Instance() I { return l.e.instance }

// Release ends the lease. An instance that is no longer usable, is worn out or
// fails its Reset is closed; otherwise it serves again. Reset runs in this
// call, so the caller sends its response first. A second call, or one after
// Discard, does nothing.
func (l Lease[I]) Release() { l.release(nil, nil) }

// ReleaseTo is Release that leaves the CPU slot to the seat of a client that has
// no answer yet. The instance serves others at once.
func (l Lease[I]) ReleaseTo(seat *Seat) { l.release(seat, nil) }

// ReleaseAfter is Release that calls reset, if not nil, with an instance that was
// Reset, before it serves again.
func (l Lease[I]) ReleaseAfter(reset func(I)) { l.release(nil, reset) }

// ReleaseLater is ReleaseAfter by the goroutine that next uses the seat: to leave
// it, or for another request. By then the client has its answer. Then ended is
// called, if not nil.
func (l Lease[I]) ReleaseLater(seat *Seat, reset func(I), ended func()) {
	if ended == nil {
		ended = func() {}
	}
	if !l.current() {
		ended()
		return
	}
	p := l.e.pool
	p.settles(1)
	seat.later(p.cfg.Slots, &l.e.lease.turn, func() {
		l.release(seat, reset)
		p.settles(-1)
		ended()
	})
}

// settles counts the leases that end soon, without anything of their requests'.
func (p *Pool[I]) settles(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settling += n
}

func (l Lease[I]) release(seat *Seat, reset func(I)) {
	if !l.end() {
		return
	}
	why := l.e.clean()
	if why == keep && l.e.pool.cfg.Fresh && reset != nil {
		reset(l.e.instance)
	}
	if seat == nil && why == keep && l.e.pool.waitedFor() {
		seat = new(Seat) // who has the slot next is to find the instance idle
		defer seat.give()
	}
	l.e.keepSlot(seat)
	l.e.finish(why)
}

// Discard ends the lease and closes the instance. A second call, or one after
// Release, does nothing.
func (l Lease[I]) Discard() {
	if !l.end() {
		return
	}
	l.e.giveSlot()
	l.e.finish(DiscardCaller)
}

// Pause gives the CPU slot back while the guest waits: for a slow client, in a
// sleep. It does nothing when the slot is given back already.
func (l Lease[I]) Pause() {
	if l.current() && l.e.lease.hasSlot {
		l.e.pause(true)
		l.e.giveSlot()
	}
}

// Resume waits for a CPU slot again. When ctx ends first its error is
// returned, and the guest must not run on. It does nothing when the lease
// holds a slot.
func (l Lease[I]) Resume(ctx context.Context) error {
	if !l.current() || l.e.lease.hasSlot {
		return nil
	}
	p := l.e.pool
	start, err := p.cfg.Slots.take(ctx, p.account, &l.e.lease.turn)
	if err != nil {
		return err
	}
	l.e.pause(false)
	l.e.lease.hasSlot, l.e.lease.start = true, start
	return nil
}

// Yield lets others run who wait for a CPU slot and have used less, and returns
// when the lease has its turn again. It is cheap when nobody waits. When ctx
// ends first its error is returned, and the guest must not run on. It does
// nothing when the lease holds no slot.
func (l Lease[I]) Yield(ctx context.Context) error {
	if !l.current() || !l.e.lease.hasSlot {
		return nil
	}
	p := l.e.pool
	w := p.cfg.Slots.yield(p.account, &l.e.lease.turn, time.Since(l.e.lease.start))
	l.e.lease.hasSlot = w == nil
	start, err := p.cfg.Slots.await(ctx, p.account, w)
	if err != nil {
		return err
	}
	l.e.lease.hasSlot, l.e.lease.start = true, start
	return nil
}

func (l Lease[I]) current() bool { return l.e != nil && l.e.lease.round.Load() == l.round }

func (l Lease[I]) end() bool {
	return l.e != nil && l.e.lease.round.CompareAndSwap(l.round, l.round+1)
}

func (e *entry[I]) giveSlot() {
	if !e.lease.hasSlot {
		return
	}
	e.lease.hasSlot, e.slot = false, e.lease.turn.slot
	e.pool.cfg.Slots.give(e.pool.account, &e.lease.turn, time.Since(e.lease.start))
}

func (e *entry[I]) keepSlot(seat *Seat) {
	if !e.lease.hasSlot || seat == nil {
		e.giveSlot()
		return
	}
	e.lease.hasSlot, e.slot = false, e.lease.turn.slot
	seat.keep(e.pool.cfg.Slots, e.pool.account, &e.lease.turn, e.lease.start)
}

// pause notes that the lease waits for something, or no more.
func (e *entry[I]) pause(now bool) {
	p := e.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case now && !e.paused:
		p.paused++
	case !now && e.paused:
		p.paused--
	}
	e.paused = now
}

// waitedFor says whether somebody waits for a slot who has no instance yet.
func (p *Pool[I]) waitedFor() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inTurn > 0
}

// clean makes the instance ready for another lease; it says why that cannot be.
func (e *entry[I]) clean() Discard {
	e.served++
	p := e.pool
	switch {
	case !e.instance.Usable():
		return DiscardUnusable
	case e.limit > 0 && e.served >= e.limit:
		return DiscardWorn
	case p.cfg.MaxAge > 0 && time.Since(e.born) >= p.cfg.MaxAge:
		return DiscardAged
	case p.cfg.TooLarge != nil && p.cfg.TooLarge(e.instance):
		return DiscardMemory
	case !p.cfg.Fresh:
		return keep
	}
	p.mu.Lock()
	p.move(e, Resetting)
	p.mu.Unlock()
	if err := e.instance.Reset(); err != nil || !e.instance.Usable() {
		return DiscardReset
	}
	return keep
}

// finish counts the request and passes the entry on.
func (e *entry[I]) finish(why Discard) {
	p := e.pool
	p.counters.requests.Add(1)
	if e.paused {
		e.pause(false)
	}
	if why != keep {
		p.drop(e, why)
		return
	}
	p.put(e)
}
