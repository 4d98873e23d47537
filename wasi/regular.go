package wasi

import (
	"errors"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Regular is a regular file that the guest has open for reading, as the host sees it. Reading it moves no position of
// the guest's. It is valid until the guest runs again, but for what Keep returns.
type Regular struct {
	file File
	size int64
}

// Regular looks a descriptor of the guest up. Whatever is no regular file, is closed, or is not open for reading, is
// EBADF.
func (s *Sandbox) Regular(fd uint32) (Regular, sys.Errno) {
	d, errno := s.files.get(fd)
	if errno != 0 || d.fixed || d.dir || !canRead(d.flags) {
		return Regular{}, sys.EBADF
	}
	st, errno := d.file.Stat()
	if errno != 0 || !st.Mode.IsRegular() {
		return Regular{}, sys.EBADF
	}
	return Regular{d.file, st.Size}, 0
}

// Size is how many bytes the file had when it was looked up.
func (r Regular) Size() int64 { return r.size }

// ReadAt implements io.ReaderAt.
func (r Regular) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, errno := r.file.Pread(p[n:], off+int64(n))
		if n += m; errno != 0 {
			return n, errno
		}
		if m == 0 {
			return n, io.EOF
		}
	}
	return n, nil
}

// KeptFile is a file that is read until it is closed, once. Section is for one
// reader at a time; what it returns is an *io.LimitedReader of an *os.File, which a
// socket can take from the kernel, where the file has a position of its own.
type KeptFile interface {
	io.ReaderAt
	io.Closer
	Section(offset, size int64) io.Reader
}

// keeper is a File that can outlive its descriptor.
type keeper interface{ keep() (KeptFile, error) }

// Keep returns the file for reading when the guest may run again, close its descriptor and remove the file. Its bytes
// count for the tenant until the kept file is closed. It fails with errors.ErrUnsupported for files that live in the
// instance.
func (r Regular) Keep() (KeptFile, error) {
	if k, ok := r.file.(keeper); ok {
		return k.keep()
	}
	return nil, errors.ErrUnsupported
}

// keptFile has a descriptor of its own and, under a quota, its part in the inode.
type keptFile struct {
	*os.File
	alone bool // its position is nobody else's
	quota *Quota
	node  *inode
}

func (f *hostFile) keep() (KeptFile, error) {
	if f.done {
		return nil, os.ErrClosed
	}
	own, alone, err := duplicate(f.f)
	if err != nil {
		return nil, err
	}
	if f.quota != nil {
		f.quota.names.Lock()
		f.node.refs++
		f.quota.names.Unlock()
	}
	return &keptFile{own, alone, f.quota, f.node}, nil
}

// Section implements KeptFile.
func (k *keptFile) Section(offset, size int64) io.Reader {
	if k.alone {
		if _, err := k.Seek(offset, io.SeekStart); err == nil {
			return io.LimitReader(k.File, size)
		}
	}
	return io.NewSectionReader(k, offset, size)
}

// Close gives the bytes of a removed file back.
func (k *keptFile) Close() error {
	if k.quota != nil {
		k.quota.release(k.node) // before the kernel's close, as hostFile.Close
		k.quota = nil
	}
	return k.File.Close()
}
