package host

import (
	"context"
	"sync"
	"time"
)

// callContext is a context.WithDeadline of a call into a guest. It makes a timer and a
// channel only for who waits for its end: most calls end long before, with nobody who
// does. The meter asks for the time by itself. It is used once.
type callContext struct {
	parent   context.Context
	deadline time.Time

	mu      sync.Mutex
	over    bool            // end was called
	waiting context.Context // the same one of package context; nil until somebody waits
	cancel  context.CancelFunc
}

// begin starts the one call.
func (c *callContext) begin(parent context.Context, timeout time.Duration) {
	c.parent, c.deadline = parent, time.Now().Add(timeout)
	if d, ok := parent.Deadline(); ok && d.Before(c.deadline) {
		c.deadline = d
	}
}

// end cancels the context.
func (c *callContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline implements context.Context.
func (c *callContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Value implements context.Context.
func (c *callContext) Value(key any) any { return c.parent.Value(key) }

// Done implements context.Context.
func (c *callContext) Done() <-chan struct{} { return c.wait().Done() }

// AfterFunc is what context.AfterFunc asks for: a context that is none of package
// context's own costs a goroutine otherwise.
func (c *callContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.wait(), f) }

// Err implements context.Context.
func (c *callContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.waiting != nil:
		return c.waiting.Err()
	case c.parent.Err() != nil:
		return c.parent.Err()
	case c.over:
		return context.Canceled
	case time.Until(c.deadline) > 0:
		return nil
	}
	c.make() // so that the answer stays
	return context.DeadlineExceeded
}

func (c *callContext) wait() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		c.make()
	}
	return c.waiting
}

// make hands over to package context. Call it with mu held.
func (c *callContext) make() {
	c.waiting, c.cancel = context.WithDeadline(c.parent, c.deadline)
	if c.over {
		c.cancel()
	}
}
