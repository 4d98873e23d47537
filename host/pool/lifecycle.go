package pool

import (
	"context"
	"fmt"
	"time"
)

// longNap is the janitor's sleep when no limit is set: a kick wakes it.
const longNap = 24 * time.Hour

// Drain refuses new callers with ErrClosed, serves those in the queue, and
// waits until every lease has ended. When ctx ends first, its error is returned
// and the pool stays as it is: refusing, with leases alive. Call Close in both cases.
func (p *Pool[I]) Drain(ctx context.Context) error {
	p.mu.Lock()
	if p.phase == open {
		p.phase = draining
	}
	p.settle()
	over := p.phase == closed
	p.mu.Unlock()
	if over {
		return nil
	}
	select {
	case <-p.quiet:
		return nil
	case <-ctx.Done():
		s := p.Stats()
		return fmt.Errorf("pool %s: drain: %d leases and %d callers left: %w",
			p.cfg.Name, s.Busy, s.Waiting, context.Cause(ctx))
	}
}

// RetireUnused refuses new callers with ErrClosed if there is no instance, none is
// being made, and nobody waits; otherwise it does nothing and is false. Call Close
// afterwards.
func (p *Pool[I]) RetireUnused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != open || p.live > 0 || p.creating > 0 || !p.queue.empty() || p.inTurn > 0 {
		return false
	}
	p.phase = draining
	p.settle()
	return true
}

// Close refuses new callers and those in the queue with ErrClosed, closes every
// idle instance and waits for creations to end. Leases that are still alive go
// on; their instances are closed when they end. Further calls do nothing.
func (p *Pool[I]) Close() {
	idle, first := p.shut()
	if !first {
		return
	}
	p.cancel()
	for _, e := range idle {
		p.drop(e, DiscardClosed)
	}
	p.tasks.Wait()
	p.cfg.Slots.unregister(p.account)
}

func (p *Pool[I]) shut() (idle []*entry[I], first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase == closed {
		return nil, false
	}
	p.failWaiters(ErrClosed)
	if p.phase == draining {
		p.releaseDrain()
	}
	p.phase = closed
	idle, p.idle = p.idle, nil
	return idle, true
}

// releaseDrain lets a Drain that runs beside Close return.
func (p *Pool[I]) releaseDrain() {
	select {
	case <-p.quiet:
	default:
		close(p.quiet)
	}
}

// employ starts the janitor unless it runs. Call it with mu held.
func (p *Pool[I]) employ() {
	if !p.watched {
		p.watched = true
		p.tasks.Go(p.janitor)
	}
}

// janitor closes what is idle for too long or too old and keeps Min alive. Its
// goroutine ends with the pool's context, and when there is nothing to look
// after: most tenants of a large host sleep.
func (p *Pool[I]) janitor() {
	nap, more := p.sweep()
	timer := time.NewTimer(nap)
	defer timer.Stop()
	for more {
		select {
		case <-p.ctx.Done():
			return
		case <-p.kick:
		case <-timer.C:
		}
		nap, more = p.sweep()
		timer.Reset(nap)
	}
}

// wake makes the janitor look again.
func (p *Pool[I]) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// sweep does what is due and says when to look again. more is false when there
// will be nothing to do until the next creation, which employs a new janitor.
func (p *Pool[I]) sweep() (nap time.Duration, more bool) {
	now := time.Now()
	p.mu.Lock()
	aged := p.extract(func(e *entry[I]) bool { return p.cfg.MaxAge > 0 && now.Sub(e.born) >= p.cfg.MaxAge })
	spare := p.live - len(aged) - p.cfg.Min
	idle := p.extract(func(e *entry[I]) bool {
		due := spare > 0 && p.cfg.IdleTimeout > 0 && now.Sub(e.idleFrom) >= p.cfg.IdleTimeout
		if due {
			spare--
		}
		return due
	})
	p.mu.Unlock()
	for _, e := range aged {
		p.drop(e, DiscardAged)
	}
	for _, e := range idle {
		p.drop(e, DiscardIdle)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow()
	p.watched = p.live > 0 || p.wanted()
	return p.nextSweep(now), p.watched
}

// Trim closes the idle instances above Min and returns how many: for a host
// that is short of memory.
func (p *Pool[I]) Trim() int {
	p.mu.Lock()
	// Those whose turn is next are to find one.
	spare := min(p.live-p.cfg.Min, len(p.idle)-min(p.inTurn, p.cfg.Slots.size))
	idle := p.extract(func(*entry[I]) bool {
		spare--
		return spare >= 0
	})
	p.mu.Unlock()
	for _, e := range idle {
		p.drop(e, DiscardPressure)
	}
	return len(idle)
}

// extract takes the idle entries for which due is true off the stack, the
// longest idle first. Call it with mu held; the caller drops them.
func (p *Pool[I]) extract(due func(*entry[I]) bool) []*entry[I] {
	var out []*entry[I]
	kept := p.idle[:0]
	for _, e := range p.idle {
		if due(e) {
			out = append(out, e)
		} else {
			kept = append(kept, e)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	return out
}

// nextSweep is the time to the next moment at which something can be due. What
// becomes idle or is made later is due one full limit later at the earliest.
func (p *Pool[I]) nextSweep(now time.Time) time.Duration {
	next := longNap
	sooner := func(d time.Duration) { next = min(next, max(d, time.Millisecond)) }
	if p.cfg.IdleTimeout > 0 {
		sooner(p.cfg.IdleTimeout)
	}
	if p.cfg.MaxAge > 0 {
		sooner(p.cfg.MaxAge)
	}
	if p.failures > 0 && p.wanted() {
		sooner(p.retryAt.Sub(now))
	}
	for _, e := range p.idle {
		if p.cfg.MaxAge > 0 {
			sooner(p.cfg.MaxAge - now.Sub(e.born))
		}
		if p.cfg.IdleTimeout > 0 && p.live > p.cfg.Min {
			sooner(p.cfg.IdleTimeout - now.Sub(e.idleFrom))
		}
	}
	return next
}
