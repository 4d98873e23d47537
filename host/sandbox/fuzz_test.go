package sandbox

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/wasgi/wasgi/abi/tck"
)

func FuzzParseGuest(f *testing.F) {
	for _, g := range tck.All() {
		f.Add(g.Module)
	}
	for _, module := range [][]byte{tck.Passive(), tck.Started(), tck.HiddenGlobal(), tck.WildData(), tck.UnknownImport()} {
		f.Add(module)
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		g, err := parseGuest(module)
		if err != nil {
			return
		}
		for _, s := range g.data {
			if uint64(s.offset)+uint64(len(s.bytes)) > g.min {
				t.Fatalf("a segment at %d of %d bytes in %d", s.offset, len(s.bytes), g.min)
			}
		}
		again, err := parseGuest(g.code)
		if err != nil {
			t.Fatalf("what was left of it: %v", err)
		}
		if !bytes.Equal(again.code, g.code) || again.min != g.min {
			t.Fatal("taking the data out twice differs from once")
		}
		if len(again.data) != 0 {
			t.Fatal("there is data left")
		}
	})
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add((&header{size: wasmPage, globals: []uint64{1, 2}}).encode())
	f.Add((&header{size: 1 << 32}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := decodeHeader(b)
		if err != nil {
			return
		}
		again := h.encode()
		binary.LittleEndian.PutUint64(again[digestAt:], h.digest)
		if !bytes.Equal(again, b) {
			t.Fatal("encoding again differs")
		}
	})
}

// FuzzDecodeHot: what is accepted lies in memory, in order, is no more than may
// be, and comes out as it went in.
func FuzzDecodeHot(f *testing.F) {
	const size = 1 << 26
	f.Add(encodeHot([]pageRun{{0, imagePage}, {2 * imagePage, 9 * imagePage}, {size - imagePage, size}}))
	f.Add([]byte{0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		runs, err := decodeHot(b, size)
		if err != nil {
			return
		}
		var at, pages uint64
		for _, r := range runs {
			if r.start < at || r.end <= r.start || r.end > size || r.start%imagePage != 0 || r.end%imagePage != 0 {
				t.Fatalf("%v in %v", r, runs)
			}
			at, pages = r.end, pages+(r.end-r.start)/imagePage
		}
		again, err := decodeHot(encodeHot(runs), size)
		if err != nil || pages > maxHotPages || !slices.Equal(again, runs) {
			t.Fatalf("%v came out as %v (%v)", runs, again, err)
		}
	})
}
