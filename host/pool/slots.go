package pool

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// quantum is what a turn costs before its length is known, so that a name
// cannot take every slot before the first of its turns ends.
const quantum = 100 * time.Microsecond

// Slots is the number of guests that may run at once on this host, shared by
// all pools. When slots are scarce, the waiting name that has used the least
// slot time for its weight goes next (virtual time); inside a name it is first
// come, first served. The zero value is not usable; see NewSlots.
type Slots struct {
	mu       sync.Mutex // guards all below and every account; never held with Pool.mu
	unused   []int      // slots that nobody holds, the last used at the end
	size     int
	virtual  time.Duration // start of the last turn given to a waiter; never goes back
	accounts map[string]*account
	waiting  accountHeap // accounts that have waiters, least virtual time first
	waiters  int
	look     func()    // see WithLook; nil is none
	looked   time.Time // when the slot that was freed last had a look
	overdue
}

// SlotStats is a snapshot for metrics.
type SlotStats struct {
	Size    int // slots in all
	Running int // slots held
	Waiting int // callers that wait for one
	Names   int // names that hold, wait or are registered by a pool
}

// NewSlots makes n slots; less than 1 counts as 1. The usual n is the number
// of cores.
func NewSlots(n int) *Slots {
	n = max(n, 1)
	s := &Slots{size: n, accounts: map[string]*account{}}
	for slot := range n {
		s.unused = append(s.unused, slot)
	}
	return s
}

// Acquire takes a slot for name, waiting for its turn. The release function
// gives it back; further calls of it do nothing. The only errors are ctx's.
func (s *Slots) Acquire(ctx context.Context, name string) (release func(), err error) {
	a, t := s.register(name, 0), new(turn)
	start, err := s.take(ctx, a, t)
	if err != nil {
		s.unregister(a)
		return nil, err
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			s.give(a, t, time.Since(start))
			s.unregister(a)
		})
	}, nil
}

// Stats reads the counters.
func (s *Slots) Stats() SlotStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SlotStats{Size: s.size, Running: s.size - len(s.unused), Waiting: s.waiters, Names: len(s.accounts)}
}

// register returns the account of name and keeps it until unregister. A weight
// of 1 or more replaces the one that the account has.
func (s *Slots) register(name string, weight int) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[name]
	if a == nil {
		a = &account{name: name, weight: 1, used: s.virtual, position: -1}
		s.accounts[name] = a
	}
	if weight > 0 {
		a.weight = time.Duration(weight)
	}
	a.users++
	return a
}

func (s *Slots) unregister(a *account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.users--; a.users == 0 {
		delete(s.accounts, a.name)
	}
}

// take waits for a slot and returns the time at which the turn started.
func (s *Slots) take(ctx context.Context, a *account, t *turn) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	return s.await(ctx, a, s.takeOrQueue(a, t, time.Now()))
}

// await waits for a waiter's turn; nil has it already.
func (s *Slots) await(ctx context.Context, a *account, w *slotWaiter) (time.Time, error) {
	if w == nil {
		return time.Now(), nil
	}
	select {
	case <-w.granted:
		return time.Now(), nil
	case <-ctx.Done():
	}
	s.quit(a, w)
	return time.Time{}, ctx.Err()
}

// try takes a slot only if one is free now.
func (s *Slots) try(a *account, t *turn) (start time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unused) == 0 {
		return time.Time{}, false
	}
	s.occupy(a, t)
	return t.since, true
}

// takeOrQueue takes a free slot and returns nil, or queues a waiter that came then.
func (s *Slots) takeOrQueue(a *account, t *turn, came time.Time) *slotWaiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.freeOrQueue(a, t, came)
}

func (s *Slots) freeOrQueue(a *account, t *turn, came time.Time) *slotWaiter {
	if len(s.unused) > 0 {
		s.occupy(a, t)
		return nil
	}
	return s.queueUp(a, t, came)
}

// occupy takes a slot that is free.
func (s *Slots) occupy(a *account, t *turn) {
	last := len(s.unused) - 1
	t.slot, s.unused = s.unused[last], s.unused[:last]
	a.charge(s.virtual)
	t.looked = s.looked
	s.begin(t)
}

// slotQueue holds the waiters of one name.
type slotQueue = list[slotWaiter, *slotWaiter]

// begun is the time at which who yields came.
func begun() time.Time { return time.Time{} }

// queueUp makes a waiter of an account and puts it into its queue, behind those who came
// before; begun is before all who have not begun. A nil turn is one of its own.
func (s *Slots) queueUp(a *account, t *turn, came time.Time) *slotWaiter {
	w := &slotWaiter{turn: t, came: came, granted: make(chan struct{})}
	if t == nil {
		w.turn = &w.own
	}
	if a.queue.empty() {
		a.used = max(a.used, s.virtual)
		heap.Push(&s.waiting, a)
	}
	if came == begun() {
		a.queue.pushFront(w)
	} else {
		a.queue.insert(w, func(other *slotWaiter) bool { return other.came.After(came) })
	}
	s.waiters++
	s.watch()
	return w
}

// give ends a turn that lasted held and starts the next one.
func (s *Slots) give(a *account, t *turn, held time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent(a, held)
	switch {
	case !s.turns.remove(t): // its slot has gone to another
	case len(s.waiting) == 0:
		s.unused = append(s.unused, t.slot)
		s.looked = t.looked
	default:
		s.start(s.waiting[0], t)
	}
}

// spent books a turn that lasted held.
func (s *Slots) spent(a *account, held time.Duration) { s.book(a, max(held-quantum, 0)) }

// book adds to what an account has used. Call it with mu held.
func (s *Slots) book(a *account, d time.Duration) {
	a.used += d / a.weight
	if a.position >= 0 {
		heap.Fix(&s.waiting, a.position)
	}
}

// refuse gives back a turn that was of no use, and what it cost.
func (s *Slots) refuse(a *account, t *turn) {
	s.mu.Lock()
	s.book(a, -quantum)
	s.mu.Unlock()
	s.give(a, t, 0)
}

// start gives the next waiter of an account the slot of the turn before.
func (s *Slots) start(next *account, before *turn) {
	w := next.queue.pop()
	w.turn.looked, w.turn.slot = before.looked, before.slot
	s.waiters--
	s.virtual = max(s.virtual, next.used)
	next.charge(s.virtual)
	s.requeue(next)
	s.begin(w.turn)
	close(w.granted)
}

// yield ends a turn that lasted held where others have used less, and queues
// for the next one; nil means that the turn goes on.
func (s *Slots) yield(a *account, t *turn, held time.Duration) *slotWaiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent(a, held)
	switch {
	case !s.turns.remove(t): // its slot has gone to another
		return s.freeOrQueue(a, t, begun())
	case len(s.waiting) == 0 || s.waiting[0] == a || s.waiting[0].used >= a.used:
		s.book(a, quantum)
		s.begin(t)
		return nil
	}
	s.start(s.waiting[0], t)
	return s.queueUp(a, t, begun())
}

// leave takes a waiter out of the queue; false when it was granted before.
func (s *Slots) leave(a *account, w *slotWaiter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.queue.remove(w) {
		return false
	}
	s.waiters--
	s.requeue(a)
	return true
}

// requeue puts a waiting account where its virtual time belongs.
func (s *Slots) requeue(a *account) {
	if a.queue.empty() {
		heap.Remove(&s.waiting, a.position)
		return
	}
	heap.Fix(&s.waiting, a.position)
}

// account is what one name has used and who of it waits.
type account struct {
	name     string
	weight   time.Duration // 1 or more; a plain factor, typed for the division
	used     time.Duration // virtual time: slot time divided by weight
	users    int
	position int // index in Slots.waiting, -1 outside
	queue    slotQueue
}

// charge books the start of a turn. A name that was away gets no credit for it.
func (a *account) charge(virtual time.Duration) {
	a.used = max(a.used, virtual) + quantum/a.weight
}

type slotWaiter struct {
	links[slotWaiter]
	turn    *turn
	own     turn // is turn for who waits without an instance
	came    time.Time
	granted chan struct{}
}

// accountHeap is a container/heap of waiting accounts.
type accountHeap []*account

func (h accountHeap) Len() int           { return len(h) }
func (h accountHeap) Less(i, j int) bool { return h[i].used < h[j].used }
func (h accountHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

// Push is part of heap.Interface.
func (h *accountHeap) Push(x any) {
	a := x.(*account)
	a.position = len(*h)
	*h = append(*h, a)
}

// Pop is part of heap.Interface.
func (h *accountHeap) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	a.position = -1
	return a
}
