package pool

import (
	"context"
	"time"
)

// Acquire lends an instance together with a CPU slot, waiting in the queue when
// it must. The caller ends the lease with exactly one of Release and Discard.
// Errors: ErrQueueFull, ErrQueueTimeout, ErrClosed, *CreateError, or ctx's.
func (p *Pool[I]) Acquire(ctx context.Context) (Lease[I], error) { return p.AcquireFrom(ctx, nil) }

// AcquireFrom is Acquire for a client whose seat may have a slot from its last
// request. The seat is without one when it returns a lease.
func (p *Pool[I]) AcquireFrom(ctx context.Context, seat *Seat) (Lease[I], error) {
	if err := ctx.Err(); err != nil {
		return Lease[I]{}, err
	}
	seat.Settle()
	slot, turn := seat.again(p.cfg.Slots, p.account)
	if slot == noSlot && turn == nil {
		turn = p.cfg.Slots.line(p.account, time.Now())
	}
	if turn != nil {
		ok, err := p.admit()
		if ok {
			return p.acquireInTurn(ctx, turn, true)
		}
		p.cfg.Slots.quit(p.account, turn)
		if err != nil {
			return Lease[I]{}, err
		}
	}
	return p.acquireNow(ctx, seat, slot)
}

// acquireNow is for who need not wait for a slot, or is to wait for an instance first.
func (p *Pool[I]) acquireNow(ctx context.Context, seat *Seat, slot int) (Lease[I], error) {
	e, w, err := p.takeOrQueue(slot)
	switch {
	case err != nil:
		return Lease[I]{}, err
	case w != nil:
		seat.Leave() // who waits for an instance has no slot
	case slot == noSlot:
		if start, ok := p.cfg.Slots.try(p.account, &e.lease.turn); ok {
			return e.lend(start), nil
		}
	default:
		if start, ok := seat.pass(&e.lease.turn); ok {
			return e.lend(start), nil
		}
	}
	return p.acquireSlowly(ctx, time.Now(), e, w, true)
}

// acquireSlowly waits for an instance, unless there is one, and then with it for a slot,
// QueueTimeout from began at most. back is that it may give the instance back once, and
// wait in turn: else one that is missing for a moment, because its lease is paused, would
// have all that wait ask for one after the other.
func (p *Pool[I]) acquireSlowly(ctx context.Context, began time.Time, e *entry[I], w *waiter[I], back bool) (Lease[I], error) {
	if p.cfg.QueueTimeout > 0 {
		bounded, cancel := context.WithDeadlineCause(ctx, began.Add(p.cfg.QueueTimeout), ErrQueueTimeout)
		defer cancel()
		ctx = bounded
	}
	if w != nil {
		var err error
		if e, err = p.wait(ctx, w); err != nil {
			return Lease[I]{}, p.gaveUp(err)
		}
		if turn := p.backInTurn(e, began, back); turn != nil {
			return p.acquireInTurn(ctx, turn, false)
		}
	}
	start, err := p.cfg.Slots.take(ctx, p.account, &e.lease.turn)
	if err != nil {
		p.put(e)
		return Lease[I]{}, p.gaveUp(context.Cause(ctx))
	}
	p.waited(start.Sub(began))
	return e.lend(start), nil
}

// acquireInTurn waits for a slot, and takes the instance that was used last when it has
// one. Where each of those who wait has an instance already, they use as many in turn as
// there are clients, and none finds its memory in the processor's cache: of Flask at 16
// connections that took a tenth of the requests.
func (p *Pool[I]) acquireInTurn(ctx context.Context, turn *slotWaiter, back bool) (Lease[I], error) {
	if err := p.await(ctx, turn); err != nil {
		return Lease[I]{}, p.gaveUp(err)
	}
	e, w, err := p.takeInTurn(turn)
	if e != nil {
		if start, ok := p.cfg.Slots.move(turn.turn, &e.lease.turn); ok {
			p.waited(start.Sub(turn.came))
			return e.lend(start), nil
		}
	}
	p.cfg.Slots.refuse(p.account, turn.turn)
	if err != nil {
		return Lease[I]{}, p.gaveUp(err)
	}
	return p.acquireSlowly(ctx, turn.came, e, w, back)
}

// backInTurn gives an instance back and queues for a slot first, unless there is one.
func (p *Pool[I]) backInTurn(e *entry[I], came time.Time, may bool) *slotWaiter {
	if !may {
		return nil
	}
	turn := p.cfg.Slots.line(p.account, came)
	if turn == nil {
		return nil
	}
	p.mu.Lock()
	p.inTurn++
	p.mu.Unlock()
	p.put(e)
	return turn
}

// admit lets a caller wait for a slot first. Neither true nor an error is that it has
// to wait for an instance first: there is none but what is paused, or as many as may be
// and all in use.
func (p *Pool[I]) admit() (ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.phase != open:
		return false, ErrClosed
	case len(p.idle) == 0 && (p.live-p.creating <= p.paused || p.live >= p.cfg.Max):
		return false, nil
	}
	if err := p.refusal(); err != nil {
		return false, err
	}
	p.inTurn++
	return true, nil
}

// await returns when the caller has its slot, or will not have it.
func (p *Pool[I]) await(ctx context.Context, turn *slotWaiter) (err error) {
	var late <-chan time.Time
	if p.cfg.QueueTimeout > 0 {
		timer := time.NewTimer(time.Until(turn.came.Add(p.cfg.QueueTimeout))) // a context would cost as much as the rest of the wait
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-turn.granted:
		return nil
	case <-late:
		err = ErrQueueTimeout
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-p.ctx.Done():
		err = ErrClosed
	}
	p.cfg.Slots.quit(p.account, turn)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inTurn--
	p.settle()
	return err
}

// takeInTurn is takeOrQueue for who was admitted, also while the pool drains.
func (p *Pool[I]) takeInTurn(turn *slotWaiter) (*entry[I], *waiter[I], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inTurn--
	if e := p.pop(turn.turn.slot); e != nil {
		return e, nil, nil
	}
	err := p.broken()
	if p.phase == closed {
		err = ErrClosed
	}
	if err != nil {
		p.settle()
		return nil, nil, err
	}
	return nil, p.queueUp(turn.came), nil
}
