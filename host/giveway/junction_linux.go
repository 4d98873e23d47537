package giveway

import (
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// keep is how many bells wait for their next use. More are in use only while
// more goroutines than that give way at once.
const keep = 64

// Junction is ready for use, and safe for concurrent use.
type Junction struct {
	mu   sync.Mutex
	free []*bell
}

// Yield returns when whoever was ready before the call has had a processor: a
// goroutine, or one that reads from a socket with something to read. It costs a
// few microseconds when there is nobody. Without a descriptor to be had it is
// runtime.Gosched.
func (j *Junction) Yield() {
	if b := j.take(); b != nil {
		b.ring()
		j.give(b)
	}
	// Of those that are found together, the last one runs first.
	runtime.Gosched()
}

// Close frees the descriptors that are not in use.
func (j *Junction) Close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, b := range j.free {
		_ = b.file.Close() // nothing was kept in it
	}
	j.free = nil
}

func (j *Junction) take() *bell {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.free); n > 0 {
		b := j.free[n-1]
		j.free = j.free[:n-1]
		return b
	}
	return newBell()
}

func (j *Junction) give(b *bell) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.free) == keep {
		_ = b.file.Close()
		return
	}
	j.free = append(j.free, b)
}

// bell is an eventfd, see eventfd(2): each write makes it ready anew, whatever
// has been read of it.
type bell struct {
	file *os.File
	raw  syscall.RawConn
	rung bool
	wait func(fd uintptr) bool // made once: a bell must not allocate
}

// newBell is nil when there is no descriptor to be had.
func newBell() *bell {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil
	}
	b := &bell{file: os.NewFile(uintptr(fd), "eventfd")}
	if b.raw, err = b.file.SyscallConn(); err != nil {
		_ = b.file.Close()
		return nil
	}
	b.wait = func(fd uintptr) bool {
		if b.rung {
			return true
		}
		b.rung = true
		_, err := unix.Write(int(fd), []byte{1, 0, 0, 0, 0, 0, 0, 0})
		return err != nil // nothing to wait for
	}
	return b
}

// ring returns when the runtime has looked at the descriptors since.
func (b *bell) ring() {
	b.rung = false
	_ = b.raw.Read(b.wait) // fails for a closed file only
}
