package sandbox

import "bytes"

// imagePage is the granularity of the page map of an image, whatever the page
// size of the machine: it divides every one.
const imagePage = 4096

// pageRun is a run of pages, from start up to but not including end, in bytes
// from the start of memory.
type pageRun struct{ start, end uint64 }

// pageMap has a bit for each page of an image: set when the page holds a byte
// that is not zero.
type pageMap []byte

func newPageMap(size uint64) pageMap { return make(pageMap, pageMapSize(size)) }

// pageMapSize is the number of bytes of the map for an image of size bytes.
func pageMapSize(size uint64) uint64 { return (size/imagePage + 7) / 8 }

func (m pageMap) set(page uint64)      { m[page/8] |= 1 << (page % 8) }
func (m pageMap) has(page uint64) bool { return m[page/8]&(1<<(page%8)) != 0 }

// mapPages finds the pages of memory that are not zero.
func mapPages(memory []byte) pageMap {
	m := newPageMap(uint64(len(memory)))
	var zero [imagePage]byte
	for i := 0; i < len(memory); i += imagePage {
		if !bytes.Equal(memory[i:i+imagePage], zero[:]) {
			m.set(uint64(i / imagePage))
		}
	}
	return m
}

// split calls f for each maximal run within r whose pages are all set or all
// not set, in order, and stops at the first error.
func (m pageMap) split(r pageRun, f func(r pageRun, set bool) error) error {
	for at := r.start; at < r.end; {
		set := m.has(at / imagePage)
		end := at + imagePage
		for end < r.end && m.has(end/imagePage) == set {
			end += imagePage
		}
		if err := f(pageRun{at, end}, set); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// bytes is the size of the pages that are set.
func (m pageMap) bytes(size uint64) uint64 {
	var n uint64
	_ = m.split(pageRun{0, size}, func(r pageRun, set bool) error {
		if set {
			n += r.end - r.start
		}
		return nil
	})
	return n
}
