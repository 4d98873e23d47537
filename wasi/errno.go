package wasi

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// wazero's Errno lacks the numbers that a full disk, a full descriptor table or a rename between mounts need, and
// turns what it does not know into EIO. extended + WASI number stands for them: the functions of Instantiate hand the
// guest the right number, anything else that sees one still gets an error.
const extended sys.Errno = 0x1000

// Error numbers that a file system of this package answers beside those of wazero's experimental/sys.
const (
	EFBIG  = extended + 22 // a file would grow past what can be addressed
	EILSEQ = extended + 25 // a path is not UTF-8
	EMFILE = extended + 33 // Policy.MaxOpenFiles descriptors are open
	ENOSPC = extended + 51 // the quota, or the disk below it, is full
	EXDEV  = extended + 75 // a rename between two mounts
	EBUSY  = extended + 10 // the root of a mount was to be removed or replaced
	ESPIPE = extended + 70 // a seek in a stream
	ENFILE = extended + 41 // the host is out of descriptors
	EMLINK = extended + 34 // a directory has too many entries
	ENOLCK = extended + 46 // abi.MaxLocks ranges are locked
)

// toWASI returns the number that wasi_snapshot_preview1 gives to errno.
func toWASI(errno sys.Errno) uint32 {
	if errno >= extended {
		return uint32(errno - extended)
	}
	if n, ok := preview1Number(errno); ok {
		return n
	}
	return 29 // EIO
}

func preview1Number(errno sys.Errno) (uint32, bool) {
	numbers := [...]uint32{
		0:                0,
		sys.EACCES:       2,
		sys.EAGAIN:       6,
		sys.EBADF:        8,
		sys.EEXIST:       20,
		sys.EFAULT:       21,
		sys.EINTR:        27,
		sys.EINVAL:       28,
		sys.EIO:          29,
		sys.EISDIR:       31,
		sys.ELOOP:        32,
		sys.ENAMETOOLONG: 37,
		sys.ENOENT:       44,
		sys.ENOSYS:       52,
		sys.ENOTDIR:      54,
		sys.ERANGE:       68,
		sys.ENOTEMPTY:    55,
		sys.ENOTSOCK:     57,
		sys.ENOTSUP:      58,
		sys.EPERM:        63,
		sys.EROFS:        69,
	}
	if int(errno) >= len(numbers) {
		return 0, false
	}
	return numbers[errno], true
}

// errnoOf translates an error of package os. What os.Root itself refuses carries no number: it left the root, which
// is EPERM like every other escape.
func errnoOf(err error) sys.Errno {
	var number syscall.Errno
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return 0
	case errors.Is(err, fs.ErrClosed):
		return sys.EBADF
	case errors.As(err, &number):
		return errnoOfNumber(number)
	case errors.Is(err, fs.ErrInvalid):
		return sys.EINVAL
	}
	return sys.EPERM
}

func errnoOfNumber(number syscall.Errno) sys.Errno {
	switch number {
	case syscall.ENOSPC, syscall.EDQUOT:
		return ENOSPC
	case syscall.EFBIG:
		return EFBIG
	case syscall.EMFILE, syscall.ENFILE:
		return ENFILE
	case syscall.EXDEV:
		return EXDEV
	case syscall.EBUSY:
		return EBUSY
	case syscall.EMLINK:
		return EMLINK
	case syscall.ENOLCK:
		return ENOLCK
	case syscall.ESPIPE:
		return ESPIPE
	case syscall.ENXIO, syscall.ENODEV:
		return sys.EACCES // a fifo, socket or device, which the sandbox does not open
	}
	return sys.UnwrapOSError(number)
}
