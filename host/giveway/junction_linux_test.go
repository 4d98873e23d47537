package giveway

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
)

// pipe has a goroutine that waits for one byte and says when it has it.
func pipe(t testing.TB) (w *os.File, came *atomic.Bool) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	came = new(atomic.Bool)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if n, _ := r.Read(make([]byte, 1)); n == 1 {
			came.Store(true)
		}
	}()
	t.Cleanup(func() { _ = w.Close(); <-done; _ = r.Close() })
	return w, came
}

// TestWhoeverHasSomethingToReadGoesFirst, on one processor: nobody but the caller
// can have looked at the pipe.
func TestWhoeverHasSomethingToReadGoesFirst(t *testing.T) {
	// Every 61st time Go takes a goroutine out of its order, but never twice in a row;
	// and who is found by a look may come after the caller, but not after the next one.
	for name, wait := range map[string]func(*Junction){
		"Yield": (*Junction).Yield, "YieldIfBusy": (*Junction).YieldIfBusy, "Look": (*Junction).Look,
	} {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			j := New()
			defer j.Close()
			for range 100 {
				w, came := pipe(t)
				runtime.Gosched() // it waits now
				if _, err := w.Write([]byte{1}); err != nil {
					t.Fatal(err)
				}
				wait(j)
				wait(j)
				if !came.Load() {
					t.Fatal("a byte in a pipe was not read while its reader's turn was awaited")
				}
			}
		})
	}
}

// TestLookWithoutDescriptors does not wait for one.
func TestLookWithoutDescriptors(t *testing.T) {
	j := New()
	for range bells {
		b := <-j.free
		defer b.close()
	}
	j.Look()
	j.Close()
}

// TestDescriptors: as many as at the beginning, whatever happens, and none in the
// end.
func TestDescriptors(t *testing.T) {
	open := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	New().Close() // the runtime's own descriptors come with the first one
	before := open()
	j := New()
	const many = 20 * bells
	done := make(chan struct{})
	for range many {
		go func() {
			for range 20 {
				j.Yield()
			}
			done <- struct{}{}
		}()
	}
	for range many / 2 {
		<-done
	}
	if n := open() - before; n != bells {
		t.Errorf("%d descriptors, want %d", n, bells)
	}
	j.Close() // while others are at it
	for range many / 2 {
		<-done
	}
	j.Yield()
	if n := open() - before; n != 0 {
		t.Errorf("%d descriptors are left after Close", n)
	}
}

func TestYieldAllocatesNothing(t *testing.T) {
	j := New()
	defer j.Close()
	j.Yield()
	if n := testing.AllocsPerRun(100, j.Yield); n != 0 {
		t.Fatalf("Yield allocates %v times", n)
	}
}

func BenchmarkYield(b *testing.B) {
	for name, yield := range map[string]func(*Junction){"Yield": (*Junction).Yield, "YieldIfBusy": (*Junction).YieldIfBusy} {
		b.Run(name, func(b *testing.B) {
			j := New()
			defer j.Close()
			for b.Loop() {
				yield(j)
			}
		})
	}
}
