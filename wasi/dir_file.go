package wasi

import (
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// hostFile is one open regular file of the host. Its position is kept here and the kernel's never used, so that an
// append needs no more than the file's size.
type hostFile struct {
	sys.UnimplementedFile
	f      *os.File
	id     fileID
	flag   sys.Oflag
	append bool
	offset int64

	quota *Quota // nil when read-only
	node  *inode
	dir   *dir // where it was opened, and by which name, when not read-only
	name  string
	done  bool

	shared bool // with other tenants
}

func (f *hostFile) Ino() (uint64, sys.Errno) { return f.id.ino, 0 }
func (f *hostFile) IsAppend() bool           { return f.append }

func (f *hostFile) SetAppend(enable bool) sys.Errno {
	if f.done {
		return sys.EBADF
	}
	f.append = enable
	return 0
}

func (f *hostFile) Stat() (stat, sys.Errno) {
	info, err := f.f.Stat()
	switch {
	case err != nil:
		return stat{}, errnoOf(err)
	case f.quota == nil:
		return readOnlyStat(statOf(info), 0)
	}
	return writableStat(statOf(info), 0)
}

func (f *hostFile) Read(buf []byte) (int, sys.Errno) {
	n, errno := f.Pread(buf, f.offset)
	f.offset += int64(n)
	return n, errno
}

func (f *hostFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	switch {
	case f.done || !canRead(f.flag):
		return 0, sys.EBADF
	case off < 0:
		return 0, sys.EINVAL
	}
	n, err := f.f.ReadAt(buf, off)
	if n > 0 {
		return n, 0
	}
	return 0, errnoOf(err)
}

func (f *hostFile) Write(buf []byte) (int, sys.Errno) {
	if f.append {
		return f.writeAppended(buf)
	}
	n, errno := f.Pwrite(buf, f.offset)
	f.offset += int64(n)
	return n, errno
}

// Pwrite writes all of buf or, when the quota has no room for it, nothing.
func (f *hostFile) Pwrite(buf []byte, off int64) (int, sys.Errno) {
	if errno := f.writable(); errno != 0 {
		return 0, errno
	}
	if off < 0 {
		return 0, sys.EINVAL
	}
	return f.writeSized(buf, func(int64) int64 { return off })
}

// writeAppended takes the end of the file as its position while the inode is locked, so that two instances which
// append to one file do not write over each other.
func (f *hostFile) writeAppended(buf []byte) (n int, errno sys.Errno) {
	var end int64
	if errno := f.writable(); errno != 0 {
		return 0, errno
	}
	n, errno = f.writeSized(buf, func(size int64) int64 { end = size; return size })
	if n > 0 {
		f.offset = end + int64(n)
	}
	return n, errno
}

func (f *hostFile) writable() sys.Errno {
	if f.done || f.quota == nil || !canWrite(f.flag) {
		return sys.EBADF
	}
	return 0
}

func (f *hostFile) writeSized(buf []byte, at func(size int64) int64) (n int, errno sys.Errno) {
	if len(buf) == 0 {
		return 0, 0
	}
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	off := at(f.node.size)
	end := off + int64(len(buf))
	if end < 0 {
		return 0, EFBIG
	}
	errno = f.quota.resize(f.node, max(end, f.node.size), func() (size int64, errno sys.Errno) {
		var err error
		if n, err = f.f.WriteAt(buf, off); n == 0 {
			return f.node.size, errnoOf(err) // no byte lies at off
		}
		return max(f.node.size, off+int64(n)), errnoOf(err)
	})
	return n, errno
}

func (f *hostFile) Seek(offset position, whence int) (int64, sys.Errno) {
	size := int64(0)
	if whence == io.SeekEnd {
		st, errno := f.Stat()
		if errno != 0 {
			return 0, errno
		}
		size = st.Size
	}
	if f.done {
		return 0, sys.EBADF
	}
	to, errno := seekTo(f.offset, size, offset, whence)
	if errno == 0 {
		f.offset = to
	}
	return to, errno
}

func (f *hostFile) Truncate(size int64) sys.Errno {
	if f.quota == nil {
		return sys.EROFS
	}
	if errno := f.writable(); errno != 0 {
		return errno
	}
	if size < 0 {
		return sys.EINVAL
	}
	return f.truncate(size)
}

// Allocate implements allocator. The size is looked at under the inode's lock: another instance may be appending.
func (f *hostFile) Allocate(size int64) sys.Errno {
	if errno := f.writable(); errno != 0 {
		return errno
	}
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	if size <= f.node.size {
		return 0
	}
	return f.resize(size)
}

func (f *hostFile) truncate(size int64) sys.Errno {
	f.node.mu.Lock()
	defer f.node.mu.Unlock()
	return f.resize(size)
}

// resize is called with the inode's lock held.
func (f *hostFile) resize(size int64) sys.Errno {
	return f.quota.resize(f.node, size, func() (int64, sys.Errno) {
		if errno := errnoOf(f.f.Truncate(size)); errno != 0 {
			return f.node.size, errno
		}
		return size, 0
	})
}

func (f *hostFile) Sync() sys.Errno {
	if f.quota == nil {
		return f.check()
	}
	return errnoOf(f.f.Sync())
}

func (f *hostFile) Datasync() sys.Errno {
	if f.quota == nil {
		return f.check()
	}
	return errnoOf(datasync(f.f))
}

func (f *hostFile) check() sys.Errno {
	if f.done {
		return sys.EBADF
	}
	return 0
}

func (f *hostFile) Utimens(atim, mtim int64) sys.Errno {
	switch {
	case f.done:
		return sys.EBADF
	case f.quota == nil:
		return sys.EROFS
	}
	return errnoOf(setTimes(f.f, atim, mtim))
}

func (f *hostFile) Close() sys.Errno {
	if f.done {
		return sys.EBADF
	}
	f.done = true
	if f.quota != nil {
		f.quota.release(f.node) // before the kernel's close, after which a new file may get the same number
	}
	return errnoOf(f.f.Close())
}

// hostDir is one open directory of the host.
type hostDir struct {
	dirBase
	f        *os.File
	ino      uint64
	writable bool
	entries  dirReader
}

func (d *hostDir) Ino() (uint64, sys.Errno) { return d.ino, 0 }

func (d *hostDir) Stat() (stat, sys.Errno) {
	info, err := d.f.Stat()
	switch {
	case err != nil:
		return stat{}, errnoOf(err)
	case !d.writable:
		return readOnlyStat(statOf(info), 0)
	}
	return writableStat(statOf(info), 0)
}

func (d *hostDir) Seek(offset position, whence int) (int64, sys.Errno) {
	if offset != 0 || whence != io.SeekStart {
		return 0, sys.EINVAL
	}
	return 0, errnoOf(d.entries.rewind(d.f))
}

func (d *hostDir) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	entries, err := d.entries.read(d.f, n)
	return entries, errnoOf(err)
}

func (d *hostDir) Sync() sys.Errno {
	if !d.writable {
		return 0
	}
	return errnoOf(d.f.Sync())
}

func (d *hostDir) Datasync() sys.Errno { return d.Sync() }

func (d *hostDir) Utimens(atim, mtim int64) sys.Errno {
	if !d.writable {
		return sys.EROFS
	}
	return errnoOf(setTimes(d.f, atim, mtim))
}

func (d *hostDir) Close() sys.Errno { return errnoOf(d.f.Close()) }
