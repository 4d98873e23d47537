package pool

import (
	"context"
	"runtime"
	"time"
)

// Instance is what a pool lends. Its methods are never called by two
// goroutines at once and never under a lock of the pool.
type Instance interface {
	// Reset puts the instance back to its first state. It is called after a
	// lease of a Fresh pool ended; an error closes the instance.
	Reset() error
	// Usable is false after anything that makes further use unsafe: a trap, an
	// exit, an overrun. The pool then closes the instance.
	Usable() bool
	// Close frees what the instance holds. It is called exactly once.
	Close() error
}

// Config of one pool. New and Slots are required; everything else has a
// sensible zero.
type Config[I Instance] struct {
	// Name of the tenant, for errors and for fairness between pools.
	Name string
	// New makes one instance. It must return soon after ctx ends, which it
	// does when the pool closes. Up to Creators calls run at once.
	New func(ctx context.Context) (I, error)
	// Prepare, when set, is called before New without a CPU slot, for what New
	// would only wait for. Its errors are New's.
	Prepare func(ctx context.Context) error
	// Slots that all pools of the host share.
	Slots *Slots
	// Weight of this pool where slots are scarce: twice the weight, twice the
	// slot time. Less than 1 counts as 1.
	Weight int
	// Min instances are kept alive, even idle.
	Min int
	// Max instances exist at once; less than 1 counts as the number of cores.
	// Min is cut to it.
	Max int
	// Creators is how many New may run at once; less than 1 counts as 2.
	Creators int
	// QueueLength is how many callers may wait for an instance; 0 means that
	// nobody waits beyond those whose instance is being made.
	QueueLength int
	// QueueTimeout bounds the wait for an instance and a slot together; 0 is
	// no bound but the caller's context.
	QueueTimeout time.Duration
	// MaxRequests an instance serves before it is replaced, less up to a tenth
	// at random so that instances do not end together; 0 is no limit.
	MaxRequests int
	// MaxAge after which an instance is replaced, when it is next idle; 0 is
	// no limit.
	MaxAge time.Duration
	// TooLarge, when set, is asked after each lease whether the instance takes so
	// much memory that another one is to take its place.
	TooLarge func(I) bool
	// IdleTimeout after which an instance above Min is closed; 0 is never.
	IdleTimeout time.Duration
	// Fresh calls Reset between any two leases of an instance.
	Fresh bool
	// BackoffMin and BackoffMax bound the pause after a New that failed. It
	// doubles with every failure in a row. 0 counts as 250 ms and 30 s.
	BackoffMin, BackoffMax time.Duration
}

// withDefaults replaces the zeros that have another meaning.
func (c Config[I]) withDefaults() Config[I] {
	if c.Max < 1 {
		c.Max = runtime.NumCPU()
	}
	if c.Creators < 1 {
		c.Creators = 2
	}
	if c.BackoffMin <= 0 {
		c.BackoffMin = 250 * time.Millisecond
	}
	if c.BackoffMax <= 0 {
		c.BackoffMax = 30 * time.Second
	}
	c.BackoffMax = max(c.BackoffMax, c.BackoffMin)
	c.Weight = max(c.Weight, 1)
	c.Min = min(max(c.Min, 0), c.Max)
	c.QueueLength = max(c.QueueLength, 0)
	return c
}
