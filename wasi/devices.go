package wasi

import (
	"crypto/rand"
	"io/fs"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Devices returns a /dev with the files that programs take for granted: null, zero, full, random and urandom, as
// Linux has them. Nothing can be made or removed there. It keeps nothing, is the same for everybody, and is safe for
// concurrent use.
func Devices() FS { return devices{} }

type devices struct{ readOnlyFS }

// deviceNames are in the order of the directory; a number of a file is its place from 2 on.
func deviceNames() []string { return []string{"full", "null", "random", "urandom", "zero"} }

// find returns the name of a device, or "." for the directory.
func (devices) find(path string) (string, sys.Errno) {
	name, dir, errno := parsePath(path)
	if errno != 0 || name == "." {
		return name, errno
	}
	first, _, below := strings.Cut(name, "/")
	switch known := slices.Contains(deviceNames(), first); {
	case !known:
		return name, sys.ENOENT
	case below || dir:
		return name, sys.ENOTDIR
	}
	return name, 0
}

func (d devices) Stat(path string) (stat, sys.Errno) {
	name, errno := d.find(path)
	if errno != 0 {
		return stat{}, errno
	}
	return deviceStat(name), 0
}

func (d devices) Lstat(path string) (stat, sys.Errno) { return d.Stat(path) }

func (d devices) Unlink(path string) sys.Errno          { return refuseRemoval(d.Lstat(path)) }
func (d devices) Rmdir(path string) sys.Errno           { return refuseRemoval(d.Lstat(path)) }
func (d devices) Mkdir(path string, _ fsMode) sys.Errno { return refuseMaking(d.Lstat(path)) }

func (d devices) Readlink(path string) (string, sys.Errno) {
	if _, errno := d.find(path); errno != 0 {
		return "", errno
	}
	return "", sys.EINVAL
}

func (d devices) OpenFile(path string, flag sys.Oflag, _ fsMode) (File, sys.Errno) {
	name, errno := d.find(path)
	create := flag&sys.O_CREAT != 0
	switch {
	case errno == sys.ENOENT && create:
		return nil, sys.EROFS
	case errno != 0:
		return nil, errno
	case create && flag&sys.O_EXCL != 0:
		return nil, sys.EEXIST
	case name == "." && writes(flag):
		return nil, sys.EISDIR
	case name == ".":
		return &deviceDir{}, 0
	case flag&sys.O_DIRECTORY != 0:
		return nil, sys.ENOTDIR
	}
	return &device{name: name, flag: flag}, 0
}

func deviceStat(name string) stat {
	if name == "." {
		return stat{Ino: 1, Mode: fs.ModeDir | 0o555, Nlink: 1}
	}
	return stat{Ino: deviceIno(name), Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Nlink: 1}
}

func deviceIno(name string) uint64 { return uint64(slices.Index(deviceNames(), name)) + 2 }

// deviceChunk is how much one read gives, about a millisecond's worth of random bytes; nothing interrupts it.
const deviceChunk = 1 << 20

// device is one open file of Devices.
type device struct {
	sys.UnimplementedFile
	name   string
	flag   sys.Oflag
	closed bool
}

func (f *device) Stat() (stat, sys.Errno) {
	if f.closed {
		return stat{}, sys.EBADF
	}
	return deviceStat(f.name), 0
}

func (f *device) Ino() (uint64, sys.Errno)       { return deviceIno(f.name), 0 }
func (f *device) IsAppend() bool                 { return f.flag&sys.O_APPEND != 0 }
func (f *device) SetAppend(bool) sys.Errno       { return 0 }
func (f *device) Truncate(int64) sys.Errno       { return sys.EINVAL }
func (f *device) Sync() sys.Errno                { return sys.EINVAL }
func (f *device) Datasync() sys.Errno            { return sys.EINVAL }
func (f *device) Utimens(int64, int64) sys.Errno { return sys.EROFS }

func (f *device) Read(buf []byte) (int, sys.Errno) {
	if f.closed || !canRead(f.flag) {
		return 0, sys.EBADF
	}
	buf = buf[:min(len(buf), deviceChunk)]
	switch f.name {
	case "null":
		return 0, 0
	case "random", "urandom":
		_, _ = rand.Read(buf) // never fails
	default:
		clear(buf)
	}
	return len(buf), 0
}

func (f *device) Write(buf []byte) (int, sys.Errno) {
	switch {
	case f.closed || !canWrite(f.flag):
		return 0, sys.EBADF
	case f.name == "full" && len(buf) > 0:
		return 0, ENOSPC
	}
	return len(buf), 0
}

func (f *device) Pread(buf []byte, off int64) (int, sys.Errno) {
	if off < 0 {
		return 0, sys.EINVAL
	}
	return f.Read(buf)
}

func (f *device) Pwrite(buf []byte, off int64) (int, sys.Errno) {
	if off < 0 {
		return 0, sys.EINVAL
	}
	return f.Write(buf)
}

// Seek stays at the start, as on Linux.
func (f *device) Seek(_ position, whence int) (int64, sys.Errno) {
	switch {
	case f.closed:
		return 0, sys.EBADF
	case whence < 0 || whence > 2:
		return 0, sys.EINVAL
	}
	return 0, 0
}

func (f *device) Close() sys.Errno {
	if f.closed {
		return sys.EBADF
	}
	f.closed = true
	return 0
}

// deviceDir is the open directory of Devices.
type deviceDir struct {
	dirBase
	next   int
	closed bool
}

func (d *deviceDir) Stat() (stat, sys.Errno) {
	if d.closed {
		return stat{}, sys.EBADF
	}
	return deviceStat("."), 0
}

func (d *deviceDir) Ino() (uint64, sys.Errno)       { return 1, 0 }
func (d *deviceDir) Utimens(int64, int64) sys.Errno { return sys.EROFS }

func (d *deviceDir) Seek(offset position, whence int) (int64, sys.Errno) {
	return rewindDir(&d.next, d.closed, offset, whence)
}

func (d *deviceDir) Readdir(n int) ([]sys.Dirent, sys.Errno) {
	if d.closed {
		return nil, sys.EBADF
	}
	var entries []sys.Dirent
	for _, name := range deviceNames() {
		entries = append(entries, sys.Dirent{Name: name, Type: fs.ModeDevice | fs.ModeCharDevice, Ino: deviceIno(name)})
	}
	return nextEntries(entries, &d.next, n), 0
}

func (d *deviceDir) Close() sys.Errno {
	if d.closed {
		return sys.EBADF
	}
	d.closed = true
	return 0
}
