package sandbox

import "time"

const (
	// overhead is what an instance costs before its first request: wazero's
	// module, stacks, and the pages that after_restore writes to (measured:
	// 0.13 MiB with nothing, 0.68 with Flask).
	overhead = 768 << 10
	// small is what an instance may have and still use the reserve.
	small = 4 << 20
	// bookEvery is how much CPU time passes between two looks at what an
	// instance has made its own, over all its requests: there may be many
	// instances that each ran for less. A look costs some ten microseconds; in
	// 2 ms a guest can dirty some 4 MB.
	bookEvery = 2 * time.Millisecond
	// bookShare keeps looks below so many parts of the CPU time where they cost
	// more, bookLast bounds how rare they get.
	bookShare = 50
	bookLast  = 50 * time.Millisecond
	// deepStack is how much of the shadow stack a request must have used for
	// its native stack to be booked, at stackRatio bytes for each (measured: 8 to
	// 12 with nested __getattr__, iterators, tuples that are hashed).
	deepStack  = 64 << 10
	stackRatio = 16
	// stackAge is the CPU time of a call after which its native stack, which
	// wazero keeps at its greatest size, is given up: growing it to where it
	// matters takes longer, and a new one costs some ten microseconds.
	stackAge = 5 * time.Millisecond
)

// books is what an instance has booked in its tenant's budget beside the
// linear memory that it grew by, which is booked as it grows.
type books struct {
	held     uint64
	heap     uint64        // the part of held that is in Go's heap: files in memory, native stack
	cpu      time.Duration // of earlier calls since the last look
	looked   time.Duration // CPU time of this call at the last look
	cost     time.Duration // of the last look
	resting  uint32        // the stack pointer at the start of this call
	lowest   uint32        // and the lowest since then
	outgrown bool          // the last look found more than the budget has
}

// due says whether it is time to look again; cpu is the running call's.
func (b *books) due(cpu time.Duration) bool {
	return b.cpu+cpu-b.looked >= min(max(bookEvery, bookShare*b.cost), bookLast)
}

// begin starts a call.
func (b *books) begin(stack uint32) { b.resting, b.lowest = stack, stack }

// carry ends a call.
func (b *books) carry(cpu time.Duration) {
	b.cpu += cpu - b.looked
	b.looked = 0
}

// open books what every instance costs.
func (b *books) open(budget *Budget) bool {
	if !budget.TakeReserve(overhead) {
		return false
	}
	b.held = overhead
	return true
}

// close gives everything back.
func (b *books) close(budget *Budget) {
	b.leave(budget, b.heap)
	budget.Give(b.held)
	b.held = 0
}

// leave gives n bytes of Go's heap up, booked or not, for the collector to find.
func (b *books) leave(budget *Budget, n uint64) {
	known := min(n, b.heap)
	b.heap -= known
	b.held -= known
	budget.owe(n - known)
	budget.GiveLater(n)
}

// adjust books own bytes and heap bytes in place of what was held.
func (b *books) adjust(budget *Budget, own, heap uint64) bool {
	n, take := own+heap, budget.TakeWritten
	if n <= small {
		take = budget.TakeReserve
	}
	if heap < b.heap {
		b.leave(budget, b.heap-heap)
	}
	if n > b.held && !take(n-b.held) {
		return false
	}
	if n < b.held {
		budget.Give(b.held - n)
	}
	b.held, b.heap = n, heap
	return true
}

// book looks at what the instance has made its own: pages of the snapshot that
// it wrote to, files in memory, native stack. false is more than the budget has.
func (in *Instance) book() bool {
	begun := time.Now()
	defer func() { in.books.cost = time.Since(begun) }()
	in.books.cpu, in.books.looked = 0, in.account.CPU
	n := uint64(overhead)
	if in.memory.floor > 0 {
		dirty, err := in.dirtied()
		if err != nil {
			in.logger().Error("the memory of an instance cannot be measured", "tenant", in.spec.Name, "error", err)
		}
		n += dirty
		in.stats.OwnPages = int(dirty / imagePage)
	}
	return in.books.adjust(in.spec.Budget, n, uint64(in.sandbox.MemoryInUse())+in.nativeStack())
}

// leaveFiles is called before what is in /tmp goes.
func (in *Instance) leaveFiles() {
	if n := in.sandbox.MemoryInUse(); n > 0 {
		in.books.leave(in.spec.Budget, uint64(n))
	}
}

// dirtied is how many bytes of the snapshot's part were written to.
func (in *Instance) dirtied() (uint64, error) {
	if err := in.engine.dirty.refind(in.memory.base[:in.memory.floor], &in.dirty); err != nil {
		return 0, err
	}
	var n uint64
	for _, r := range in.dirty.runs {
		n += r.end - r.start
	}
	return n, nil
}

// nativeStack estimates what wazero keeps for this call.
func (in *Instance) nativeStack() uint64 {
	depth := uint64(in.books.resting - in.books.lowest)
	if depth < deepStack {
		return 0
	}
	return depth * stackRatio
}

// watch is called when the guest comes by the meter.
func (in *Instance) watch() {
	in.books.lowest = min(in.books.lowest, uint32(in.stackPointer.Get()))
	if in.books.due(in.account.CPU) && !in.book() {
		in.stop(&Error{Kind: KindMemory, Err: errNoMemory})
	}
}

// giveUpStack lets the native stack of an export go that may have become large.
func (in *Instance) giveUpStack(x export) {
	if in.account.CPU >= stackAge {
		in.exports[x] = nil
	}
}

// leaveStack books the stack that giveUpStack is about to leave to the collector.
func (in *Instance) leaveStack() {
	if n := in.nativeStack(); n > 0 && in.account.CPU >= stackAge {
		in.books.leave(in.spec.Budget, n)
	}
}

// audit ends a call: what it leaves behind is booked when it is time.
func (in *Instance) audit() {
	in.leaveStack()
	in.books.lowest = in.books.resting
	if in.books.due(in.account.CPU) {
		in.books.outgrown = !in.book()
	}
	in.books.carry(in.account.CPU)
}
