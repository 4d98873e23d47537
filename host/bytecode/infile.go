package bytecode

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"

	"github.com/wasgi/wasgi/wasi"
)

// inFile is byte code in a file of the cache, which nobody writes to any more: whoever
// has it open takes no memory.
type inFile struct {
	*io.SectionReader
	io.Closer
}

// open is get for byte code that stays where it is; nil for none.
func (c Cache) open(k key) (tag string, code wasi.Derived) {
	f, info, ok := c.find(k)
	if !ok {
		return "", nil
	}
	tag, at, ok := checkFile(f, info.Size())
	if !ok {
		_ = f.Close()
		return "", nil
	}
	touch(f.Name(), info.ModTime())
	return tag, inFile{io.NewSectionReader(f, at, info.Size()-at), f}
}

// checkFile is decode for a file of size bytes: the tag, and where the byte code begins.
// One with more than mostCode is not read.
func checkFile(f *os.File, size int64) (tag string, at int64, ok bool) {
	const most = sha256.Size + 1 + maxTag
	if size > most+mostCode {
		return "", 0, false
	}
	head := make([]byte, min(size, most))
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
