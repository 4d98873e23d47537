package sandbox

import (
	"slices"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

// TestTheFirstRequestTeaches: the second instance of an image begins with copies
// of the pages that the first request in the first one wrote to, and of no other,
// and they are still the image's.
func TestTheFirstRequestTeaches(t *testing.T) {
	im := build(t, newEngine(t, tck.Dirty(100)), Spec{})
	first := restore(t, im)
	serve(t, first, emptyRequest())
	learnt := slices.Clone(*im.hot.Load())
	serve(t, first, emptyRequest())
	if n, err := first.dirtied(); err != nil || n < 100*imagePage || !slices.Equal(first.dirty.runs, learnt) {
		t.Fatalf("%d bytes, %v, were written to; %v were learnt (%v)", n, first.dirty.runs, learnt, err)
	}
	second := restore(t, im)
	if _, err := second.dirtied(); err != nil || !slices.Equal(second.dirty.runs, learnt) {
		t.Errorf("a new instance begins with %v instead of %v (%v)", second.dirty.runs, learnt, err)
	}
	if string(second.memory.base[:second.memory.size]) != string(im.storage.view) {
		t.Error("its memory is not the image's")
	}
	serve(t, second, emptyRequest())
}

// TestALargeFirstRequestTeachesNothing, because every later instance would pay
// for it.
func TestALargeFirstRequestTeachesNothing(t *testing.T) {
	im := build(t, newEngine(t, tck.Dirty(maxHotPages+1)), Spec{})
	serve(t, restore(t, im), emptyRequest())
	if runs := *im.hot.Load(); len(runs) != 0 {
		t.Errorf("learnt %v", runs)
	}
	in := restore(t, im)
	if n, err := in.dirtied(); err != nil || n > 10*imagePage {
		t.Errorf("a new instance begins with %d bytes of its own (%v)", n, err)
	}
}
