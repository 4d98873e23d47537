package sandbox

import (
	"encoding/binary"
	"errors"
)

// What a first request has written to is kept with the file of a stored image, as
// an extended attribute: it is gone with the file, and a file system that has none
// only means that the first request after a start teaches again. It is a hint, not
// covered by the file's digest: wrong runs cost time, not truth.
const hotAttribute = "user.wasgi.hot"

// maxHotBytes bounds the attribute: four bytes for each of the most runs, which
// still fits into a block of the usual file systems.
const maxHotBytes = 4000

var errHot = errors.New("the list of pages is damaged")

// encodeHot writes runs as pairs of unsigned varints, in pages: the distance from
// the end of the run before, and the length.
func encodeHot(runs []pageRun) []byte {
	var b []byte
	var at uint64
	for _, r := range runs {
		b = binary.AppendUvarint(b, (r.start-at)/imagePage)
		b = binary.AppendUvarint(b, (r.end-r.start)/imagePage)
		at = r.end
	}
	return b
}

// decodeHot is the reverse of encodeHot for a memory of size bytes.
func decodeHot(b []byte, size uint64) ([]pageRun, error) {
	var runs []pageRun
	var at, pages uint64
	for len(b) > 0 {
		skip, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errHot
		}
		length, m := binary.Uvarint(b[n:])
		if m <= 0 || length == 0 || length > maxHotPages-pages || skip > size/imagePage {
			return nil, errHot
		}
		start := at + skip*imagePage
		at = start + length*imagePage
		if at > size {
			return nil, errHot
		}
		pages += length
		runs, b = append(runs, pageRun{start, at}), b[n+m:]
	}
	return runs, nil
}

// recallHot takes what was learnt in an earlier process.
func (im *Image) recallHot() {
	if !im.storage.stored() {
		return
	}
	b, err := readAttribute(im.storage.file, hotAttribute, maxHotBytes)
	if err != nil {
		return
	}
	if runs, err := decodeHot(b, im.storage.size); err == nil {
		im.hot.Store(&runs)
	}
}

// keepHot writes down what was learnt, where that is possible.
func (im *Image) keepHot(runs []pageRun) {
	if b := encodeHot(runs); im.storage.stored() && len(b) <= maxHotBytes {
		_ = writeAttribute(im.storage.file, hotAttribute, b)
	}
}
