package pool

import (
	"context"
	"math/rand/v2"
	"slices"
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
	inTurn   int // callers that wait for a slot without an instance, see acquireInTurn
	live     int // instances in any state but closed
	creating int
	paused   int  // of those that are leased
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
	slot     int  // the last that it ran in; noSlot before
	paused   bool // its lease waits for something, without a slot
	limit    int  // requests after which it is replaced, 0 is no limit
	served   int

	lease leaseState // of the current lease
}

// waiter is a caller of Acquire in the queue. Exactly one of entry and err is
// set before ready is closed.
type waiter[I Instance] struct {
	links[waiter[I]]
	came  time.Time
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

// takeOrQueue returns the warmest idle instance for a slot, or a place in the queue.
func (p *Pool[I]) takeOrQueue(slot int) (*entry[I], *waiter[I], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != open {
		return nil, nil, ErrClosed
	}
	if e := p.pop(slot); e != nil {
		return e, nil, nil
	}
	if err := p.refusal(); err != nil {
		return nil, nil, err
	}
	return nil, p.queueUp(time.Now()), nil
}

// pop takes an idle instance: the one that has last run in a slot, or else the last
// used. A slot goes from hand to hand on one core, mostly, which has the memory of that
// instance in its cache: with the other's, Flask's requests took 5 % longer. nil is that
// there is none. Call it with mu held.
func (p *Pool[I]) pop(slot int) *entry[I] {
	at := len(p.idle) - 1
	if at < 0 {
		return nil
	}
	for i := at; slot != noSlot && i >= 0 && i > at-p.cfg.Slots.size; i-- {
		if p.idle[i].slot == slot {
			at = i
			break
		}
	}
	e := p.idle[at]
	p.idle = slices.Delete(p.idle, at, at+1)
	p.begin(e)
	return e
}

// queueUp makes a waiter, behind those who came before. Call it with mu held.
func (p *Pool[I]) queueUp(came time.Time) *waiter[I] {
	w := &waiter[I]{came: came, ready: make(chan struct{})}
	p.queue.insert(w, func(other *waiter[I]) bool { return other.came.After(came) })
	p.grow()
	if p.failures > 0 {
		p.wake() // the janitor has to know that the next attempt is wanted
	}
	return w
}

// refusal says why nobody may join the queue, nil when there is a place.
func (p *Pool[I]) refusal() error {
	if err := p.broken(); err != nil {
		return err
	}
	coming := len(p.idle) + p.creating + p.settling + p.cfg.Max - p.live
	if p.queue.length+p.inTurn >= p.cfg.QueueLength+coming {
		p.counters.queueFull++
		return ErrQueueFull
	}
	return nil
}

// broken is the error of the last creation while there is no instance and none is
// tried.
func (p *Pool[I]) broken() error {
	if p.live > 0 || p.failures == 0 {
		return nil
	}
	if wait := time.Until(p.retryAt); wait > 0 {
		return p.createError(wait)
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
	if p.phase == closed || p.phase == draining && p.inTurn == 0 {
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
	if p.phase != draining || p.busy > 0 || !p.queue.empty() || p.inTurn > 0 {
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
