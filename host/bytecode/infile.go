package bytecode

import (
	"bytes"
	"crypto/sha256"
	"io"

	"github.com/wasgi/wasgi/wasi"
)

// inFile is byte code in a file of the cache, which nobody writes to any more: whoever
// has it open takes no memory.
type inFile struct {
	*io.SectionReader
	io.Closer
}

// open is get for byte code that stays where it is; nil for none. A file with more than
// mostCode is not read.
func (c Cache) open(k key) (tag string, code wasi.Derived) {
	f, info, ok := c.find(k)
	if !ok {
		return "", nil
	}
	at, ok := int64(0), false
	if info.Size() <= mostHead+mostCode {
		tag, at, ok = layout(f, info.Size())
	}
	if !ok {
		_ = f.Close()
		return "", nil
	}
	touch(f.Name(), info.ModTime())
	return tag, inFile{io.NewSectionReader(f, at, info.Size()-at), f}
}

// mostHead is what comes before the byte code at most, in bytes.
const mostHead = sha256.Size + 1 + maxTag

// layout reads what encode has laid out, of size bytes: the tag, and where the byte code
// begins. false says that it was not written whole.
func layout(f io.ReaderAt, size int64) (tag string, at int64, ok bool) {
	head := make([]byte, min(size, mostHead))
	if _, err := f.ReadAt(head, 0); err != nil || len(head) <= sha256.Size {
		return "", 0, false
	}
	end := sha256.Size + 1 + int(head[sha256.Size])
	if end > len(head) || !isTag(string(head[sha256.Size+1:end])) {
		return "", 0, false
	}
	digest := sha256.New()
	n, err := copyTo(digest, io.NewSectionReader(f, sha256.Size, size-sha256.Size))
	if err != nil || n != size-sha256.Size || !bytes.Equal(digest.Sum(nil), head[:sha256.Size]) {
		return "", 0, false
	}
	return string(head[sha256.Size+1 : end]), int64(end), true
}

// copyTo is io.Copy with less garbage: a guest may have it done again and again.
func copyTo(w io.Writer, r io.Reader) (int64, error) { return io.CopyBuffer(w, r, make([]byte, 8<<10)) }
