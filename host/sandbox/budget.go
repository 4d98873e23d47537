package sandbox

import (
	"errors"
	"sync/atomic"
)

// errNoMemory: a budget is used up.
var errNoMemory = errors.New("the memory of the tenant or of the host is used up")

// Budget bounds memory that nobody else can use: what instances have beyond
// their snapshots, and snapshots in RAM. Budgets form a tree, and what is taken
// from one is taken from all above it. A nil budget has no limit. Budgets are
// safe for concurrent use.
type Budget struct {
	parent *Budget
	limit  uint64
	used   atomic.Uint64
}

// NewBudget returns a budget of limit bytes within parent, which may be nil.
// A limit of 0 leaves it to the parent.
func NewBudget(limit uint64, parent *Budget) *Budget {
	return &Budget{parent: parent, limit: limit}
}

// Parent is the budget that this one is a part of, nil for none.
func (b *Budget) Parent() *Budget {
	if b == nil {
		return nil
	}
	return b.parent
}

// Take books n bytes, or nothing and is false when a limit is in the way. An
// eighth of each limit is not for growing but for new and small instances, so
// that those who take all there is keep nobody from being served.
func (b *Budget) Take(n uint64) bool { return b.take(n, 1) }

// TakeReserve is Take with that eighth. It is for what is new, or small.
func (b *Budget) TakeReserve(n uint64) bool { return b.take(n, 0) }

func (b *Budget) take(n, eighths uint64) bool {
	if b == nil {
		return true
	}
	if used := b.used.Add(n); b.limit != 0 && used > b.limit-b.limit/8*eighths || !b.parent.take(n, eighths) {
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
