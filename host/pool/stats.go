package pool

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Discard says why an instance was closed.
type Discard uint8

// Reasons to close an instance.
const (
	keep            Discard = iota
	DiscardCaller           // Lease.Discard
	DiscardUnusable         // Usable was false after a lease
	DiscardReset            // Reset failed
	DiscardWorn             // MaxRequests
	DiscardAged             // MaxAge
	DiscardMemory           // TooLarge
	DiscardIdle             // IdleTimeout
	DiscardPressure         // Trim
	DiscardClosed           // the pool drained or closed
	discardCount
)

// String is the lower-case word for metrics.
func (d Discard) String() string {
	switch d {
	case keep:
		return "keep"
	case DiscardCaller:
		return "caller"
	case DiscardUnusable:
		return "unusable"
	case DiscardReset:
		return "reset"
	case DiscardWorn:
		return "worn"
	case DiscardAged:
		return "aged"
	case DiscardMemory:
		return "memory"
	case DiscardIdle:
		return "idle"
	case DiscardPressure:
		return "pressure"
	case DiscardClosed:
		return "closed"
	}
	return fmt.Sprintf("Discard(%d)", uint8(d))
}

// Stats is a snapshot of a pool for metrics. Counters never go back.
type Stats struct {
	Idle, Busy, Creating int // instances; Busy includes those being reset
	Waiting              int // callers in the queue

	Created      uint64 // instances made
	CreateFailed uint64 // calls of New that failed
	Discarded    uint64 // instances closed, for any reason
	Requests     uint64 // leases ended
	QueueFull    uint64 // callers refused because the queue was full
	TimedOut     uint64 // callers that waited longer than QueueTimeout
	GaveUp       uint64 // callers whose context ended in the queue
	CloseErrors  uint64 // Close calls that failed

	Queued    uint64            // callers that waited and were served
	QueueTime time.Duration     // what they waited, added up
	Reasons   map[string]uint64 // Discarded by reason; see Discard.String
}

type counters struct {
	requests                         atomic.Uint64
	created, createFailed, queueFull uint64
	timedOut, gaveUp, closeErrors    uint64
	queued                           uint64
	queueTime                        time.Duration
	discarded                        [discardCount]uint64
}

// Stats reads the counters.
func (p *Pool[I]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.counters
	s := Stats{
		Idle: len(p.idle), Busy: p.busy, Creating: p.creating, Waiting: p.queue.length + p.inTurn,
		Created: c.created, CreateFailed: c.createFailed, Requests: c.requests.Load(),
		QueueFull: c.queueFull, TimedOut: c.timedOut, GaveUp: c.gaveUp, CloseErrors: c.closeErrors,
		Queued: c.queued, QueueTime: c.queueTime,
		Reasons: make(map[string]uint64, discardCount-1),
	}
	for why := DiscardCaller; why < discardCount; why++ {
		s.Reasons[why.String()] = c.discarded[why]
		s.Discarded += c.discarded[why]
	}
	return s
}

// waited counts a caller that was served after a wait.
func (p *Pool[I]) waited(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counters.queued++
	p.counters.queueTime += d
}

// gaveUp counts a caller that was not served, and passes its error on.
func (p *Pool[I]) gaveUp(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed *CreateError
	switch {
	case errors.Is(err, ErrQueueTimeout):
		p.counters.timedOut++
	case !errors.Is(err, ErrClosed) && !errors.As(err, &failed):
		p.counters.gaveUp++
	}
	return err
}
