package wasi

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wasgi/wasgi/abi"
)

// TestRangesAreLikeBytes locks ranges of a short file and compares with one lock for each byte.
func TestRangesAreLikeBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all ranges
		var model [12]uint32
		for i := range model {
			model[i] = abi.LockNone
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			start := rapid.Int64Range(0, 10).Draw(t, "start")
			length := rapid.Int64Range(0, 11-start).Draw(t, "length")
			r := lockRange{start, endOf(start, length), rapid.Uint32Range(abi.LockShared, abi.LockNone).Draw(t, "kind")}
			all = all.with(r)
			for i := start; i < min(r.end, int64(len(model))); i++ {
				model[i] = r.kind
			}
			compareRanges(t, all, model)
		}
	})
}

func compareRanges(t *rapid.T, all ranges, model [12]uint32) {
	var got [12]uint32
	for i := range got {
		got[i] = abi.LockNone
	}
	for i, r := range all {
		if r.start >= r.end || r.kind == abi.LockNone || i > 0 && (all[i-1].end > r.start || all[i-1].end == r.start && all[i-1].kind == r.kind) {
			t.Fatalf("not in order: %v", all)
		}
		for at := r.start; at < min(r.end, int64(len(got))); at++ {
			got[at] = r.kind
		}
	}
	if got != model {
		t.Fatalf("%v is %v, want %v", all, got, model)
	}
}

func TestLengthOfRanges(t *testing.T) {
	for length, end := range map[int64]int64{0: math.MaxInt64, 1: 6, 7: 12} {
		r := lockRange{start: 5, end: endOf(5, length)}
		wantEqual(t, "end", r.end, end)
		wantEqual(t, "length", lengthTo(r), length)
	}
}
