package giveway

import (
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// bells is how many goroutines may give way at once; more of them wait for one
// that has. Those who share one are found ready together, and runtime.Gosched in
// its place has them wait longest of all.
const bells = 64

// Junction is safe for concurrent use.
type Junction struct {
	free chan *bell
	done chan struct{} // closed when there is nothing to wait for
	stop func()        // closes it, once
	load *load

	mu     sync.Mutex // held to give a bell back
	closed bool
}

// New makes a Junction, which holds 64 descriptors until Close, or as many as
// there are to be had.
func New() *Junction {
	j := &Junction{free: make(chan *bell, bells), done: make(chan struct{}), load: newLoad()}
	for range bells {
		b := newBell()
		if b == nil {
			break
		}
		j.free <- b
	}
	j.stop = sync.OnceFunc(func() { close(j.done) })
	if len(j.free) == 0 {
		j.stop()
	}
	return j
}

// Yield returns when whoever was ready before the call has had a processor: a
// goroutine, or one that reads from a socket with something to read. It costs a
// few microseconds when there is nobody. Without a descriptor to be had it does
// nothing.
func (j *Junction) Yield() {
	select {
	case b := <-j.free:
		b.ring()
		j.give(b)
	case <-j.done:
		return
	}
	// Of those that are found together, the last one runs first.
	runtime.Gosched()
}

// YieldIfBusy is Yield while all processors are busy. While one has nothing to do, the
// others have gone there already, and only the kernel is asked whether another thread
// waits for this core. It is for work that nobody else's waits for: Yield has the
// kernel put it behind more often (see DESIGN.md of host).
func (j *Junction) YieldIfBusy() {
	if j.load.idle() {
		_, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		return
	}
	j.Yield()
}

// Look returns when the runtime has looked for sockets with something to read and
// the goroutines that were ready have had this processor. Those who were found by
// the look may come after the caller, which is the difference to Yield. It does
// nothing while all descriptors are in use.
func (j *Junction) Look() {
	select {
	case b := <-j.free:
		b.ring()
		j.give(b)
	default:
	}
}

func (j *Junction) give(b *bell) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		b.close()
		return
	}
	j.free <- b
}

// Close frees the descriptors; Yield does nothing from then on.
func (j *Junction) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	j.stop()
	for range len(j.free) {
		select {
		case b := <-j.free:
			b.close()
		default: // somebody was quicker, and closes it
		}
	}
}

// bell is an eventfd, see eventfd(2): each write makes it ready anew, whatever
// has been read of it.
type bell struct {
	file *os.File
	raw  syscall.RawConn
	rung bool
	wait func(fd uintptr) bool // made once: a ring must not allocate
	one  [8]byte               // what is written
}

// newBell is nil when there is no descriptor to be had.
func newBell() *bell {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil
	}
	b := &bell{file: os.NewFile(uintptr(fd), "eventfd"), one: [8]byte{1}}
	if b.raw, err = b.file.SyscallConn(); err != nil {
		b.close()
		return nil
	}
	b.wait = func(fd uintptr) bool {
		if b.rung {
			return true
		}
		b.rung = true
		_, err := unix.Write(int(fd), b.one[:])
		return err != nil // nothing to wait for
	}
	return b
}

// ring returns when the runtime has looked at the descriptors since.
func (b *bell) ring() {
	b.rung = false
	_ = b.raw.Read(b.wait) // fails for a closed file only
}

func (b *bell) close() { _ = b.file.Close() } // nothing was kept in it
