package giveway

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestIdle counts processors that are busy: with Go, or with a system call.
func TestIdle(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("it needs two processors")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	l := newLoad()
	l.await(t, true, "only the test runs")

	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		for !over.Load() {
		}
		close(done)
	}()
	l.await(t, false, "two goroutines compute")
	over.Store(true)
	<-done
	l.await(t, true, "only the test runs again")

	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	done = make(chan struct{})
	go func() {
		_, _ = syscall.Read(ends[0], make([]byte, 1))
		close(done)
	}()
	l.await(t, false, "one is in a system call")
	for range 2 * window {
		l.idle()
	}
	l.await(t, true, "it rests there")
	if err := syscall.Close(ends[1]); err != nil {
		t.Fatal(err)
	}
	<-done
	runtime.GOMAXPROCS(1)
	l.await(t, false, "there is one processor")
	if err := syscall.Close(ends[0]); err != nil {
		t.Fatal(err)
	}
}

// await looks until it is as it will be soon.
func (l *load) await(t *testing.T, want bool, why string) {
	t.Helper()
	for range 10_000_000 {
		if l.idle() == want {
			return
		}
	}
	t.Errorf("%s: a processor is idle: %v", why, !want)
}

// TestResting: what has been in system calls at least is known at once when it gets
// less, and after two windows when it gets more.
func TestResting(t *testing.T) {
	l := newLoad()
	l.looks, l.resting, l.lowest = 0, 1, 1
	for i, step := range []struct {
		away  uint64
		times int
		want  uint64
	}{{3, window, 1}, {3, window - 1, 1}, {3, 1, 3}, {2, 1, 2}, {5, window - 1, 2}, {5, window, 5}, {0, 1, 0}} {
		for range step.times {
			l.learn(step.away)
		}
		if l.resting != step.want {
			t.Errorf("step %d: %d rest, want %d", i, l.resting, step.want)
		}
	}
}
