package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/wasgi/wasgi/pywasm/branchhint"
)

// branch is where a br_if or if is: the index of its function and its offset there.
type branch struct{ function, offset uint32 }

// counts are how often each branch was not taken, and how often it was. The
// patched wazero asks for them (counts.patch in host/sandbox/wazero) and adds to
// them from the guest's code: they must live as long as that.
type counts struct {
	mu  sync.Mutex
	all map[branch]*[2]uint64
}

// Counter returns what the code of a branch adds to.
func (c *counts) Counter(function, offset uint32) *[2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := branch{function, offset}
	if c.all[at] == nil {
		c.all[at] = new([2]uint64)
	}
	return c.all[at]
}

// in returns a context in which modules are compiled that count.
func (c *counts) in(ctx context.Context) context.Context {
	type key = struct{ WazeroBranchCounts struct{} }
	return context.WithValue(ctx, key{}, c)
}

// now returns a copy. No guest may run meanwhile.
func (c *counts) now() map[branch][2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[branch][2]uint64, len(c.all))
	for at, n := range c.all {
		out[at] = *n
	}
	return out
}

// hints compares what was counted before and after so many requests. One way of
// a branch is rare if it was taken in fewer than one of fifty, or once for fifty
// times of the other. The branch has a hint then, unless it was hardly reached at all.
func hints(before, after map[branch][2]uint64, requests int) []branchhint.Function {
	few := uint64(max(requests/50, 1))
	rare := func(n, other uint64) bool { return other >= few && (n < few || n < other/50) }
	byFunction := map[uint32][]branchhint.Hint{}
	for at, n := range after {
		notTaken, taken := n[0]-before[at][0], n[1]-before[at][1]
		if rare(notTaken, taken) || rare(taken, notTaken) {
			byFunction[at.function] = append(byFunction[at.function], branchhint.Hint{Offset: at.offset, Likely: taken > notTaken})
		}
	}
	var all []branchhint.Function
	for _, index := range slices.Sorted(maps.Keys(byFunction)) {
		list := byFunction[index]
		slices.SortFunc(list, func(a, b branchhint.Hint) int { return cmp.Compare(a.Offset, b.Offset) })
		all = append(all, branchhint.Function{Index: index, Hints: list})
	}
	return all
}
