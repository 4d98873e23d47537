package pool

import "time"

// turn is one holding of a slot. It is on Slots.turns while it has the slot.
type turn struct {
	links[turn]
	since  time.Time // when it was last known to move on
	looked time.Time // when its slot last had a look, see Seat
	slot   int       // which one it is, or was
}

// overdue is how Slots takes a slot from a holder that does not come by any
// more: it waits for a disk, or for a worker process that says nothing. Holders
// are to Yield every few milliseconds. One that has not for patience goes on
// without its slot, until it asks for the next turn; its time is booked all the
// same.
type overdue struct {
	patience time.Duration     // 0 is for ever
	turns    list[turn, *turn] // the longest silent first
	timer    *time.Timer       // nil before somebody waited
	armed    bool
}

// WithPatience sets after how long of silence a holder of a slot loses it to
// those who wait. It is called before the slots are used, and returns them.
func (s *Slots) WithPatience(d time.Duration) *Slots {
	s.patience = d
	return s
}

// begin notes that a turn has the slot, from now on. Call it with mu held.
func (s *Slots) begin(t *turn) time.Time {
	t.since = time.Now()
	s.turns.push(t)
	return t.since
}

// watch has expire called when the first turn can be overdue. Call it with mu
// held, when somebody waits.
func (s *Slots) watch() {
	if s.patience <= 0 || s.armed || s.turns.empty() {
		return
	}
	s.armed = true
	left := max(s.patience-time.Since(s.turns.head.since), time.Millisecond)
	if s.timer == nil {
		s.timer = time.AfterFunc(left, s.expire)
		return
	}
	s.timer.Reset(left)
}

// expire gives the slots of overdue turns to those who wait.
func (s *Slots) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = false
	for !s.turns.empty() && len(s.waiting) > 0 && time.Since(s.turns.head.since) >= s.patience {
		s.start(s.waiting[0], s.turns.pop())
	}
	if len(s.waiting) > 0 {
		s.watch()
	}
}
