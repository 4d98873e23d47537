package host

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How often a host looks whether it can give memory back, how little it must
// have allocated since for that, and how much must be worth it. A host that would not
// need for trimAhead looks what it has to spare is as good as quiet: one that reads
// the snapshots of 10,000 tenants ahead allocates 10 MiB between two looks, for
// minutes, and kept what their start had left (150 MiB more than an empty host).
const (
	trimEvery = 15 * time.Second
	trimQuiet = 8 << 20
	trimWorth = 16 << 20
	trimAhead = 4
)

// A trimmer gives memory that Go keeps for later back to the system while the
// host is quiet: what compiling the guest, starting thousands of tenants or a
// rush has left. The runtime by itself keeps as much again as is in use.
type trimmer struct {
	read      func() heapUse
	free      func()
	allocated uint64 // at the last look
}

// heapUse is a moment of Go's heap, in bytes.
type heapUse struct {
	allocated uint64 // since the start of the process
	spare     uint64 // garbage, and free but not given back
}

func newTrimmer() *trimmer { return &trimmer{read: readHeap, free: debug.FreeOSMemory} }

// trim looks until ctx ends.
func (t *trimmer) trim(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			t.look()
		case <-ctx.Done():
			return
		}
	}
}

func (t *trimmer) look() {
	now := t.read()
	quiet := now.allocated-t.allocated < max(trimQuiet, now.spare/trimAhead)
	t.allocated = now.allocated
	if quiet && now.spare > trimWorth {
		t.free()
	}
}

func readHeap() heapUse {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	v := func(i int) uint64 { return samples[i].Value.Uint64() }
	garbage := v(1) - min(v(1), v(2))
	return heapUse{allocated: v(0), spare: garbage + v(3)}
}
