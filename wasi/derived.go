package wasi

import (
	"hash/fnv"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Derive makes the content of a file that a directory does not have out of one that it has, as byte code is made of a
// source. nil says that there is none of that name, which is a clean path below the directory. open opens a file of
// the directory; one that is no regular file or lies outside is an error. Derive is called by guests' goroutines,
// several at once, and its time counts as the guest's.
type Derive func(name string, open func(name string) (Derived, error)) Derived

// Derived is the content of an open file, of one that is made or of one that it is made of. A guest may have many open,
// and memory that they took would be in nobody's budget: it lies in a file.
type Derived interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// ReadOnlyDirWith is ReadOnlyDir with files that derive makes when a guest opens them to read: who knows the name finds
// the file. They are in no listing, have no stat but that of the open file, and never hide a file that is there.
func ReadOnlyDirWith(path string, derive Derive) (FS, error) {
	d, err := openReadOnly(path, false)
	if err != nil {
		return nil, err
	}
	d.derive = derive
	return d, nil
}

// derived opens a file that is not there.
func (d *readOnlyDir) derived(name string) (File, sys.Errno) {
	content := d.derive(name, d.source)
	if content == nil {
		return nil, sys.ENOENT
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, name)
	node := &archiveNode{mode: readOnlyFile, size: content.Size(), ino: h.Sum64()}
	return &derivedFile{archiveFile{node: node, content: content}, content}, 0
}

// derivedFile is one open file that is not there.
type derivedFile struct {
	archiveFile
	derived io.Closer
}

func (f *derivedFile) Close() sys.Errno {
	errno := f.archiveFile.Close()
	if errno == 0 {
		errno = errnoOf(f.derived.Close())
	}
	return errno
}

// source is open of Derive.
func (d *readOnlyDir) source(name string) (Derived, error) {
	f, st, errno := d.openHost(name, sys.O_RDONLY, false, 0)
	if errno != 0 {
		return nil, errno
	}
	if st.Mode.IsDir() {
		_ = f.Close()
		return nil, sys.EISDIR
	}
	return sourceFile{f, st.Size}, nil
}

// sourceFile is a file that others are made of.
type sourceFile struct {
	*os.File
	size int64
}

// Size is what it was when it was opened.
func (f sourceFile) Size() int64 { return f.size }
