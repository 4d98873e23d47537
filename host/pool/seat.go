package pool

import (
	"sync"
	"time"
)

// lookEvery is how long a slot goes from client to client without a look at who
// else has come. Measured with bare WSGI at 16 connections: 100 µs cost 5 to 10 %
// of the requests, 300 and 500 µs nothing; p99 of Flask was the same with all.
const lookEvery = 400 * time.Microsecond

// Seat keeps the CPU slot of a client's last request, and an instance that is to
// be reset, until that is answered and the next one has come, or is waited for.
// Meanwhile others queue up, which makes their order theirs and not the Go
// scheduler's. The zero value is a seat with neither, and so is nil.
type Seat struct {
	mu      sync.Mutex // taken before Slots.mu; not held while due runs
	slots   *Slots
	due     func()   // ends the lease; nil after that
	lent    *turn    // of the lease
	account *account // whose turn it is; nil without a slot of the seat's own
	turn    turn
	start   time.Time
}

// Settle ends the lease of the last request, and leaves its CPU slot to the seat.
// It is to be called when another request begins, whatever that is for, and may
// be called at any time.
func (s *Seat) Settle() {
	if s == nil {
		return
	}
	s.lookAround()
	s.mu.Lock()
	due := s.due
	s.due, s.lent = nil, nil
	s.mu.Unlock()
	if due != nil {
		due()
	}
}

// later has the lease that holds the turn t ended by Settle.
func (s *Seat) later(slots *Slots, t *turn, end func()) {
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots, s.lent, s.due = slots, t, end
}

// lookAround has the others come before the slot goes on.
func (s *Seat) lookAround() {
	s.mu.Lock()
	slots, t := s.slots, s.lent
	if t == nil && s.account != nil {
		t = &s.turn
	}
	s.mu.Unlock()
	if t != nil && slots.lookIsDue(t) {
		slots.look()
	}
}

// Leave settles and gives the slot back. It is to be called before the client is
// waited for, at the latest when it has gone, and may be called at any time.
func (s *Seat) Leave() {
	if s == nil {
		return
	}
	s.Settle()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != nil {
		s.slots.give(s.account, &s.turn, time.Since(s.start))
		s.account = nil
	}
}

// keep takes over the turn of a lease.
func (s *Seat) keep(slots *Slots, a *account, t *turn, start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != nil || !slots.move(t, &s.turn) { // somebody else has it, but its time is booked
		slots.give(a, t, time.Since(start))
		return
	}
	s.slots, s.account, s.start = slots, a, start
}

// again asks for another turn, behind those of a who wait. ok is false without a
// slot to start from; otherwise a nil waiter has the turn already.
func (s *Seat) again(slots *Slots, a *account, t *turn) (w *slotWaiter, ok bool) {
	if s == nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil {
		return nil, false
	}
	before, held := s.account, time.Since(s.start)
	s.account = nil
	if before != a { // the client calls another tenant now
		s.slots.give(before, &s.turn, held)
		return nil, false
	}
	return slots.again(a, &s.turn, t, held), true
}

// WithLook sets what lets those come who are ready and do not know it: clients
// whose request lies in its socket, where Go looks when a processor has nothing
// else to do. A seat calls it now and then before its slot goes on. It is called
// before the slots are used, and returns them.
func (s *Slots) WithLook(look func()) *Slots {
	s.look = look
	return s
}

// lookIsDue says whether the last look of a turn's slot was some time ago, once.
func (s *Slots) lookIsDue(t *turn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.look == nil || now.Sub(t.looked) < lookEvery {
		return false
	}
	t.looked = now
	return true
}

// move gives the slot of one turn to another; false when it has gone to somebody
// else.
func (s *Slots) move(from, to *turn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.turns.remove(from) {
		return false
	}
	to.looked = from.looked
	s.begin(to)
	return true
}

// again ends the turn from, which lasted held, and queues for another one. nil
// means that t has the slot.
func (s *Slots) again(a *account, from, t *turn, held time.Duration) *slotWaiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent(a, held)
	t.looked = from.looked
	switch {
	case !s.turns.remove(from): // its slot has gone to another
		return s.freeOrQueue(a, t, (*slotQueue).push)
	case len(s.waiting) == 0, a.queue.empty() && a.used < s.waiting[0].used:
		a.charge(s.virtual)
		s.begin(t)
		return nil
	}
	w := s.queueUp(a, t, (*slotQueue).push)
	s.start(s.waiting[0], from)
	return w
}
