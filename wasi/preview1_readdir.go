package wasi

import (
	"encoding/binary"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const (
	direntSize = 24
	// listingBatch is how many entries of a directory the host holds for an open descriptor, whatever its size.
	listingBatch = 256
)

// listing is a window on a directory that is being read. A cookie is the number of entries before it; the guest asks
// again for the entry that did not fit, hence the window, and may start again at 0. Going back further than the window
// costs a rewind.
type listing struct {
	first   uint64 // the cookie of entries[0]
	entries []sys.Dirent
	started bool
	end     bool // the directory has no entry after the window
	size    int64
}

// entrySize is what an entry takes beside its name, in bytes.
const entrySize = 48

// from returns the entries after cookie, none at the end of the directory.
func (l *listing) from(file File, cookie uint64) ([]sys.Dirent, sys.Errno) {
	if !l.started || cookie == 0 || cookie < l.first {
		if errno := l.rewind(file); errno != 0 {
			return nil, errno
		}
	}
	for cookie >= l.first+uint64(len(l.entries)) {
		if l.end {
			return nil, 0
		}
		if errno := l.advance(file); errno != 0 {
			return nil, errno
		}
	}
	return l.entries[cookie-l.first:], 0
}

// rewind starts with the two entries that no FS returns. The parent's number is 0: it may lie outside the mount.
func (l *listing) rewind(file File) sys.Errno {
	ino, errno := file.Ino()
	if errno != 0 {
		return errno
	}
	if _, errno := file.Seek(0, io.SeekStart); errno != 0 {
		return errno
	}
	dots := []sys.Dirent{{Name: ".", Ino: ino, Type: fs.ModeDir}, {Name: "..", Type: fs.ModeDir}}
	*l = listing{entries: dots, started: true}
	return 0
}

func (l *listing) advance(file File) sys.Errno {
	entries, errno := file.Readdir(listingBatch)
	if errno != 0 {
		return errno
	}
	l.first += uint64(len(l.entries))
	l.entries, l.size = entries, 0
	for i := range entries {
		l.size += entrySize + int64(len(entries[i].Name))
	}
	l.end = len(entries) < listingBatch
	return 0
}

// fdReaddir fills the buffer with entries. The last may be cut short, which with a full buffer tells the guest that
// there are more.
func fdReaddir(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	switch {
	case errno != 0:
		return errno
	case !d.dir:
		return sys.EBADF
	}
	buf, errno := c.bytes(c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	used := 0
	for cookie := c.args[3]; used < len(buf); {
		entries, errno := d.listing.from(d.file, cookie)
		if errno != 0 {
			return errno
		}
		if len(entries) == 0 {
			break
		}
		for i := range entries {
			cookie++
			used += putDirent(buf[used:], cookie, &entries[i])
		}
	}
	return c.putU32(c.u32(4), uint32(used))
}

// putDirent writes as much of the entry as fits and returns how much that was.
func putDirent(buf []byte, next uint64, entry *sys.Dirent) int {
	var head [direntSize]byte
	binary.LittleEndian.PutUint64(head[0:], next)
	binary.LittleEndian.PutUint64(head[8:], entry.Ino)
	binary.LittleEndian.PutUint32(head[16:], uint32(len(entry.Name)))
	head[20] = fileType(entry.Type)
	n := copy(buf, head[:])
	return n + copy(buf[n:], entry.Name)
}
