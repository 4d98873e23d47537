//go:build linux

package worker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
)

// lookEvery is the time between two looks at a worker's memory.
const lookEvery = 50 * time.Millisecond

// modest is what a worker may grow by and still use what is reserved for those
// who need little.
const modest = 16 << 20

// ledger books what a worker has of its own, by the kernel's count and not by
// the worker's. What it has before the first request (the compiled guest, Go's
// heap) is the host's expense, what it grows by the tenant's. It is safe for
// concurrent use.
type ledger struct {
	path string
	page uint64

	mu     sync.Mutex // guards all below
	budget *sandbox.Budget
	base   uint64
	grown  uint64
	looked time.Time
}

func newLedger(pid int, b *sandbox.Budget) *ledger {
	return &ledger{path: fmt.Sprintf("/proc/%d/statm", pid), page: uint64(os.Getpagesize()), budget: b}
}

// open books what a worker that is ready has. false says that the host has no
// room for it.
func (l *ledger) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.own()
	if err != nil {
		return true // it has just ended: somebody else will find out
	}
	if !l.budget.Parent().TakeReserve(n) {
		return false
	}
	l.base = n
	return true
}

// look books what it has grown by. false says that there is more than the
// budget has; what is booked stays then as it was.
func (l *ledger) look(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.looked) < lookEvery {
		return true
	}
	l.looked = now
	n, err := l.own()
	if err != nil || l.base == 0 {
		return true
	}
	n -= min(n, l.base)
	take := l.budget.TakeWritten // the child refuses growth by itself
	if n <= modest {
		take = l.budget.TakeReserve
	}
	if n > l.grown && !take(n-l.grown) {
		return false
	}
	if n < l.grown {
		l.budget.Give(l.grown - n)
	}
	l.grown = n
	return true
}

// close gives everything back.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.Parent().Give(l.base)
	l.budget.Give(l.grown)
	l.base, l.grown = 0, 0
}

// own is the memory that nobody shares, in bytes: in /proc/PID/statm what is
// resident without what belongs to files (proc_pid_statm(5)).
func (l *ledger) own() (uint64, error) {
	b, err := os.ReadFile(l.path)
	if err != nil {
		return 0, err
	}
	return ownOf(b, l.page)
}

func ownOf(statm []byte, page uint64) (uint64, error) {
	fields := bytes.Fields(statm)
	if len(fields) < 3 {
		return 0, fmt.Errorf("worker: %q is no statm", statm)
	}
	resident, err := strconv.ParseUint(string(fields[1]), 10, 48)
	if err != nil {
		return 0, err
	}
	shared, err := strconv.ParseUint(string(fields[2]), 10, 48)
	if err != nil {
		return 0, err
	}
	return (resident - min(resident, shared)) * page, nil
}
