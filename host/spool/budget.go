package spool

import "sync/atomic"

// budget counts what is taken of a size that all bodies share.
type budget struct {
	size  int64
	taken atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.taken.Add(n) > b.size {
		b.taken.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.taken.Add(-n) }
