package wasi

import (
	"errors"
	"slices"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// descriptor is what a number of the guest stands for.
type descriptor struct {
	file  File
	mount *mount // nil for stdio
	path  string // clean, within mount; a rename of the file does not change it
	dir   bool
	fixed bool // stdio and mounts: not counted, not closed by the guest
	flags sys.Oflag
	// nonblock is O_NONBLOCK as the guest set it; files never block.
	nonblock bool
	shared   int // numbers that stand for it beside the first

	listing listing
}

// table gives out descriptors. Unlike wazero's it has an end, so that neither a loop of opens nor one renumber to
// 2³¹-1 (16 GiB of table) can exhaust the host.
type table struct {
	slots []*descriptor
	fixed []*descriptor // stdio and mounts: the first numbers, and what reset puts back there
	limit int
}

// newTable starts with the fixed descriptors and has room for extra more.
func newTable(fixed []*descriptor, extra int) *table {
	return &table{slots: slices.Clone(fixed), fixed: fixed, limit: len(fixed) + extra}
}

// reset closes everything: what is fixed opens again when it is used, the rest is gone.
func (t *table) reset() error {
	var errs []error
	closing := func(d *descriptor, errno sys.Errno) {
		if errno != 0 {
			errs = append(errs, errno)
		}
		if d != nil {
			d.listing = listing{}
		}
	}
	for _, d := range t.slots {
		closing(d, d.drop())
	}
	for _, d := range t.fixed {
		d.shared = 0
		closing(d, d.file.Close())
	}
	clear(t.slots)
	t.slots = append(t.slots[:0], t.fixed...)
	return errors.Join(errs...)
}

// opened reports whether a number stands for something else than at the start.
func (t *table) opened(fd int) bool {
	d := t.slots[fd]
	return d != nil && (fd >= len(t.fixed) || d != t.fixed[fd])
}

func (t *table) get(fd uint32) (*descriptor, sys.Errno) {
	if uint64(fd) >= uint64(len(t.slots)) || t.slots[fd] == nil {
		return nil, sys.EBADF
	}
	return t.slots[fd], 0
}

// free returns the lowest number that is not in use, as POSIX promises.
func (t *table) free() (uint32, sys.Errno) { return t.freeFrom(0) }

// freeFrom is free for numbers from least on.
func (t *table) freeFrom(least uint32) (uint32, sys.Errno) {
	for i := int(least); i < len(t.slots); i++ {
		if t.slots[i] == nil {
			return uint32(i), 0
		}
	}
	next := max(len(t.slots), int(least))
	if next >= t.limit {
		return 0, EMFILE
	}
	t.grow(uint32(next))
	return uint32(next), 0
}

func (t *table) remove(fd uint32) sys.Errno {
	d, errno := t.get(fd)
	switch {
	case errno != 0:
		return errno
	case int64(fd) < int64(len(t.fixed)):
		return sys.ENOTSUP
	}
	t.slots[fd] = nil
	return d.drop()
}

// move makes to stand for what from stands for. Both must be open, which bounds to; neither may be of the first.
func (t *table) move(from, to uint32) sys.Errno {
	source, errno := t.get(from)
	if errno != 0 {
		return errno
	}
	target, errno := t.get(to)
	switch {
	case errno != 0:
		return errno
	case min(int64(from), int64(to)) < int64(len(t.fixed)):
		return sys.ENOTSUP
	case from == to:
		return 0
	}
	t.slots[to], t.slots[from] = source, nil
	return target.drop()
}

// rootDir is the root of a mount, opened when somebody first lists it: most mounts never are.
type rootDir struct {
	dirBase
	fs   FS
	open File
}

func (d *rootDir) file() (File, sys.Errno) {
	if d.open == nil {
		f, errno := d.fs.OpenFile(".", sys.O_RDONLY|sys.O_DIRECTORY, 0)
		if errno != 0 {
			return nil, errno
		}
		d.open = f
	}
	return d.open, 0
}

func (d *rootDir) Stat() (stat, sys.Errno) { return d.fs.Stat(".") }

func (d *rootDir) Ino() (uint64, sys.Errno) {
	st, errno := d.fs.Stat(".")
	return st.Ino, errno
}

func (d *rootDir) Seek(offset position, whence int) (int64, sys.Errno) {
	f, errno := d.file()
	if errno != 0 {
		return 0, errno
	}
	return f.Seek(offset, whence)
}

func (d *rootDir) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	f, errno := d.file()
	if errno != 0 {
		return nil, errno
	}
	return f.Readdir(n)
}

func (d *rootDir) Utimens(atim, mtim int64) sys.Errno { return d.fs.Utimens(".", atim, mtim) }

func (d *rootDir) Close() sys.Errno {
	if d.open == nil {
		return 0
	}
	f := d.open
	d.open = nil
	return f.Close()
}
