package pool

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Pool lends the instances of one release of one tenant. Make it with New, end
// it with Close. All methods are safe for concurrent use.
type Pool[I Instance] struct {
	cfg     Config[I]
	account *account // of cfg.Name in cfg.Slots
	ctx     context.Context
	cancel  context.CancelFunc
	kick    chan struct{} // wakes the janitor, capacity 1
	tasks   sync.WaitGroup

	mu       sync.Mutex // guards all below and entry.state; never held with Slots.mu
	phase    phase
	idle     []*entry[I] // last in, first out; the oldest at the bottom
	queue    list[waiter[I], *waiter[I]]
	live     int // instances in any state but closed
	creating int
	settling int  // leased, and put back as soon as their clients have their answers
	watched  bool // the janitor runs
	busy     int  // leased or resetting
	failures int  // of Config.New, in a row
	retryAt  time.Time
	lastErr  error
	quiet    chan struct{} // closed when a draining pool has no lease and no waiter
	counters counters
}

type phase uint8

const (
	open phase = iota
	draining
	closed
)

// entry is one instance and what the pool knows of it.
type entry[I Instance] struct {
	pool     *Pool[I]
	instance I
	state    State
	born     time.Time
	idleFrom time.Time
	limit    int // requests after which it is replaced, 0 is no limit
	served   int

	lease leaseState // of the current lease
}

// waiter is a caller of Acquire in the queue. Exactly one of entry and err is
// set before ready is closed.
type waiter[I Instance] struct {
	links[waiter[I]]
	ready chan struct{}
	entry *entry[I]
	err   error
}

// New starts a pool. Instances up to Config.Min are made in the background.
func New[I Instance](cfg Config[I]) *Pool[I] {
	cfg = cfg.withDefaults()
	p := &Pool[I]{
		cfg:     cfg,
		account: cfg.Slots.register(cfg.Name, cfg.Weight),
		kick:    make(chan struct{}, 1),
		quiet:   make(chan struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow()
	return p
}

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
	e, w, err := p.takeOrQueue()
	if err != nil {
		return Lease[I]{}, err
	}
	if w != nil {
		seat.Leave() // who waits for an instance has no slot
		return p.acquireSlowly(ctx, nil, w, nil)
	}
	turn, ok := seat.again(p.cfg.Slots, p.account, &e.lease.turn)
	if ok && turn == nil {
		return e.lend(time.Now()), nil
	}
	if !ok {
		if start, ok := p.cfg.Slots.try(p.account, &e.lease.turn); ok {
			return e.lend(start), nil
		}
	}
	return p.acquireSlowly(ctx, e, nil, turn)
}

// acquireSlowly waits for the instance, when there is none yet, and for the slot,
// in whose queue it may be already.
func (p *Pool[I]) acquireSlowly(ctx context.Context, e *entry[I], w *waiter[I], turn *slotWaiter) (Lease[I], error) {
	if p.cfg.QueueTimeout > 0 {
		bounded, cancel := context.WithTimeoutCause(ctx, p.cfg.QueueTimeout, ErrQueueTimeout)
		defer cancel()
		ctx = bounded
	}
	began := time.Now()
	var err error
	if w != nil {
		if e, err = p.wait(ctx, w); err != nil {
			return Lease[I]{}, p.gaveUp(err)
		}
	}
	start, err := p.cfg.Slots.takeIn(ctx, p.account, &e.lease.turn, turn)
	if err != nil {
		p.put(e)
		return Lease[I]{}, p.gaveUp(context.Cause(ctx))
	}
	p.waited(start.Sub(began))
	return e.lend(start), nil
}

// takeOrQueue returns the warmest idle instance, or a place in the queue.
func (p *Pool[I]) takeOrQueue() (*entry[I], *waiter[I], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != open {
		return nil, nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		e := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.begin(e)
		return e, nil, nil
	}
	if err := p.refusal(); err != nil {
		return nil, nil, err
	}
	w := &waiter[I]{ready: make(chan struct{})}
	p.queue.push(w)
	p.grow()
	return nil, w, nil
}

// refusal says why nobody may join the queue, nil when there is a place.
func (p *Pool[I]) refusal() error {
	if p.live == 0 && p.failures > 0 {
		if wait := time.Until(p.retryAt); wait > 0 {
			return p.createError(wait)
		}
	}
	coming := p.creating + p.settling + p.cfg.Max - p.live
	if p.queue.length >= p.cfg.QueueLength+coming {
		p.counters.queueFull++
		return ErrQueueFull
	}
	return nil
}

// wait returns the instance that Release or a creation handed to w.
func (p *Pool[I]) wait(ctx context.Context, w *waiter[I]) (*entry[I], error) {
	select {
	case <-w.ready:
		return w.entry, w.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	left := p.queue.remove(w)
	p.settle()
	p.mu.Unlock()
	if !left && w.entry != nil {
		p.put(w.entry)
	}
	return nil, context.Cause(ctx)
}

// begin marks an idle, new or handed-over entry as leased.
func (p *Pool[I]) begin(e *entry[I]) {
	if e.state == Idle || e.state == Creating {
		p.busy++
	}
	p.move(e, Busy)
}

// move makes one step of the state table.
func (p *Pool[I]) move(e *entry[I], next State) {
	if !e.state.may(next) {
		panic("pool " + p.cfg.Name + ": illegal step from " + e.state.String() + " to " + next.String())
	}
	e.state = next
}

// put gives a clean instance to the next waiter, or to the idle stack.
func (p *Pool[I]) put(e *entry[I]) {
	if !p.offer(e) {
		p.drop(e, DiscardClosed)
	}
}

// offer is put for a pool that still serves; false when it does not.
func (p *Pool[I]) offer(e *entry[I]) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.queue.pop(); w != nil {
		p.begin(e)
		w.entry = e
		close(w.ready)
		return true
	}
	if p.phase != open {
		return false
	}
	if e.state == Busy || e.state == Resetting {
		p.busy--
	}
	p.move(e, Idle)
	e.idleFrom = time.Now()
	p.idle = append(p.idle, e)
	return true
}

// drop closes an instance that the caller owns: no lease, no stack has it. It
// counts as alive until its memory is free.
func (p *Pool[I]) drop(e *entry[I], why Discard) {
	p.mu.Lock()
	if e.state == Busy || e.state == Resetting {
		p.busy--
	}
	p.move(e, Closed)
	p.mu.Unlock()
	err := e.instance.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live--
	p.counters.discarded[why]++
	if err != nil {
		p.counters.closeErrors++
	}
	p.grow()
	p.settle()
}

// settle tells Drain when nothing is left to wait for.
func (p *Pool[I]) settle() {
	if p.phase != draining || p.busy > 0 || !p.queue.empty() {
		return
	}
	select {
	case <-p.quiet:
	default:
		close(p.quiet)
	}
}

// requestLimit is MaxRequests less up to a tenth, so that instances that
// started together do not end together.
func (p *Pool[I]) requestLimit() int {
	n := p.cfg.MaxRequests
	if n <= 0 {
		return 0
	}
	return n - rand.IntN(n/10+1)
}
