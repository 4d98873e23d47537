package branchhint

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
)

// A Branch is where a br_if or if is.
type Branch struct {
	Function uint32 // index of its function; imported functions count
	Offset   uint32 // of the instruction, in bytes from the beginning of its function's locals
}

// Compare orders branches by function and offset, as [cmp.Compare] does.
func (b Branch) Compare(other Branch) int {
	return cmp.Or(cmp.Compare(b.Function, other.Function), cmp.Compare(b.Offset, other.Offset))
}

// Functions returns the hints of branches, likely or not, in the order that
// [Insert] wants.
func Functions(hints map[Branch]bool) []Function {
	var all []Function
	for _, at := range slices.SortedFunc(maps.Keys(hints), Branch.Compare) {
		if len(all) == 0 || all[len(all)-1].Index != at.Function {
			all = append(all, Function{Index: at.Function})
		}
		last := &all[len(all)-1]
		last.Hints = append(last.Hints, Hint{Offset: at.Offset, Likely: hints[at]})
	}
	return all
}

// Counts are how often each branch was not taken, and how often it was. The
// patched wazero asks for them (counts.patch in host/sandbox/wazero) and adds to
// them from the code that it makes: they must live as long as that. The released
// one leaves them empty. The zero value is ready for use.
type Counts struct {
	mu  sync.Mutex
	all map[Branch]*[2]uint64
}

// In returns a context; modules that are compiled with it count.
func (c *Counts) In(ctx context.Context) context.Context {
	type key = struct{ WazeroBranchCounts struct{} }
	return context.WithValue(ctx, key{}, c)
}

// Counter returns what the code of a branch adds to. It is wazero that calls it.
func (c *Counts) Counter(function, offset uint32) *[2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[Branch]*[2]uint64{}
	}
	at := Branch{function, offset}
	if c.all[at] == nil {
		c.all[at] = new([2]uint64)
	}
	return c.all[at]
}

// Now returns a copy. Nothing that counts may run meanwhile.
func (c *Counts) Now() map[Branch][2]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[Branch][2]uint64, len(c.all))
	for at, n := range c.all {
		out[at] = *n
	}
	return out
}
