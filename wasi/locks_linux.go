package wasi

import (
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/abi"
)

// setLock takes or gives up a lock that belongs to the open file f, without waiting.
func setLock(f *os.File, r lockRange) error {
	return control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, kernelLock(r)) })
}

// testLock returns a lock of others that would be in the way of r.
func testLock(f *os.File, r lockRange) (lockRange, error) {
	l := kernelLock(r)
	if err := control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, l) }); err != nil {
		return lockRange{}, err
	}
	found := lockRange{kind: abi.LockNone}
	switch l.Type {
	case unix.F_RDLCK:
		found.kind = abi.LockShared
	case unix.F_WRLCK:
		found.kind = abi.LockExclusive
	default:
		return found, nil
	}
	found.start, found.end = l.Start, endOf(l.Start, l.Len)
	return found, nil
}

func kernelLock(r lockRange) *unix.Flock_t {
	l := &unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart, Start: r.start, Len: lengthTo(r)}
	switch r.kind {
	case abi.LockShared:
		l.Type = unix.F_RDLCK
	case abi.LockExclusive:
		l.Type = unix.F_WRLCK
	}
	return l
}

// flock is flock(2), without waiting.
func flock(f *os.File, kind uint32) error {
	how := unix.LOCK_UN
	switch kind {
	case abi.FlockShared:
		how = unix.LOCK_SH
	case abi.FlockExclusive:
		how = unix.LOCK_EX
	}
	return control(f, func(fd int) error { return unix.Flock(fd, how|unix.LOCK_NB) })
}
