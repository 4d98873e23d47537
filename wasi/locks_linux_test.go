package wasi

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/abi"
)

// lock takes or gives up bytes of an open file and wants an answer.
func (g *guest) lock(want sys.Errno, fd, kind, start, length uint64) {
	g.t.Helper()
	g.want(want, abi.FilesLock, fd, abi.LockTry, kind, start, length, 0)
}

// inTheWay is what LockTest finds: kind, start and length.
func (g *guest) inTheWay(fd, kind, start, length uint64) [3]uint64 {
	g.t.Helper()
	found := g.space(foundSize)
	g.want(0, abi.FilesLock, fd, abi.LockTest, kind, start, length, found)
	return [3]uint64{g.u64(found), g.u64(found + 8), g.u64(found + 16)}
}

// neighbours are two instances of one tenant with the same file open.
func neighbours(t *testing.T) (policy Policy, one, other *guest, fd uint64) {
	t.Helper()
	policy = testPolicy(t)
	one, other = newGuest(t, policy), newGuest(t, policy)
	fd = one.mustOpen(dataFD, "db", openCreate, bothRights, 0)
	wantEqual(t, "descriptor of the other", other.mustOpen(dataFD, "db", 0, bothRights, 0), fd)
	return policy, one, other, fd
}

func TestLocksExcludeOtherInstances(t *testing.T) {
	_, one, other, fd := neighbours(t)
	one.lock(0, fd, abi.LockShared, 0, 10)
	other.lock(0, fd, abi.LockShared, 5, 0)
	one.lock(sys.EAGAIN, fd, abi.LockExclusive, 0, 10)
	one.lock(0, fd, abi.LockExclusive, 0, 5)
	other.lock(sys.EAGAIN, fd, abi.LockShared, 4, 1)
	wantEqual(t, "in the way of other", other.inTheWay(fd, abi.LockShared, 0, 0), [3]uint64{abi.LockExclusive, 0, 5})
	wantEqual(t, "in the way of one", one.inTheWay(fd, abi.LockExclusive, 7, 1), [3]uint64{abi.LockShared, 5, 0})
	wantEqual(t, "in the way of nobody", one.inTheWay(fd, abi.LockShared, 0, 0), [3]uint64{abi.LockNone, 0, 0})
	one.lock(0, fd, abi.LockNone, 0, 0)
	other.lock(0, fd, abi.LockExclusive, 0, 0)
	one.lock(sys.EAGAIN, fd, abi.LockShared, 1<<40, 1)
}

// TestLocksBelongToTheInstance: whichever descriptor of a file a guest locks or unlocks through, it has one set of locks,
// and the first that it closes ends them. SQLite is written for that.
func TestLocksBelongToTheInstance(t *testing.T) {
	_, one, other, fd := neighbours(t)
	reader := one.mustOpen(dataFD, "db", 0, rightRead, 0)
	one.lock(0, reader, abi.LockShared, 0, 10)
	one.lock(0, fd, abi.LockExclusive, 0, 10)
	other.lock(sys.EAGAIN, fd, abi.LockShared, 0, 1)
	one.lock(0, reader, abi.LockNone, 0, 5)
	other.lock(0, fd, abi.LockShared, 0, 5)
	other.lock(sys.EAGAIN, fd, abi.LockShared, 5, 1)
	one.want(0, "fd_close", one.mustOpen(dataFD, "db", 0, rightRead, 0))
	other.lock(0, fd, abi.LockExclusive, 0, 10)
	other.lock(0, fd, abi.LockNone, 0, 0)

	one.lock(0, fd, abi.LockExclusive, 0, 10)
	second := one.mustDup(fd, 0)
	one.want(0, "fd_close", second)
	other.lock(0, fd, abi.LockExclusive, 0, 10)
}

func TestLocksEndWithTheInstance(t *testing.T) {
	for what, end := range map[string]func(*Sandbox) error{"close": (*Sandbox).Close, "reset": (*Sandbox).Reset} {
		_, one, other, fd := neighbours(t)
		open := hostDescriptors(t)
		reader := one.mustOpen(dataFD, "db", 0, rightRead, 0)
		one.lock(0, reader, abi.LockShared, 0, 10)
		one.lock(0, fd, abi.LockExclusive, 20, 10)
		one.want(0, abi.FilesFlock, fd, abi.FlockExclusive)
		other.lock(sys.EAGAIN, fd, abi.LockExclusive, 0, 0)
		must(t, end(one.sandbox))
		wantEqual(t, what+": descriptors of the host", hostDescriptors(t), open-1)
		other.lock(0, fd, abi.LockExclusive, 0, 0)
		other.want(0, abi.FilesFlock, fd, abi.FlockExclusive|abi.FlockTry)
	}
}

// TestLocksReachOtherProcesses: what holds in the kernel holds for native programs too.
func TestLocksReachOtherProcesses(t *testing.T) {
	dir := t.TempDir()
	disk, _ := writableDirIn(t, dir, 1<<20, 100)
	g := newGuest(t, Policy{Mounts: []Mount{mountOf("/data", disk)}})
	fd := g.mustOpen(3, "db", openCreate, bothRights, 0)
	g.lock(0, fd, abi.LockShared, 100, 10)
	native, err := os.OpenFile(filepath.Join(dir, "db"), os.O_RDWR, 0)
	must(t, err)
	defer native.Close()
	l := unix.Flock_t{Type: unix.F_WRLCK, Start: 100, Len: 1}
	wantEqual(t, "native", unix.FcntlFlock(native.Fd(), unix.F_SETLK, &l), error(unix.EAGAIN))
	l.Type = unix.F_RDLCK
	must(t, unix.FcntlFlock(native.Fd(), unix.F_SETLK, &l))
	g.lock(sys.EAGAIN, fd, abi.LockExclusive, 100, 10)
}

func TestLocksNeedTheRightToWrite(t *testing.T) {
	policy, one, _, fd := neighbours(t)
	reader := one.mustOpen(dataFD, "db", 0, rightRead, 0)
	writer := one.mustOpen(dataFD, "db", 0, rightWrite, 0)
	one.lock(sys.EBADF, reader, abi.LockExclusive, 0, 1)
	one.lock(sys.EBADF, writer, abi.LockShared, 0, 1)
	one.lock(sys.EBADF, 99, abi.LockShared, 0, 1)
	one.lock(sys.EINVAL, 1, abi.LockShared, 0, 1)
	one.lock(sys.EINVAL, fd, 3, 0, 1)
	one.lock(sys.EINVAL, fd, abi.LockShared, 1<<63, 1)
	one.lock(sys.EINVAL, fd, abi.LockShared, 1<<62, 1<<62)
	one.want(sys.EINVAL, abi.FilesLock, fd, 3, abi.LockShared, 0, 1, 0)
	one.want(sys.EFAULT, abi.FilesLock, fd, abi.LockTest, abi.LockShared, 0, 1, 1<<32-1)
	one.want(sys.EINVAL, abi.FilesFlock, fd, abi.FlockShared|abi.FlockExclusive)

	// What is mounted read-only can be read by many.
	a, b := newGuest(t, policy), newGuest(t, policy)
	for _, g := range []*guest{a, b} {
		g.lock(0, g.mustOpen(appFD, "file", 0, rightRead, 0), abi.LockShared, 0, 10)
	}
}

// TestLocksOnSharedFilesStayInside: tenants with the same package learn nothing of each other's locks on it.
func TestLocksOnSharedFilesStayInside(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "module.py"), nil, 0o600))
	shared, err := SharedDir(dir)
	must(t, err)
	defer closeFS(t, shared)
	policy := Policy{Mounts: []Mount{mountOf("/site", shared)}}
	for _, g := range []*guest{newGuest(t, policy), newGuest(t, policy)} {
		fd := g.mustOpen(3, "module.py", 0, rightRead, 0)
		wantEqual(t, "in the way", g.inTheWay(fd, abi.LockExclusive, 0, 0), [3]uint64{abi.LockNone, 0, 0})
		g.lock(0, fd, abi.LockShared, 0, 10)
		g.want(0, abi.FilesFlock, fd, abi.FlockExclusive|abi.FlockTry)
		own := g.mustOpen(3, "module.py", 0, rightRead, 0)
		g.want(sys.EAGAIN, abi.FilesFlock, own, abi.FlockShared|abi.FlockTry)
	}
}

func TestLocksAreCapped(t *testing.T) {
	_, one, other, fd := neighbours(t)
	memory := one.mustOpen(tmpFD, "a", openCreate, bothRights, 0)
	for i := range uint64(abi.MaxLocks) / 2 {
		one.lock(0, fd, abi.LockShared, 2*i, 1)
		one.lock(0, memory, abi.LockShared, 2*i, 1)
	}
	one.lock(ENOLCK, fd, abi.LockShared, 1000, 1)
	one.lock(ENOLCK, memory, abi.LockShared, 1000, 1)
	other.lock(0, fd, abi.LockExclusive, 1000, 1)
	one.lock(0, fd, abi.LockShared, 0, 1000)
	one.lock(0, memory, abi.LockShared, 1000, 1)
}

// TestWaitingForALock ends when the lock is free, and when the request is over.
func TestWaitingForALock(t *testing.T) {
	_, one, other, fd := neighbours(t)
	one.lock(0, fd, abi.LockExclusive, 0, 1)
	pauses := 0
	other.sandbox.OnSleep(func() {
		if pauses++; pauses == 2 {
			one.lock(0, fd, abi.LockNone, 0, 1)
		}
	}, nil)
	other.want(0, abi.FilesLock, fd, abi.LockWait, abi.LockExclusive, 0, 1, 0)
	wantEqual(t, "pauses without a CPU slot", pauses, 2)

	request, cancel := context.WithCancel(t.Context())
	one.sandbox.SetContext(request)
	one.sandbox.OnSleep(cancel, nil)
	one.want(sys.EINTR, abi.FilesLock, fd, abi.LockWait, abi.LockShared, 0, 1, 0)
	wantEqual(t, "what is held", one.sandbox.locks.count, 0)
}

func TestFlockBelongsToTheOpenFile(t *testing.T) {
	for _, mount := range []uint64{dataFD, tmpFD} {
		g := newGuest(t, testPolicy(t))
		a := g.mustOpen(mount, "a", openCreate, bothRights, 0)
		b := g.mustOpen(mount, "a", 0, rightRead, 0)
		same := g.mustDup(a, 0)
		g.want(0, abi.FilesFlock, a, abi.FlockShared)
		g.want(0, abi.FilesFlock, b, abi.FlockShared)
		g.want(sys.EAGAIN, abi.FilesFlock, a, abi.FlockExclusive|abi.FlockTry)
		g.want(0, abi.FilesFlock, b, abi.FlockNone)
		g.want(0, abi.FilesFlock, same, abi.FlockExclusive)
		g.want(sys.EAGAIN, abi.FilesFlock, b, abi.FlockShared|abi.FlockTry)
		g.want(0, "fd_close", a)
		g.want(sys.EAGAIN, abi.FilesFlock, b, abi.FlockShared|abi.FlockTry)
		g.want(0, "fd_close", same)
		g.want(0, abi.FilesFlock, b, abi.FlockExclusive|abi.FlockTry)
		wantEqual(t, "wait for the own descriptor", waitsFor(g, mount), true)
	}
}

// waitsFor says whether a second lock waits, until the call is over.
func waitsFor(g *guest, mount uint64) bool {
	fd := g.mustOpen(mount, "a", 0, rightRead, 0)
	ctx, cancel := context.WithTimeout(g.ctx, 20*time.Millisecond)
	defer cancel()
	results, err := g.module.ExportedFunction(abi.FilesFlock).Call(ctx, fd, abi.FlockShared)
	return err == nil && uint32(results[0]) == toWASI(sys.EINTR)
}
