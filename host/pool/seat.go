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
	s.give()
}

// give gives the slot back, if the seat has one.
func (s *Seat) give() {
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
	if s.account == nil {
		if _, ok := slots.move(t, &s.turn); ok {
			s.slots, s.account, s.start = slots, a, start
			return
		}
	}
	slots.give(a, t, time.Since(start)) // somebody else has it, but its time is booked
}

// noSlot is no index of a slot.
const noSlot = -1

// again asks for another turn, behind those of a who wait. The seat keeps its slot, w
// waits for one, or there was none to start from: noSlot and nil.
func (s *Seat) again(slots *Slots, a *account) (slot int, w *slotWaiter) {
	if s == nil {
		return noSlot, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil {
		return noSlot, nil
	}
	before, now := s.account, time.Now()
	held := now.Sub(s.start)
	s.account = nil
	if before != a { // the client calls another tenant now
		s.slots.give(before, &s.turn, held)
		return noSlot, nil
	}
	if w = slots.again(a, &s.turn, held); w != nil {
		return noSlot, w
	}
	s.account, s.start = a, now
	return s.turn.slot, nil
}

// pass gives the slot that again has kept to the turn of a lease, which began with it.
func (s *Seat) pass(t *turn) (start time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil { // the client has gone
		return time.Time{}, false
	}
	_, ok = s.slots.move(&s.turn, t)
	s.account = nil
	return s.start, ok
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
func (s *Slots) move(from, to *turn) (start time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.turns.remove(from) {
		return time.Time{}, false
	}
	to.looked, to.slot = from.looked, from.slot
	return s.begin(to), true
}

// again ends a turn, which lasted held, and queues for another one. nil means that it
// goes on.
func (s *Slots) again(a *account, t *turn, held time.Duration) *slotWaiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spent(a, held)
	has := s.turns.remove(t) // or its slot has gone to another
	switch {
	case has && (len(s.waiting) == 0 || a.queue.empty() && a.used < s.waiting[0].used):
		a.charge(s.virtual)
		s.begin(t)
		return nil
	case !has && len(s.unused) > 0:
		s.occupy(a, t)
		return nil
	}
	w := s.queueUp(a, nil, time.Now()) // the seat may be left meanwhile
	if has {
		s.start(s.waiting[0], t)
	}
	return w
}

// line queues for a slot; nil means that there is no need to.
func (s *Slots) line(a *account, came time.Time) *slotWaiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unused) > 0 {
		return nil
	}
	return s.queueUp(a, nil, came)
}

// quit gives up what a waiter has, or waits for.
func (s *Slots) quit(a *account, w *slotWaiter) {
	if !s.leave(a, w) {
		s.give(a, w.turn, 0)
	}
}
