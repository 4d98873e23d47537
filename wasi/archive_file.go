package wasi

import (
	"archive/zip"
	"fmt"
	"io"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// archiveFile is one open file of an archive.
type archiveFile struct {
	sys.UnimplementedFile
	archive *archive
	node    *archiveNode
	content io.ReaderAt // nil until the first read
	offset  int64
	closed  bool
}

func (f *archiveFile) Stat() (stat, sys.Errno) {
	if f.closed {
		return stat{}, sys.EBADF
	}
	return f.node.stat(), 0
}

func (f *archiveFile) Ino() (uint64, sys.Errno)              { return f.node.ino, 0 }
func (f *archiveFile) Write([]byte) (int, sys.Errno)         { return 0, sys.EBADF }
func (f *archiveFile) Truncate(int64) sys.Errno              { return sys.EROFS }
func (f *archiveFile) Utimens(int64, int64) sys.Errno        { return sys.EROFS }
func (f *archiveFile) SetAppend(bool) sys.Errno              { return 0 }
func (f *archiveFile) Pwrite([]byte, int64) (int, sys.Errno) { return 0, sys.EBADF }

func (f *archiveFile) Read(buf []byte) (int, sys.Errno) {
	n, errno := f.Pread(buf, f.offset)
	f.offset += int64(n)
	return n, errno
}

func (f *archiveFile) Pread(buf []byte, off int64) (int, sys.Errno) {
	switch {
	case f.closed:
		return 0, sys.EBADF
	case off < 0:
		return 0, sys.EINVAL
	case off >= f.node.size || len(buf) == 0:
		return 0, 0
	}
	if f.content == nil {
		content, err := f.archive.open(f.node)
		if err != nil {
			return 0, sys.EIO
		}
		f.content = content
	}
	n, err := f.content.ReadAt(buf, off)
	if n == 0 && err != nil && err != io.EOF {
		return 0, sys.EIO
	}
	return n, 0
}

func (f *archiveFile) Seek(offset position, whence int) (int64, sys.Errno) {
	if f.closed {
		return 0, sys.EBADF
	}
	to, errno := seekTo(f.offset, f.node.size, offset, whence)
	if errno == 0 {
		f.offset = to
	}
	return to, errno
}

func (f *archiveFile) Close() sys.Errno {
	if f.closed {
		return sys.EBADF
	}
	f.closed, f.content = true, nil
	return 0
}

// seekTo is lseek: past the end is allowed, before the beginning is not.
func seekTo(current, size, offset int64, whence int) (int64, sys.Errno) {
	var base int64
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		base = current
	case io.SeekEnd:
		base = size
	default:
		return 0, sys.EINVAL
	}
	to := base + offset
	if to < 0 || offset > 0 && to < base {
		return 0, sys.EINVAL
	}
	return to, 0
}

// open returns the content of a file: in place when the archive stores it as it is, inflated else.
func (a *archive) open(n *archiveNode) (io.ReaderAt, error) {
	if n.entry.Method == zip.Store {
		raw, err := n.entry.OpenRaw()
		if err != nil {
			return nil, err
		}
		if at, ok := raw.(io.ReaderAt); ok && n.entry.CompressedSize64 == n.entry.UncompressedSize64 {
			return at, nil
		}
	}
	return a.cache.get(n, inflate)
}

func inflate(n *archiveNode) ([]byte, error) {
	r, err := n.entry.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	content := make([]byte, n.size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, err
	}
	// The checksum is looked at when the reader comes to its end, and a longer file is none of ours.
	if extra, err := r.Read(make([]byte, 1)); extra != 0 || err != io.EOF {
		return nil, fmt.Errorf("wasi: the archive's entry %q is damaged: %w", n.entry.Name, zip.ErrFormat)
	}
	return content, nil
}

// archiveDir is one open directory of an archive.
type archiveDir struct {
	dirBase
	node   *archiveNode
	next   int
	closed bool
}

func (d *archiveDir) Stat() (stat, sys.Errno) {
	if d.closed {
		return stat{}, sys.EBADF
	}
	return d.node.stat(), 0
}

func (d *archiveDir) Ino() (uint64, sys.Errno)       { return d.node.ino, 0 }
func (d *archiveDir) Utimens(int64, int64) sys.Errno { return sys.EROFS }

func (d *archiveDir) Seek(offset position, whence int) (int64, sys.Errno) {
	return rewindDir(&d.next, d.closed, offset, whence)
}

func (d *archiveDir) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if d.closed {
		return nil, sys.EBADF
	}
	return nextEntries(d.node.children, &d.next, n), 0
}

func (d *archiveDir) Close() sys.Errno {
	if d.closed {
		return sys.EBADF
	}
	d.closed = true
	return 0
}

// rewindDir is Seek of a directory: to its start or nowhere.
func rewindDir(next *int, closed bool, offset int64, whence int) (int64, sys.Errno) {
	switch {
	case closed:
		return 0, sys.EBADF
	case offset != 0 || whence != io.SeekStart:
		return 0, sys.EINVAL
	}
	*next = 0
	return 0, 0
}

// nextEntries returns at most n entries from *next on, all of them for n <= 0.
func nextEntries(entries []sys.Dirent, next *int, n int) []sys.Dirent {
	rest := entries[*next:]
	if n > 0 && n < len(rest) {
		rest = rest[:n]
	}
	*next += len(rest)
	return rest[:len(rest):len(rest)]
}
