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

// TestWhatWasLearntIsKept with the file: the first instance after a start begins
// with the pages that the first request before it has written to, and a damaged
// list is none.
func TestWhatWasLearntIsKept(t *testing.T) {
	s, key := newStored(t, tck.Dirty(100)), NewKey()
	open := func() *Image {
		im, err := s.BuildStored(t.Context(), Spec{Name: "tck"}, s.path, key)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, im.Close()) })
		return im
	}
	before := open()
	if before.hot.Load() != nil {
		t.Error("a new image knows what its first request will do")
	}
	serve(t, restore(t, before), emptyRequest())
	if !before.storage.keepsAttributes() {
		t.Skip("the file system of temporary files has no extended attributes")
	}
	learnt := *before.hot.Load()
	after := open()
	if runs := after.hot.Load(); runs == nil || len(*runs) == 0 || !slices.Equal(*runs, learnt) {
		t.Errorf("after a start %v instead of %v", runs, learnt)
	}
	in := restore(t, after)
	if _, err := in.dirtied(); err != nil || !slices.Equal(in.dirty.runs, learnt) {
		t.Errorf("its first instance begins with %v (%v)", in.dirty.runs, err)
	}
	serve(t, in, emptyRequest())
	must(t, writeAttribute(after.storage.file, hotAttribute, []byte{1, 0}))
	if runs := open().hot.Load(); runs != nil {
		t.Errorf("a damaged list is taken for %v", *runs)
	}
}

func (s *storage) keepsAttributes() bool {
	_, err := readAttribute(s.file, hotAttribute, maxHotBytes)
	return err == nil
}
