package spool

import "sync/atomic"

// budget counts what is taken of a size that all bodies share, and of the
// budget that it is a share of.
type budget struct {
	size  int64
	taken atomic.Int64
	whole *budget // nil for none
}

func (b *budget) take(n int64) bool {
	if b == nil {
		return true
	}
	if b.taken.Add(n) > b.size || !b.whole.take(n) {
		b.taken.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) {
	for ; b != nil; b = b.whole {
		b.taken.Add(-n)
	}
}

// share is a part of b.
func (b *budget) share(size int64) *budget { return &budget{size: min(size, b.size), whole: b} }
