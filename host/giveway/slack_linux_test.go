package giveway

import (
	"errors"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// threads runs f on several threads that were there before it, each of which says its
// slack afterwards, in nanoseconds.
func threads(f func()) (slacks []int) {
	const several = 4
	var there, told sync.WaitGroup
	ran, out := make(chan struct{}), make([]int, several)
	there.Add(several)
	for i := range several {
		told.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			there.Done()
			<-ran
			out[i], _ = unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		})
	}
	there.Wait()
	f()
	close(ran)
	told.Wait()
	return out
}

func TestLetTimersBeLate(t *testing.T) {
	var err error
	slacks := threads(func() { err = LetTimersBeLate() })
	if errors.Is(err, syscall.ENOTSUP) {
		t.Skip("built with cgo: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, got := range slacks {
		if got < slack { // more is what this process was started with
			t.Errorf("sleeps of a thread end %d ns late, want %d", got, slack)
		}
	}
	if err := LetTimersBeLate(); err != nil {
		t.Error("once more:", err)
	}
}
