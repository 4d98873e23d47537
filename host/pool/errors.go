package pool

import (
	"errors"
	"fmt"
	"time"
)

// Errors of Acquire. Compare with errors.Is. The error of a context that ended
// while waiting is returned as it is.
var (
	// ErrQueueFull says that QueueLength callers wait already.
	ErrQueueFull = errors.New("pool: queue is full")
	// ErrQueueTimeout says that no instance or CPU slot came free within QueueTimeout.
	ErrQueueTimeout = errors.New("pool: waited longer than the queue timeout")
	// ErrClosed says that the pool drains or is closed: a newer release serves.
	ErrClosed = errors.New("pool: closed")
)

// CreateError says that no instance could be made, and when the next attempt
// is allowed. Until then Acquire fails with it at once, unless instances made
// earlier are alive.
type CreateError struct {
	Pool       string        // Config.Name
	Failures   int           // attempts in a row that failed, 1 or more
	RetryAfter time.Duration // from now to the next attempt, never negative
	Err        error         // what Config.New returned
}

// Error names the pool and the cause.
func (e *CreateError) Error() string {
	return fmt.Sprintf("pool %s: cannot make an instance (%d in a row, next attempt in %s): %v",
		e.Pool, e.Failures, e.RetryAfter.Round(time.Millisecond), e.Err)
}

// Unwrap gives what Config.New returned.
func (e *CreateError) Unwrap() error { return e.Err }
