package wasi

import (
	"io/fs"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

// Permission bits of the owner, who is the guest: every file belongs to its one user.
const (
	ownerRead   = 0o400
	ownerWrite  = 0o200
	ownerSearch = 0o100
)

// modeBits are the permissions as they lie in a filestat, beside the type.
func modeBits(mode fsMode) uint64 {
	const shift = 8 * (abi.FileModeOffset - 16)
	bits := abi.FileModeKnown | mode.Perm()
	if mode&mounted != 0 {
		bits |= abi.FileModeMounted
	}
	return uint64(bits) << shift
}

// modes is the part of a sandbox that knows what mode the next file is made with.
type modes struct {
	next  fsMode
	known bool
}

// takeMode returns the mode that was announced, once, and otherwise usual.
func (s *Sandbox) takeMode(usual fsMode) fsMode {
	m := s.modes
	s.modes = modes{}
	if m.known {
		return m.next
	}
	return usual
}

func createMode(c guestCall) sys.Errno {
	c.modes = modes{fsMode(c.u32(0)).Perm(), true}
	return 0
}

// chmodder is an open file whose mode can be changed.
type chmodder interface{ chmod(mode fsMode) sys.Errno }

func fdChmod(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	if f, ok := d.file.(chmodder); ok {
		return f.chmod(fsMode(c.u32(1)).Perm())
	}
	if d.mount == nil {
		return sys.EPERM
	}
	return sys.EROFS
}

func pathChmod(c guestCall) sys.Errno {
	at, errno := c.locate(c.u32(0), c.u32(2), c.u32(3))
	if errno != 0 {
		return errno
	}
	st, errno := at.fs.Lstat(at.path)
	switch {
	case errno != 0:
		return errno
	case c.u32(1)&followLinks == 0 && fileType(st.Mode) == typeSymbolicLink:
		return sys.ENOTSUP
	}
	return at.fs.Chmod(at.path, fsMode(c.u32(4)).Perm())
}

// permits says whether a file of this mode may be opened so. Who owns a file and may not read it gets EACCES; a host that
// runs as root would not be told so by the kernel.
func permits(mode fsMode, flag sys.Oflag) sys.Errno {
	var wanted fsMode
	if canRead(flag) {
		wanted |= ownerRead
	}
	if canWrite(flag) || flag&sys.O_TRUNC != 0 {
		wanted |= ownerWrite
	}
	if mode&wanted != wanted {
		return sys.EACCES
	}
	return 0
}

// What files have that are mounted read-only. Their owner may write to them as far as the mode goes, as where pip or git
// put them, so that a copy that keeps modes (shutil.copytree) can be written to; to write to the file itself is EROFS.
const (
	readOnlyFile   = mounted | 0o644
	readOnlyFolder = mounted | 0o755 // and programs

	// mounted marks a file of a read-only mount. It is a bit that no file of Unix has.
	mounted = fs.ModeExclusive
)

// readOnlyMode is what a guest sees of a file that is mounted read-only.
func readOnlyMode(mode fsMode) fsMode {
	switch {
	case mode.IsDir(), mode.IsRegular() && mode&ownerSearch != 0:
		return mode.Type() | readOnlyFolder
	case mode.IsRegular():
		return readOnlyFile
	}
	return mode
}

// writableMode is what a file of the host gets when a guest wants mode. The host must be able to read what it keeps, and
// to walk it. The sticky bit notes that the guest has none of that; it means nothing for files, and in a folder only that
// others than its owner remove nothing.
func writableMode(mode fsMode, dir bool) fsMode {
	mode = mode.Perm()
	if mode&hostNeeds(dir) == 0 {
		mode |= fs.ModeSticky
	}
	return mode | hostNeeds(dir)
}

func hostNeeds(dir bool) fsMode {
	if dir {
		return ownerRead | ownerSearch
	}
	return ownerRead
}

// writableStat is what a guest sees of such a file.
func writableStat(st stat, errno sys.Errno) (stat, sys.Errno) {
	if (st.Mode.IsRegular() || st.Mode.IsDir()) && st.Mode&fs.ModeSticky != 0 {
		st.Mode &^= fs.ModeSticky | hostNeeds(st.Mode.IsDir())
	}
	return st, errno
}

// mayChange says whether the names in the directory of name may be changed. The kernel knows, but tells no root.
func (d *writableDir) mayChange(name string) sys.Errno {
	if os.Geteuid() != 0 {
		return 0
	}
	parent, _ := splitPath(name)
	if info, err := d.root.Stat(parent); err == nil && info.Mode()&ownerWrite == 0 {
		return sys.EACCES
	}
	return 0
}

// Chmod changes a file through a descriptor of it, which is inside: fchmodat of a path is not allowed to a worker.
func (d *writableDir) Chmod(path string, mode fs.FileMode) sys.Errno {
	name, mustDir, errno := parsePath(path)
	if errno != 0 {
		return errno
	}
	f, st, errno := d.openHost(name, sys.O_RDONLY, mustDir, 0)
	if errno != 0 {
		return errno
	}
	defer func() { _ = f.Close() }()
	return chmodHost(f, mode, st.Mode.IsDir())
}

func chmodHost(f *os.File, mode fsMode, dir bool) sys.Errno {
	return errnoOf(f.Chmod(writableMode(mode, dir)))
}

func (f *hostFile) chmod(mode fsMode) sys.Errno {
	switch {
	case f.done:
		return sys.EBADF
	case f.quota == nil:
		return sys.EROFS
	}
	return chmodHost(f.f, mode, false)
}

func (d *hostDir) chmod(mode fsMode) sys.Errno {
	if !d.writable {
		return sys.EROFS
	}
	return chmodHost(d.f, mode, true)
}

func (d *rootDir) chmod(mode fsMode) sys.Errno { return d.fs.Chmod(".", mode) }

func (m *memory) Chmod(path string, mode fs.FileMode) sys.Errno {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, errno := m.at(path)
	if errno != 0 {
		return errno
	}
	n.chmod(mode)
	return 0
}

func (n *memoryNode) chmod(mode fsMode) {
	n.mode = n.mode.Type() | mode.Perm()
	n.setTimes(sys.UTIME_OMIT, sys.UTIME_OMIT)
}

func (f *memoryFile) chmod(mode fsMode) sys.Errno {
	if errno := f.lock(); errno != 0 {
		return errno
	}
	defer f.unlock()
	f.node.chmod(mode)
	return 0
}

func (d *memoryDir) chmod(mode fsMode) sys.Errno {
	d.node.fs.mu.Lock()
	defer d.node.fs.mu.Unlock()
	if d.closed {
		return sys.EBADF
	}
	d.node.chmod(mode)
	return 0
}

// may says whether the guest may do with a directory what the bits stand for.
func (n *memoryNode) may(bits fsMode) sys.Errno {
	if n.mode&bits != bits {
		return sys.EACCES
	}
	return 0
}
