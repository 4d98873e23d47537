package wasi

import (
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// memoryFile is one open file of a Memory.
type memoryFile struct {
	sys.UnimplementedFile
	node   *memoryNode
	flag   sys.Oflag
	append bool
	offset int64
	closed bool
}

// lock takes the file system's lock, unless the file is closed.
func (f *memoryFile) lock() sys.Errno {
	f.node.fs.mu.Lock()
	if f.closed {
		f.node.fs.mu.Unlock()
		return sys.EBADF
	}
	return 0
}

func (f *memoryFile) unlock() { f.node.fs.mu.Unlock() }

func (f *memoryFile) Ino() (uint64, sys.Errno) { return f.node.ino, 0 }
func (f *memoryFile) IsAppend() bool           { return f.append }

func (f *memoryFile) SetAppend(enable bool) sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	f.append = enable
	return 0
}

func (f *memoryFile) Stat() (stat, sys.Errno) {
	if errno := f.lock(); errno != 0 {
		return stat{}, errno
	}
	defer f.unlock()
	return f.node.stat(), 0
}

func (f *memoryFile) Read(buf []byte) (int, sys.Errno) {
	n, errno := f.Pread(buf, f.offset)
	f.offset += int64(n)
	return n, errno
}

func (f *memoryFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	if errno := f.lock(); errno != 0 {
		return 0, errno
	}
	defer f.unlock()
	switch {
	case !canRead(f.flag):
		return 0, sys.EBADF
	case off < 0:
		return 0, sys.EINVAL
	}
	return f.node.read(buf, off), 0
}

func (f *memoryFile) Write(buf []byte) (int, sys.Errno) {
	if errno := f.lock(); errno != 0 {
		return 0, errno
	}
	defer f.unlock()
	off := f.offset
	if f.append {
		off = f.node.size
	}
	n, errno := f.write(buf, off)
	if n > 0 {
		f.offset = off + int64(n)
	}
	return n, errno
}

func (f *memoryFile) Pwrite(buf []byte, off int64) (int, sys.Errno) {
	if errno := f.lock(); errno != 0 {
		return 0, errno
	}
	defer f.unlock()
	return f.write(buf, off)
}

func (f *memoryFile) write(buf []byte, off int64) (int, sys.Errno) {
	switch {
	case !canWrite(f.flag):
		return 0, sys.EBADF
	case off < 0:
		return 0, sys.EINVAL
	case len(buf) == 0:
		return 0, 0
	}
	return f.node.write(buf, off)
}

func (f *memoryFile) Seek(offset position, whence int) (int64, sys.Errno) {
	if errno := f.lock(); errno != 0 {
		return 0, errno
	}
	defer f.unlock()
	to, errno := seekTo(f.offset, f.node.size, offset, whence)
	if errno == 0 {
		f.offset = to
	}
	return to, errno
}

func (f *memoryFile) Truncate(size int64) sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	switch {
	case !canWrite(f.flag):
		return sys.EBADF
	case size < 0:
		return sys.EINVAL
	}
	return f.node.truncate(size)
}

// Allocate implements allocator.
func (f *memoryFile) Allocate(size int64) sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	switch {
	case !canWrite(f.flag):
		return sys.EBADF
	case size <= f.node.size:
		return 0
	}
	return f.node.truncate(size)
}

func (f *memoryFile) Sync() sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	f.unlock()
	return 0
}

func (f *memoryFile) Datasync() sys.Errno { return f.Sync() }

func (f *memoryFile) Utimens(atim, mtim int64) sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	f.node.setTimes(atim, mtim)
	return 0
}

func (f *memoryFile) Close() sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	f.closed = true
	f.node.opens--
	f.node.reap()
	return 0
}

// memoryDir is one open directory of a Memory. It remembers the last name it returned instead of a list of all: what
// is there all the time is returned once, whatever changes meanwhile, and thousands of open directories hold nothing.
type memoryDir struct {
	dirBase
	node   *memoryNode
	last   string // "" at the start
	closed bool
}

func (d *memoryDir) Ino() (uint64, sys.Errno) { return d.node.ino, 0 }

func (d *memoryDir) Stat() (stat, sys.Errno) {
	d.node.fs.mu.Lock()
	defer d.node.fs.mu.Unlock()
	if d.closed {
		return stat{}, sys.EBADF
	}
	return d.node.stat(), 0
}

func (d *memoryDir) Seek(offset position, whence int) (int64, sys.Errno) {
	var next int
	to, errno := rewindDir(&next, d.closed, offset, whence)
	if errno == 0 {
		d.last = ""
	}
	return to, errno
}

func (d *memoryDir) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	d.node.fs.mu.Lock()
	defer d.node.fs.mu.Unlock()
	if d.closed {
		return nil, sys.EBADF
	}
	all := d.node.entries()
	next, found := slices.BinarySearchFunc(all, d.last, func(entry sys.Dirent, name string) int {
		return strings.Compare(entry.Name, name)
	})
	if found {
		next++
	}
	entries := nextEntries(all, &next, n)
	if len(entries) > 0 {
		d.last = entries[len(entries)-1].Name
	}
	return entries, 0
}

func (d *memoryDir) Utimens(atim, mtim int64) sys.Errno {
	d.node.fs.mu.Lock()
	defer d.node.fs.mu.Unlock()
	if d.closed {
		return sys.EBADF
	}
	d.node.setTimes(atim, mtim)
	return 0
}

func (d *memoryDir) Close() sys.Errno {
	d.node.fs.mu.Lock()
	defer d.node.fs.mu.Unlock()
	if d.closed {
		return sys.EBADF
	}
	d.closed = true
	return 0
}
