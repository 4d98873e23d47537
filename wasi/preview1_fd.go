package wasi

import (
	"encoding/binary"
	"io"
	"io/fs"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// File types of wasi_snapshot_preview1.
const (
	typeUnknown         = 0
	typeBlockDevice     = 1
	typeCharacterDevice = 2
	typeDirectory       = 3
	typeRegularFile     = 4
	typeSocketStream    = 6
	typeSymbolicLink    = 7
)

func fileType(mode fsMode) byte {
	switch {
	case mode.IsRegular():
		return typeRegularFile
	case mode.IsDir():
		return typeDirectory
	case mode&fs.ModeSymlink != 0:
		return typeSymbolicLink
	case mode&fs.ModeSocket != 0:
		return typeSocketStream
	case mode&fs.ModeCharDevice != 0:
		return typeCharacterDevice
	case mode&fs.ModeDevice != 0:
		return typeBlockDevice
	}
	return typeUnknown
}

// Flags of a descriptor.
const (
	fdflagAppend   = 1 << 0
	fdflagDsync    = 1 << 1
	fdflagNonblock = 1 << 2
	fdflagRsync    = 1 << 3
	fdflagSync     = 1 << 4
)

// Rights of a descriptor. Nobody checks them any more, but wasi-libc reads them: READ and WRITE become the access mode
// of fcntl(F_GETFL), a character device without SEEK and TELL is a terminal, and what a directory does not pass on
// cannot be asked for.
const (
	rightRead  = 1 << 1
	rightSeek  = 1 << 2
	rightTell  = 1 << 5
	rightWrite = 1 << 6

	rightsFile = 1<<0 | rightRead | rightSeek | 1<<3 | 1<<4 | rightTell | rightWrite | 1<<7 | 1<<8 |
		1<<21 | 1<<22 | 1<<23 | 1<<27
	rightsDir = 1<<0 | 1<<3 | 1<<4 | 0x7fff<<9 | 1<<18 | 1<<19 | 1<<20 | 1<<21 | 1<<23 | 1<<24 | 1<<25 | 1<<26
)

func rights(mode fsMode, flag sys.Oflag, isStdio bool) (base, inheriting uint64) {
	switch {
	case mode.IsDir():
		return rightsDir, rightsFile | rightsDir
	case isStdio && mode&fs.ModeCharDevice != 0:
		return rightsFile &^ (rightSeek | rightTell), 0
	case isStdio:
		return rightsFile, 0
	}
	base = rightsFile
	if !canRead(flag) {
		base &^= rightRead
	}
	if !canWrite(flag) {
		base &^= rightWrite
	}
	return base, 0
}

// fdAdvise checks its arguments and does nothing: advice may be ignored.
func fdAdvise(c guestCall) sys.Errno {
	if _, errno := c.files.get(c.u32(0)); errno != 0 {
		return errno
	}
	if c.u32(3) > 5 {
		return sys.EINVAL
	}
	return 0
}

func fdAllocate(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	offset, length := int64(c.args[1]), int64(c.args[2])
	if offset < 0 || length <= 0 || offset+length < 0 {
		return sys.EINVAL
	}
	if f, ok := d.file.(allocator); ok {
		return f.Allocate(offset + length)
	}
	st, errno := d.file.Stat()
	if errno != 0 || st.Size >= offset+length {
		return errno
	}
	return d.file.Truncate(offset + length)
}

// allocator is a file that others may write to at the same time: it makes itself at least size bytes long, and never
// shorter than somebody else has made it meanwhile.
type allocator interface {
	Allocate(size int64) sys.Errno
}

func fdClose(c guestCall) sys.Errno {
	c.unlockFile(c.u32(0))
	return c.files.remove(c.u32(0))
}

func fdDatasync(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	return d.file.Datasync()
}

func fdSync(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	return d.file.Sync()
}

const fdStatSize = 24

func fdFdstatGet(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	st, errno := d.file.Stat()
	if errno != 0 {
		return errno
	}
	b, errno := c.bytes(c.u32(1), fdStatSize)
	if errno != 0 {
		return errno
	}
	clear(b)
	b[0] = fileType(st.Mode)
	if d.file.IsAppend() {
		b[2] = fdflagAppend
	}
	if d.nonblock {
		b[2] |= fdflagNonblock
	}
	base, inheriting := rights(st.Mode, d.flags, d.isStdio())
	binary.LittleEndian.PutUint64(b[8:], base)
	binary.LittleEndian.PutUint64(b[16:], inheriting)
	return 0
}

// fdFdstatSetFlags knows O_APPEND. O_NONBLOCK is kept and changes nothing for files, which never block; it cannot be had
// for stdio.
func fdFdstatSetFlags(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	flags := c.u32(1)
	switch {
	case errno != 0:
		return errno
	case flags&(fdflagDsync|fdflagRsync|fdflagSync) != 0:
		return sys.EINVAL
	case d.isStdio() && flags&fdflagNonblock != 0:
		return sys.ENOTSUP
	case d.dir:
		return sys.EISDIR
	}
	errno = d.file.SetAppend(flags&fdflagAppend != 0)
	if errno == 0 {
		d.nonblock = flags&fdflagNonblock != 0
	}
	return errno
}

func fdFilestatGet(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	st, errno := d.file.Stat()
	if errno != 0 {
		return errno
	}
	return c.putStat(c.u32(1), d.mount, st)
}

func fdFilestatSetSize(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	size := int64(c.args[1])
	if size < 0 {
		return sys.EINVAL
	}
	return d.file.Truncate(size)
}

func fdFilestatSetTimes(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	atim, mtim, errno := fileTimes(c.args[1], c.args[2], c.u32(3))
	if errno != 0 {
		return errno
	}
	return d.file.Utimens(atim, mtim)
}

// fileTimes turns the two stamps and their flags (1 set atim, 2 atim now, 4 set mtim, 8 mtim now) into times of
// Utimens.
func fileTimes(atim, mtim uint64, flags uint32) (a, m int64, errno sys.Errno) {
	now := time.Now().UnixNano()
	pick := func(stamp uint64, flags uint32) (int64, sys.Errno) {
		switch flags & 3 {
		case 0:
			return sys.UTIME_OMIT, 0
		case 1:
			return int64(stamp), 0
		case 2:
			return now, 0
		}
		return 0, sys.EINVAL
	}
	if a, errno = pick(atim, flags); errno != 0 {
		return 0, 0, errno
	}
	m, errno = pick(mtim, flags>>2)
	return a, m, errno
}

func fdPrestatGet(c guestCall) sys.Errno {
	d, errno := c.preopen(c.u32(0))
	if errno != 0 {
		return errno
	}
	return c.putU64(c.u32(1), uint64(len(d.mount.guest))<<32)
}

func fdPrestatDirName(c guestCall) sys.Errno {
	d, errno := c.preopen(c.u32(0))
	if errno != 0 {
		return errno
	}
	name := d.mount.guest
	if length := c.u32(2); uint64(length) < uint64(len(name)) {
		return sys.ENAMETOOLONG
	}
	if !c.mem.WriteString(c.u32(1), name) {
		return sys.EFAULT
	}
	return 0
}

// preopen answers EBADF for whatever is not a mount: wasi-libc counts up from 3 until it sees that.
func (c guestCall) preopen(fd uint32) (*descriptor, sys.Errno) {
	d, errno := c.files.get(fd)
	if errno != 0 || !d.fixed || d.mount == nil {
		return nil, sys.EBADF
	}
	return d, 0
}

func fdRenumber(c guestCall) sys.Errno {
	c.unlockReplaced(c.u32(0), c.u32(1))
	return c.files.move(c.u32(0), c.u32(1))
}

func fdSeek(c guestCall) sys.Errno { return c.seek(int64(c.args[1]), c.u32(2), c.u32(3)) }

func fdTell(c guestCall) sys.Errno { return c.seek(0, io.SeekCurrent, c.u32(1)) }

func (c guestCall) seek(offset int64, whence, result uint32) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	switch {
	case errno != 0:
		return errno
	case d.dir:
		return sys.EISDIR
	case whence > io.SeekEnd:
		return sys.EINVAL
	}
	position, errno := d.file.Seek(offset, int(whence))
	if errno != 0 {
		return errno
	}
	return c.putU64(result, uint64(position))
}

func fdRead(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	return c.transfer(c.u32(1), c.u32(2), c.u32(3), maxTransfer, d.file.Read)
}

func fdWrite(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	most := uint32(maxTransfer)
	if d.isStdio() {
		most = maxStdio
	}
	return c.transfer(c.u32(1), c.u32(2), c.u32(3), most, d.file.Write)
}

func fdPread(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	return c.transferAt(d.file.Pread)
}

func fdPwrite(c guestCall) sys.Errno {
	d, errno := c.files.get(c.u32(0))
	if errno != 0 {
		return errno
	}
	return c.transferAt(d.file.Pwrite)
}

func (c guestCall) transferAt(do func([]byte, int64) (int, sys.Errno)) sys.Errno {
	offset := int64(c.args[3])
	if offset < 0 {
		return sys.EINVAL
	}
	return c.transfer(c.u32(1), c.u32(2), c.u32(4), maxTransfer, func(b []byte) (int, sys.Errno) {
		n, errno := do(b, offset)
		offset += int64(n)
		return n, errno
	})
}

const (
	// maxVectors is Linux's IOV_MAX.
	maxVectors = 1024
	// maxTransfer is the most that the vectors of one call may have together, as in POSIX. All of them may name the same
	// memory.
	maxTransfer = 1<<31 - 1
	// maxStdio is the most that one call writes to stdout or stderr, like a pipe that takes no more at once: what becomes
	// of it, line by line, is work of the host which nothing can interrupt.
	maxStdio = 64 << 10
)

// transfer reads or writes the vectors in turn, at most bytes of them, and stores how many bytes moved. It stops at the
// first short transfer: going on would leave a gap. An error after some bytes have moved is left for the next call, as
// POSIX has it, and so is the rest when the request is over.
func (c guestCall) transfer(vectors, count, result, most uint32, do func([]byte) (int, sys.Errno)) sys.Errno {
	if count > maxVectors {
		return sys.EINVAL
	}
	list, errno := c.bytes(vectors, 8*count)
	if errno != 0 {
		return errno
	}
	if lengthOf(list) > maxTransfer {
		return sys.EINVAL
	}
	var total uint32
	for ; len(list) > 0 && total < most; list = list[8:] {
		b, errno := c.bytes(binary.LittleEndian.Uint32(list), binary.LittleEndian.Uint32(list[4:]))
		if errno != 0 {
			return errno
		}
		if len(b) == 0 {
			continue
		}
		b = b[:min(len(b), int(most-total))]
		n, errno := do(b)
		total += uint32(n)
		if errno != 0 && total == 0 {
			return notOpenFor(errno)
		}
		if errno != 0 || n < len(b) || c.over(c.ctx) {
			break
		}
	}
	return c.putU32(result, total)
}

// lengthOf is what the vectors have together.
func lengthOf(list []byte) (total uint64) {
	for ; len(list) > 0; list = list[8:] {
		total += uint64(binary.LittleEndian.Uint32(list[4:]))
	}
	return total
}

// notOpenFor turns "cannot do that at all" into what POSIX says of a descriptor open for something else.
func notOpenFor(errno sys.Errno) sys.Errno {
	if errno == sys.ENOSYS {
		return sys.EBADF
	}
	return errno
}
