package wasi

import "github.com/tetratelabs/wazero/experimental/sys"

func fdDup(c guestCall) sys.Errno {
	fd, errno := c.files.duplicate(c.u32(0), c.u32(1))
	if errno != 0 {
		return errno
	}
	if errno := c.putU32(c.u32(2), fd); errno != 0 {
		_ = c.files.remove(fd)
		return errno
	}
	return 0
}

func fdDup2(c guestCall) sys.Errno {
	c.unlockReplaced(c.u32(0), c.u32(1))
	return c.files.replace(c.u32(0), c.u32(1))
}

// unlockReplaced ends the locks that end when the number to is closed in favour of from.
func (c guestCall) unlockReplaced(from, to uint32) {
	if _, errno := c.files.get(from); errno == 0 && from != to {
		c.unlockFile(to)
	}
}

// duplicate gives what fd stands for a second number, the lowest from least on that is free.
func (t *table) duplicate(fd, least uint32) (uint32, sys.Errno) {
	d, errno := t.get(fd)
	switch {
	case errno != 0:
		return 0, errno
	case uint64(least) >= uint64(t.limit):
		return 0, sys.EINVAL
	}
	made, errno := t.freeFrom(least)
	if errno != 0 {
		return 0, errno
	}
	t.slots[made] = d.share()
	return made, 0
}

// replace makes to stand for what fd stands for, and closes what it stood for. Mounts stay where wasi-libc looks for
// them.
func (t *table) replace(fd, to uint32) sys.Errno {
	d, errno := t.get(fd)
	switch {
	case errno != 0:
		return errno
	case uint64(to) >= uint64(t.limit):
		return sys.EBADF
	case fd == to:
		return 0
	case t.isMount(to):
		return sys.ENOTSUP
	}
	t.grow(to)
	old := t.slots[to]
	t.slots[to] = d.share()
	return old.drop()
}

// grow makes room for the number fd, which is below the limit.
func (t *table) grow(fd uint32) {
	for uint64(len(t.slots)) <= uint64(fd) {
		t.slots = append(t.slots, nil)
	}
}

func (t *table) isMount(fd uint32) bool {
	return uint64(fd) < uint64(len(t.fixed)) && t.fixed[fd].mount != nil
}

// share counts another number for d. Stdio and mounts are there until the end of the table.
func (d *descriptor) share() *descriptor {
	d.shared++
	return d
}

// drop takes one number away, and closes the file with the last. nil is a number that stood for nothing.
func (d *descriptor) drop() sys.Errno {
	switch {
	case d == nil || d.fixed:
		return 0
	case d.shared > 0:
		d.shared--
		return 0
	}
	return d.file.Close()
}
