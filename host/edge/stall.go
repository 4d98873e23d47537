package edge

import (
	"sync"
	"time"
)

// patience is how long a write may take before its request gives back the CPU
// slot. Giving it back at every write would send a streaming application to the
// end of the queue with each piece, though most writes only fill a socket
// buffer.
const patience = time.Millisecond

// stall tells a Blocker when a write takes longer than patience. The timer's
// goroutine and the writer meet under mu.
type stall struct {
	blocker Blocker
	timer   *time.Timer

	mu      sync.Mutex
	writing bool
	paused  bool
}

func (s *stall) begin() {
	if s.blocker == nil {
		return
	}
	s.mu.Lock()
	s.writing = true
	s.mu.Unlock()
	if s.timer == nil {
		s.timer = time.AfterFunc(patience, s.pause)
		return
	}
	s.timer.Reset(patience)
}

func (s *stall) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing && !s.paused {
		s.paused = true
		s.blocker.Pause()
	}
}

// end returns when the request may go on, or why it may not.
func (s *stall) end() error {
	if s.blocker == nil {
		return nil
	}
	s.timer.Stop()
	s.mu.Lock()
	paused := s.paused
	s.writing, s.paused = false, false
	s.mu.Unlock()
	if !paused {
		return nil
	}
	return s.blocker.Resume()
}
