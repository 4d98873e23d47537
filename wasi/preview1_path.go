package wasi

import (
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Flags of path_open.
const (
	openCreate    = 1 << 0
	openDirectory = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3

	followLinks = 1 << 0
)

func pathCreateDirectory(c guestCall) sys.Errno {
	mode := c.takeMode(0o700)
	at, errno := c.locate(c.u32(0), c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	return at.fs.Mkdir(at.path, mode)
}

func pathFilestatGet(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(2), c.u32(3))
	if errno != 0 {
		return errno
	}
	look := at.fs.Stat
	if c.u32(1)&followLinks == 0 {
		look = at.fs.Lstat
	}
	st, errno := look(at.path)
	if errno != 0 {
		return errno
	}
	return c.putStat(c.u32(4), at.mount, st)
}

func pathFilestatSetTimes(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(2), c.u32(3))
	if errno != 0 {
		return errno
	}
	atim, mtim, errno := fileTimes(c.args[4], c.args[5], c.u32(6))
	if errno != 0 {
		return errno
	}
	if c.u32(1)&followLinks == 0 {
		st, errno := at.fs.Lstat(at.path)
		if errno != 0 {
			return errno
		}
		if fileType(st.Mode) == typeSymbolicLink {
			return sys.ENOTSUP
		}
	}
	return at.fs.Utimens(at.path, atim, mtim)
}

// pathLink resolves its paths for the sake of their errors and refuses: a hard link would let one tenant hold a file
// of another past its deletion, and the quota count it twice.
func pathLink(c guestCall) sys.Errno {
	if _, errno := c.locate(c.u32(0), c.u32(2), c.u32(3)); errno != 0 {
		return errno
	}
	if _, errno := c.locate(c.u32(4), c.u32(5), c.u32(6)); errno != 0 {
		return errno
	}
	return sys.EPERM
}

// pathSymlink refuses: the target of a link is a path that nobody has checked.
func pathSymlink(c guestCall) sys.Errno {
	if _, errno := c.locate(c.u32(2), c.u32(3), c.u32(4)); errno != 0 {
		return errno
	}
	return sys.EPERM
}

func pathReadlink(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	target, errno := at.fs.Readlink(at.path)
	if errno != 0 {
		return errno
	}
	b, errno := c.bytes(c.u32(3), c.u32(4))
	if errno != 0 {
		return errno
	}
	return c.putU32(c.u32(5), uint32(copy(b, target)))
}

func pathRemoveDirectory(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	return at.fs.Rmdir(at.path)
}

func pathUnlinkFile(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	return at.fs.Unlink(at.path)
}

func pathRename(c guestCall) sys.Errno {
	from, errno := c.locate(c.u32(0), c.u32(1), c.u32(2))
	if errno != 0 {
		return errno
	}
	to, errno := c.locate(c.u32(3), c.u32(4), c.u32(5))
	switch {
	case errno != 0:
		return errno
	case from.mount != to.mount:
		return EXDEV
	}
	return from.fs.Rename(from.path, to.path)
}

func pathOpen(c guestCall) sys.Errno {
	mode := c.takeMode(0o600)
	at, errno := c.locate(c.u32(0), c.u32(2), c.u32(3))
	if errno != 0 {
		return errno
	}
	flag, errno := openFlags(c.u32(1), c.u32(4), c.u32(7), c.args[5])
	if errno != 0 {
		return errno
	}
	fd, errno := c.files.free()
	if errno != 0 {
		return errno
	}
	d, errno := open(at, flag, mode)
	if errno != 0 {
		return errno
	}
	if errno := c.putU32(c.u32(8), fd); errno != 0 {
		_ = d.file.Close()
		return errno
	}
	c.files.slots[fd] = d
	return 0
}

func open(at location, flag sys.Oflag, mode fsMode) (*descriptor, sys.Errno) {
	file, errno := at.fs.OpenFile(at.path, flag, mode)
	if errno != 0 {
		return nil, errno
	}
	isDir, errno := file.IsDir()
	if errno == 0 && flag&sys.O_DIRECTORY != 0 && !isDir {
		errno = sys.ENOTDIR
	}
	if errno != 0 {
		_ = file.Close()
		return nil, errno
	}
	path := at.path
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	if path == "./" {
		path = "."
	}
	return &descriptor{file: file, mount: at.mount, path: path, dir: isDir, flags: flag}, 0
}

// openFlags says in terms of an FS what a guest wants. The rights choose between reading and writing, for there is
// nothing else in WASI that does; without either, a flag that changes files asks for both.
func openFlags(lookup, oflags, fdflags uint32, rights uint64) (sys.Oflag, sys.Errno) {
	if oflags&(openCreate|openDirectory) == openCreate|openDirectory {
		return 0, sys.EINVAL
	}
	var flag sys.Oflag
	for _, f := range [...]struct {
		set  bool
		flag sys.Oflag
	}{
		{lookup&followLinks == 0, sys.O_NOFOLLOW},
		{oflags&openCreate != 0, sys.O_CREAT},
		{oflags&openDirectory != 0, sys.O_DIRECTORY},
		{oflags&openExclusive != 0, sys.O_EXCL},
		{oflags&openTruncate != 0, sys.O_TRUNC},
		{fdflags&fdflagAppend != 0, sys.O_APPEND},
		{fdflags&fdflagDsync != 0, sys.O_DSYNC},
		{fdflags&(fdflagRsync|fdflagSync) != 0, sys.O_SYNC},
	} {
		if f.set {
			flag |= f.flag
		}
	}
	switch reads, writesToo := rights&rightRead != 0, rights&rightWrite != 0; {
	case reads && writesToo, !reads && !writesToo && writes(flag):
		flag |= sys.O_RDWR
	case writesToo:
		flag |= sys.O_WRONLY
	}
	return flag, 0
}
