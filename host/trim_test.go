package host

import "testing"

// TestTrim gives memory back when the host is quiet and has much to give, once.
func TestTrim(t *testing.T) {
	var now heapUse
	freed := 0
	tr := &trimmer{read: func() heapUse { return now }, free: func() { freed++; now.spare = 0 }}
	for i, step := range []struct {
		now  heapUse
		want int
	}{
		{heapUse{1 << 30, 100 << 20}, 0},         // it has just started
		{heapUse{2 << 30, 100 << 20}, 0},         // it is busy
		{heapUse{2<<30 + 1<<20, 15 << 20}, 0},    // there is little to give
		{heapUse{2<<30 + 2<<20, 100 << 20}, 1},   // quiet
		{heapUse{2<<30 + 3<<20, 1 << 20}, 1},     // and nothing is left
		{heapUse{2<<30 + 200<<20, 50 << 20}, 1},  // a rush
		{heapUse{2<<30 + 207<<20, 100 << 20}, 2}, // is over
		{heapUse{2<<30 + 217<<20, 39 << 20}, 2},  // not quite quiet
		{heapUse{2<<30 + 227<<20, 41 << 20}, 3},  // nor here, but there is enough for four such times
	} {
		now = step.now
		if tr.look(); freed != step.want {
			t.Errorf("step %d: %d times, want %d", i, freed, step.want)
		}
	}
	if h := readHeap(); h.allocated == 0 || h.spare > 1<<40 {
		t.Errorf("the heap as read: %+v", h)
	}
}
