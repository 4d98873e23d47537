package sandbox

import (
	"errors"
	"runtime"
	"sync/atomic"
)

// errNoMemory: a budget is used up.
var errNoMemory = errors.New("the memory of the tenant or of the host is used up")

// Budget bounds memory that nobody else can use: what instances have beyond
// their snapshots, and snapshots in RAM. Budgets form a tree, and what is taken
// from one is taken from all above it. A nil budget has no limit. Budgets are
// safe for concurrent use.
type Budget struct {
	parent  *Budget
	limit   uint64
	used    atomic.Uint64
	garbage atomic.Uint64 // the part of used that the collector has to find
	relief  func() bool   // nil: there is none
}

// NewBudget returns a budget of limit bytes within parent, which may be nil.
// A limit of 0 leaves it to the parent.
func NewBudget(limit uint64, parent *Budget) *Budget {
	return &Budget{parent: parent, limit: limit}
}

// WithRelief has a Take that the limits refuse call relief, once, before it is false.
// relief gives back at once what its owner can do without, and is false when that
// is nothing. It is called on the goroutine of whoever takes, a guest's too, in the
// middle of its call. Set it before the budget is used.
func (b *Budget) WithRelief(relief func() bool) *Budget {
	b.relief = relief
	return b
}

// Parent is the budget that this one is a part of, nil for none.
func (b *Budget) Parent() *Budget {
	if b == nil {
		return nil
	}
	return b.parent
}

// use is what memory is booked for: how much of a limit is not for it.
type use int

const (
	forNew     use = iota // what is new, or small: all is for it
	forWritten            // what an instance has written to, and ends for if it may not
	forGrown              // what a guest asks for and sees refused
)

// reserve is the part of b's limit that is kept from u. It keeps tenants from one
// another: within its own limit one is not ended to have room for more of itself.
func (b *Budget) reserve(u use) uint64 {
	switch {
	case u == forGrown:
		return b.limit / 8
	case u == forWritten && b.parent == nil:
		return b.limit / 16
	}
	return 0
}

// Take books n bytes, or nothing and is false when a limit is in the way. An
// eighth of each limit is not for growing but for new and small instances, so
// that those who take all there is keep nobody from being served.
func (b *Budget) Take(n uint64) bool { return b.takeOrRelieve(n, forGrown) }

// TakeWritten is Take with all of that eighth in the budgets of tenants, and half
// of it in the host's. It is for what an instance has already made its own: one
// that has grown as far as it may and caught its MemoryError shall go on.
func (b *Budget) TakeWritten(n uint64) bool { return b.takeOrRelieve(n, forWritten) }

// TakeReserve is Take with that eighth. It is for what is new, or small: what
// waits for the collector is not in its way.
func (b *Budget) TakeReserve(n uint64) bool { return b.takeOrRelieve(n, forNew) }

func (b *Budget) takeOrRelieve(n uint64, u use) bool {
	if b.take(n, u) {
		return true
	}
	return b.relief != nil && b.hasEver(n, u) && b.relief() && b.take(n, u)
}

// hasEver says whether n bytes could be had if nothing else were booked.
func (b *Budget) hasEver(n uint64, u use) bool {
	for ; b != nil; b = b.parent {
		if b.limit != 0 && n > b.limit-b.reserve(u) {
			return false
		}
	}
	return true
}

func (b *Budget) take(n uint64, u use) bool {
	if b == nil {
		return true
	}
	most := b.limit - b.reserve(u)
	if u == forNew {
		most += b.garbage.Load()
	}
	if used := b.used.Add(n); b.limit != 0 && used > most || !b.parent.take(n, u) {
		b.used.Add(-n)
		return false
	}
	return true
}

// Give takes n bytes back that Take has booked.
func (b *Budget) Give(n uint64) {
	for ; b != nil; b = b.parent {
		b.used.Add(-n)
	}
}

// GiveLater is Give for memory of Go's heap: it stays booked until the collector
// has run, because only then somebody else can have it.
func (b *Budget) GiveLater(n uint64) {
	if b == nil || n == 0 {
		return
	}
	b.addGarbage(n)
	runtime.AddCleanup(new(garbageMark), func(n uint64) {
		b.Give(n) // first: where there is no garbage, what is used is used
		b.addGarbage(-n)
	}, n)
}

// garbageMark is garbage itself. It has more than 16 bytes, because the
// collector finds smaller ones late.
type garbageMark [4]uint64

func (b *Budget) addGarbage(n uint64) {
	for ; b != nil; b = b.parent {
		b.garbage.Add(n)
	}
}

// owe books n bytes, whatever the limits say: they are taken already.
func (b *Budget) owe(n uint64) {
	for ; b != nil; b = b.parent {
		b.used.Add(n)
	}
}

// Garbage is how many of the booked bytes wait for the collector.
func (b *Budget) Garbage() uint64 {
	if b == nil {
		return 0
	}
	return b.garbage.Load()
}

// Used is what is booked, in bytes.
func (b *Budget) Used() uint64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Limit is the limit in bytes, 0 for none.
func (b *Budget) Limit() uint64 {
	if b == nil {
		return 0
	}
	return b.limit
}
