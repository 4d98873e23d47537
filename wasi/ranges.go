package wasi

import (
	"math"

	"github.com/wasgi/wasgi/abi"
)

// lockRange is a range of bytes, without the one at end, and how it is locked: abi.LockShared and its kind.
type lockRange struct {
	start, end int64
	kind       uint32
}

// endOf is where a range of this length ends; none at all is up to the last byte that a file can have.
func endOf(start, length int64) int64 {
	if length == 0 {
		return math.MaxInt64
	}
	return start + length
}

// lengthTo is the length for endOf.
func lengthTo(r lockRange) int64 {
	if r.end == math.MaxInt64 {
		return 0
	}
	return r.end - r.start
}

// ranges are apart from each other or of different kinds, and in order.
type ranges []lockRange

// with returns what is locked when r has been: r replaces what it covers.
func (all ranges) with(r lockRange) ranges {
	next := make(ranges, 0, len(all)+2)
	for _, old := range all {
		if old.start < r.start {
			next = next.join(lockRange{old.start, min(old.end, r.start), old.kind})
		}
	}
	if r.kind != abi.LockNone {
		next = next.join(r)
	}
	for _, old := range all {
		if old.end > r.end {
			next = next.join(lockRange{max(old.start, r.end), old.end, old.kind})
		}
	}
	return next
}

// join appends a range behind the others, to the last one if they touch.
func (all ranges) join(r lockRange) ranges {
	if last := len(all) - 1; last >= 0 && all[last].end == r.start && all[last].kind == r.kind {
		all[last].end = r.end
		return all
	}
	return append(all, r)
}
