package wasi

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"strconv"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// direntBuffer is how much of a directory one system call returns.
const direntBuffer = 8 << 10

// dirReader reads a directory with getdents64. Package os has the numbers of the files only for a further system call
// each, and wasi-libc makes one, through the guest, for each entry without a number.
type dirReader struct {
	buf  []byte // allocated by the first read
	rest []byte // what of buf has not been parsed
}

func (r *dirReader) rewind(f *os.File) error {
	r.rest = nil
	return control(f, func(fd int) error {
		_, err := unix.Seek(fd, 0, unix.SEEK_SET)
		return err
	})
}

// read returns up to n entries, all that are left for n <= 0. Fewer than n are the last.
func (r *dirReader) read(f *os.File, n int) ([]sys.Dirent, error) {
	var entries []sys.Dirent
	for n <= 0 || len(entries) < n {
		if len(r.rest) == 0 {
			if err := r.fill(f); err != nil || len(r.rest) == 0 {
				return entries, err
			}
		}
		if entry, ok := r.next(); ok {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

func (r *dirReader) fill(f *os.File) error {
	if r.buf == nil {
		r.buf = make([]byte, direntBuffer)
	}
	return control(f, func(fd int) error {
		n, err := unix.Getdents(fd, r.buf)
		r.rest = r.buf[:max(n, 0)]
		if err == unix.ENOENT {
			return nil // the directory was removed, and POSIX wants an end, not an error
		}
		return err
	})
}

// next parses one linux_dirent64: number u64, offset i64, length u16, type u8, name. The entries of the directory
// itself and of its parent are left out.
func (r *dirReader) next() (sys.Dirent, bool) {
	record := r.rest[:binary.NativeEndian.Uint16(r.rest[16:])]
	r.rest = r.rest[len(record):]
	name, _, _ := bytes.Cut(record[19:], []byte{0})
	if string(name) == "." || string(name) == ".." {
		return sys.Dirent{}, false
	}
	return sys.Dirent{
		Ino:  binary.NativeEndian.Uint64(record),
		Name: string(name),
		Type: direntType(record[18]),
	}, true
}

// direntType knows what a guest can do something with; a file system that does not tell the type makes the guest ask.
func direntType(kind byte) fs.FileMode {
	switch kind {
	case unix.DT_REG:
		return 0
	case unix.DT_DIR:
		return fs.ModeDir
	case unix.DT_LNK:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}

// setTimes is futimens, which golang.org/x/sys lacks: utimensat without a path works on the descriptor.
func setTimes(f *os.File, atim, mtim int64) error {
	times := [2]unix.Timespec{timespecOf(atim), timespecOf(mtim)}
	return control(f, func(fd int) error {
		_, _, number := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if number != 0 {
			return number
		}
		return nil
	})
}

func timespecOf(nanos int64) unix.Timespec {
	if nanos == sys.UTIME_OMIT {
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return unix.NsecToTimespec(nanos)
}

func datasync(f *os.File) error { return control(f, unix.Fdatasync) }

// duplicate opens a second descriptor for what f has open: anew, with a position of its own, where /proc shows it, and
// else one that shares the position.
func duplicate(f *os.File) (second *os.File, alone bool, err error) {
	var own int
	err = control(f, func(fd int) (err error) {
		own, err = unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err == nil {
		return os.NewFile(uintptr(own), f.Name()), true, nil
	}
	err = control(f, func(fd int) (err error) {
		own, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return os.NewFile(uintptr(own), f.Name()), false, nil
}
