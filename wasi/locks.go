package wasi

import (
	"encoding/binary"
	"os"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

// Locks belong to the instance and the file (fcntl) or to the open file (flock). Of files of the host the kernel keeps
// them, for it alone sees every process that has the file open; of files that only this instance can see, or that nobody
// can write, what the instance holds itself is all there is to know.

// locks is the part of a sandbox that knows what its guest holds.
type locks struct {
	held  map[any]*fileLocks // by lockable.lockID
	count int                // ranges in all of them
	whole map[any]map[*descriptor]uint32
}

// fileLocks are the ranges of one file.
type fileLocks struct {
	ranges ranges
	// holder has the kernel's locks; nil when the kernel has none.
	holder *os.File
	own    bool // opened for the locks alone
}

// lockable is an open file that can be locked.
type lockable interface {
	// lockID is the same for all that have the file open in this sandbox.
	lockID() any
	// kernelFile is what the kernel locks; nil when it has nothing to do with it.
	kernelFile() *os.File
}

func (f *hostFile) lockID() any { return f.id }

func (f *hostFile) kernelFile() *os.File {
	if f.shared {
		return nil
	}
	return f.f
}

func (f *memoryFile) kernelFile() *os.File { return nil }
func (f *memoryFile) lockID() any          { return f.node }

func (f *archiveFile) kernelFile() *os.File { return nil }
func (f *archiveFile) lockID() any          { return f.node }

// lockWriter returns a descriptor of f that the kernel gives locks of both kinds: they are owned by an open file, and one
// for reading could take no exclusive lock that another of the same guest, which may write, asks for later. own says that
// it was opened here.
func (f *hostFile) lockWriter() (file *os.File, own bool) {
	if f.dir == nil || canWrite(f.flag) {
		return f.f, false
	}
	w, st, errno := f.dir.openHost(f.name, sys.O_RDWR|sys.O_NOFOLLOW, false, 0)
	switch {
	case errno != 0:
		return f.f, false
	case idOf(st) != f.id: // it goes by another name meanwhile
		_ = w.Close()
		return f.f, false
	}
	return w, true
}

func fdLock(c guestCall) sys.Errno {
	d, f, errno := c.lockable(c.u32(0))
	if errno != 0 {
		return errno
	}
	operation, r := c.u32(1), lockRange{kind: c.u32(2), start: int64(c.args[3])}
	length := int64(c.args[4])
	switch {
	case operation > abi.LockWait || r.kind > abi.LockNone || r.start < 0 || length < 0 || r.start+length < 0:
		return sys.EINVAL
	case operation == abi.LockTest:
		r.end = endOf(r.start, length)
		return c.testLock(f, r)
	case r.kind == abi.LockShared && !canRead(d.flags), r.kind == abi.LockExclusive && !canWrite(d.flags):
		return sys.EBADF
	}
	r.end = endOf(r.start, length)
	return c.lockWhenFree(operation == abi.LockWait, func() sys.Errno { return c.lock(f, r) })
}

func (c guestCall) lockable(fd uint32) (*descriptor, lockable, sys.Errno) {
	d, errno := c.files.get(fd)
	if errno != 0 {
		return nil, nil, errno
	}
	f, ok := d.file.(lockable)
	if !ok {
		return nil, nil, sys.EINVAL
	}
	return d, f, 0
}

// Waiting for a lock is asking again and again, less and less often: a wait in the kernel could not be ended with the
// request.
const (
	firstLockWait = time.Millisecond
	lastLockWait  = 32 * time.Millisecond
)

func (c guestCall) lockWhenFree(wait bool, try func() sys.Errno) sys.Errno {
	for pause := firstLockWait; ; pause = min(2*pause, lastLockWait) {
		errno := try()
		if errno != sys.EAGAIN || !wait {
			return errno
		}
		c.sleep(c.ctx, pause)
		if c.over(c.ctx) {
			return sys.EINTR
		}
	}
}

// lock takes or gives up a range. What the guest holds itself is never in the way: it is replaced.
func (s *Sandbox) lock(f lockable, r lockRange) sys.Errno {
	l := s.locks.held[f.lockID()]
	if l == nil {
		if r.kind == abi.LockNone {
			return 0
		}
		l = &fileLocks{}
	}
	next := l.ranges.with(r)
	if s.locks.count+len(next)-len(l.ranges) > abi.MaxLocks {
		return ENOLCK
	}
	if errno := l.ask(f, r); errno != 0 {
		l.letGo()
		return errno
	}
	s.locks.keep(f.lockID(), l, next)
	return 0
}

func (k *locks) keep(id any, l *fileLocks, next ranges) {
	k.count += len(next) - len(l.ranges)
	l.ranges = next
	if len(next) == 0 {
		l.letGo()
		delete(k.held, id)
		return
	}
	if k.held == nil {
		k.held = map[any]*fileLocks{}
	}
	k.held[id] = l
}

// ask asks the kernel, of which the guest's first lock of a file needs a holder.
func (l *fileLocks) ask(f lockable, r lockRange) sys.Errno {
	if f.kernelFile() == nil {
		return 0
	}
	if l.holder == nil {
		l.holder, l.own = f.kernelFile(), false
		if h, ok := f.(*hostFile); ok {
			l.holder, l.own = h.lockWriter()
		}
	}
	errno := errnoOf(setLock(l.holder, r))
	if errno == sys.EBADF && r.kind == abi.LockExclusive {
		return sys.EAGAIN // the holder could not be opened for writing; nobody else holds anything of it
	}
	return errno
}

// letGo closes the holder if there is nothing for it to hold.
func (l *fileLocks) letGo() {
	if len(l.ranges) > 0 || l.holder == nil {
		return
	}
	if l.own {
		_ = l.holder.Close()
	}
	l.holder, l.own = nil, false
}

const foundSize = 24

// testLock looks for what others hold.
func (c guestCall) testLock(f lockable, r lockRange) sys.Errno {
	b, errno := c.bytes(c.u32(5), foundSize)
	switch {
	case errno != 0:
		return errno
	case r.kind == abi.LockNone:
		return sys.EINVAL
	}
	found := lockRange{kind: abi.LockNone}
	if file := f.kernelFile(); file != nil {
		if l := c.locks.held[f.lockID()]; l != nil {
			file = l.holder
		}
		var err error
		if found, err = testLock(file, r); err != nil {
			return errnoOf(err)
		}
	}
	clear(b)
	binary.LittleEndian.PutUint32(b, found.kind)
	if found.kind != abi.LockNone {
		binary.LittleEndian.PutUint64(b[8:], uint64(found.start))
		binary.LittleEndian.PutUint64(b[16:], uint64(lengthTo(found)))
	}
	return 0
}

// unlockFile ends the locks of the file that fd stands for, which is being closed: POSIX has them end with the first
// descriptor of the file that the process closes.
func (s *Sandbox) unlockFile(fd uint32) {
	if len(s.locks.held) == 0 && len(s.locks.whole) == 0 {
		return
	}
	d, errno := s.files.get(fd)
	if errno != 0 {
		return
	}
	f, ok := d.file.(lockable)
	if !ok {
		return
	}
	if l := s.locks.held[f.lockID()]; l != nil {
		_ = s.lock(f, lockRange{kind: abi.LockNone, end: endOf(0, 0)})
	}
	if d.shared == 0 {
		s.unlockWhole(d, f)
	}
}

// release ends all of them, before the files are closed: the kernel would wait for the last copy of a file, and a
// response may be sending one.
func (k *locks) release() {
	for _, l := range k.held {
		if l.holder != nil {
			_ = setLock(l.holder, lockRange{kind: abi.LockNone, end: endOf(0, 0)})
		}
		l.ranges = nil
		l.letGo()
	}
	for _, holders := range k.whole {
		for d := range holders {
			if f, ok := d.file.(lockable); ok && f.kernelFile() != nil {
				_ = flock(f.kernelFile(), abi.FlockNone)
			}
		}
	}
	*k = locks{}
}
