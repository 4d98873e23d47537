package pool

import "time"

// grow starts as many creations as the queue and Min ask for and the limits
// allow. Call it with mu held.
func (p *Pool[I]) grow() {
	if p.phase == closed || p.failures > 0 && time.Now().Before(p.retryAt) {
		return
	}
	for p.wanted() && p.live < p.cfg.Max && p.creating < p.cfg.Creators {
		p.live++
		p.creating++
		p.tasks.Go(p.create)
		p.employ()
	}
}

// wanted reports whether one more creation would be of use.
func (p *Pool[I]) wanted() bool {
	return p.queue.length > p.creating || p.phase == open && p.live < p.cfg.Min
}

// create runs Config.New outside any lock and hands the instance over. Its
// goroutine ends with the pool: Close cancels the context and waits.
func (p *Pool[I]) create() {
	instance, err := p.make()
	if err != nil {
		p.createFailed(err)
		return
	}
	e := &entry[I]{pool: p, instance: instance, born: time.Now(), slot: noSlot, limit: p.requestLimit()}
	p.mu.Lock()
	p.creating--
	p.failures = 0
	p.counters.created++
	p.mu.Unlock()
	p.put(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow()
}

// make runs Config.New in a turn of its own: what an application does when it
// is restored must not pass the fairness between applications.
func (p *Pool[I]) make() (instance I, err error) {
	if p.cfg.Prepare != nil {
		if err := p.cfg.Prepare(p.ctx); err != nil {
			return instance, err
		}
	}
	t := new(turn)
	start, err := p.cfg.Slots.take(p.ctx, p.account, t)
	if err != nil {
		return instance, err
	}
	defer func() { p.cfg.Slots.give(p.account, t, time.Since(start)) }()
	return p.cfg.New(p.ctx)
}

// createFailed starts the pause before the next attempt. Callers in the queue
// get the error unless an instance is alive that may still serve them.
func (p *Pool[I]) createFailed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.creating--
	p.live--
	if p.phase == closed {
		return
	}
	p.failures++
	p.counters.createFailed++
	p.lastErr = err
	pause := p.backoff()
	p.retryAt = time.Now().Add(pause)
	if p.live == 0 {
		p.failWaiters(p.createError(pause))
	}
	p.wake()
}

// backoff doubles with each failure in a row, between BackoffMin and BackoffMax.
func (p *Pool[I]) backoff() time.Duration {
	d := p.cfg.BackoffMin
	for range p.failures - 1 {
		if d >= p.cfg.BackoffMax/2 {
			return p.cfg.BackoffMax
		}
		d *= 2
	}
	return d
}

func (p *Pool[I]) createError(wait time.Duration) error {
	return &CreateError{Pool: p.cfg.Name, Failures: p.failures, RetryAfter: wait, Err: p.lastErr}
}

// failWaiters empties the queue. Call it with mu held.
func (p *Pool[I]) failWaiters(err error) {
	for w := p.queue.pop(); w != nil; w = p.queue.pop() {
		w.err = err
		close(w.ready)
	}
	p.settle()
}
