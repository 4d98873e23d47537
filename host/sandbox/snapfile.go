package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cespare/xxhash/v2"
)

// The file of a stored image. Integers are little-endian.
//
//	offset    bytes
//	0         8       magic "wasgisnp"
//	8         4       version of this format
//	12        4       size of a page of the page map: 4096
//	16        32      key
//	48        32      SHA-256 of the guest module
//	80        8       size of the memory, a multiple of 64 KiB, at most 4 GiB
//	88        4       address of the message buffer
//	92        4       size of the message buffer
//	96        4       number of globals, at most 64
//	100       8 each  globals, sorted by name
//	          …       zeros
//	4088      8       XXH64 of the header up to here, the page map, and the
//	                  pages that are set in it, in order
//	4096      …       page map: a bit for each page, set if it is not zero
//	          …       zeros up to a multiple of 64 KiB
//	          …       memory; pages that are not set are holes
//
// The memory starts at a multiple of every page size, so that it is mapped as
// it lies.
//
// The digest is there to find what a crash or a disk has damaged, not what somebody
// has written: who can write to the file could write a digest as well. So it is a
// quick one. A first call after a start may wait for it, and a host reads all
// snapshots of its tenants: 16 MiB take 2.5 ms, and with SHA-256 took 14.
const (
	magic         = "wasgisnp"
	formatVersion = 2
	headerSize    = 4096
	digestAt      = headerSize - 8
	maxGlobals    = 64
	globalsAt     = 100
)

type header struct {
	key, guest [sha256.Size]byte
	size       uint64
	buffer     messageBuffer
	globals    []uint64
	digest     uint64
}

// offset is where the memory starts.
func (h *header) offset() int64 {
	return int64((headerSize + pageMapSize(h.size) + wasmPage - 1) / wasmPage * wasmPage)
}

// encode lays the header out; the digest is left zero.
func (h *header) encode() []byte {
	b := append(make([]byte, 0, headerSize), magic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = binary.LittleEndian.AppendUint32(b, imagePage)
	b = append(b, h.key[:]...)
	b = append(b, h.guest[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.size)
	b = binary.LittleEndian.AppendUint32(b, h.buffer.address)
	b = binary.LittleEndian.AppendUint32(b, h.buffer.size)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.globals)))
	for _, g := range h.globals {
		b = binary.LittleEndian.AppendUint64(b, g)
	}
	return b[:headerSize]
}

// decodeHeader is the reverse of encode. The error says what is wrong.
func decodeHeader(b []byte) (*header, error) {
	le := binary.LittleEndian
	switch {
	case len(b) != headerSize || string(b[:8]) != magic:
		return nil, errors.New("it is no image")
	case le.Uint32(b[8:]) != formatVersion || le.Uint32(b[12:]) != imagePage:
		return nil, errors.New("it has another format version")
	}
	h := &header{key: [32]byte(b[16:]), guest: [32]byte(b[48:]), digest: le.Uint64(b[digestAt:])}
	h.size = le.Uint64(b[80:])
	h.buffer = messageBuffer{le.Uint32(b[88:]), le.Uint32(b[92:])}
	n := le.Uint32(b[96:])
	if h.size == 0 || h.size%wasmPage != 0 || h.size > 1<<32 || n > maxGlobals {
		return nil, errors.New("its header is damaged")
	}
	for i := range int(n) {
		h.globals = append(h.globals, le.Uint64(b[globalsAt+8*i:]))
	}
	if !allZero(b[globalsAt+8*int(n) : digestAt]) {
		return nil, errors.New("its header is damaged")
	}
	return h, nil
}

func readHeader(r io.ReaderAt, fileSize int64) (*header, error) {
	var b [headerSize]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, fmt.Errorf("it is cut short: %w", err)
	}
	h, err := decodeHeader(b[:])
	if err != nil {
		return nil, err
	}
	if want := h.offset() + int64(h.size); fileSize != want {
		return nil, fmt.Errorf("it has %d bytes instead of %d", fileSize, want)
	}
	return h, nil
}

// writeFile writes everything and, last, the header with the digest, which it
// leaves in h.
func (h *header) writeFile(f *os.File, memory []byte, pages pageMap) error {
	if err := f.Truncate(h.offset() + int64(h.size)); err != nil {
		return err
	}
	if err := pages.write(f, h.offset(), memory); err != nil {
		return err
	}
	h.digest = h.digestOf(memory, pages)
	b := h.encode()
	binary.LittleEndian.PutUint64(b[digestAt:], h.digest)
	_, err := f.WriteAt(append(b, pages...), 0)
	return err
}

func (h *header) digestOf(memory []byte, pages pageMap) uint64 {
	digest := h.newDigest(pages)
	_ = pages.split(pageRun{0, h.size}, func(r pageRun, set bool) error {
		if set {
			_, _ = digest.Write(memory[r.start:r.end])
		}
		return nil
	})
	return digest.Sum64()
}

// newDigest has the header and the page map in it.
func (h *header) newDigest(pages pageMap) *xxhash.Digest {
	digest := xxhash.New()
	_, _ = digest.Write(h.encode()[:digestAt]) // which has no errors
	_, _ = digest.Write(pages)
	return digest
}

// readPages reads the page map.
func (h *header) readPages(f *os.File) (pageMap, error) {
	pages := make(pageMap, pageMapSize(h.size))
	if _, err := f.ReadAt(pages, headerSize); err != nil {
		return nil, fmt.Errorf("its page map is cut short: %w", err)
	}
	return pages, nil
}

// verifyBuffer is how much is read at once.
const verifyBuffer = 1 << 17

// verify reads the file and compares the digest. Bytes that the digest does
// not cover must be zero. buf has verifyBuffer bytes.
func (h *header) verify(f *os.File, pages pageMap, buf []byte) error {
	v := &verifier{file: f, digest: h.newDigest(pages), buf: buf}
	if err := v.run(pageRun{headerSize + uint64(len(pages)), uint64(h.offset())}, false); err != nil {
		return err
	}
	v.offset = h.offset()
	if err := pages.split(pageRun{0, h.size}, v.run); err != nil {
		return err
	}
	if v.digest.Sum64() != h.digest {
		return errDamaged
	}
	return nil
}

var errDamaged = errors.New("it is damaged: its digest differs")

type verifier struct {
	file   *os.File
	offset int64
	digest *xxhash.Digest
	buf    []byte
}

// run hashes a run that is set, and looks for bytes in one that is not.
func (v *verifier) run(r pageRun, set bool) error {
	at, end := v.offset+int64(r.start), v.offset+int64(r.end)
	for at < end {
		if !set {
			if at = nextData(v.file, at, end); at == end {
				return nil
			}
		}
		b := v.buf[:min(int64(len(v.buf)), end-at)]
		if _, err := v.file.ReadAt(b, at); err != nil {
			return fmt.Errorf("its memory is cut short: %w", err)
		}
		if set {
			_, _ = v.digest.Write(b)
		} else if !allZero(b) {
			return errDamaged
		}
		at += int64(len(b))
	}
	return nil
}

func allZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
