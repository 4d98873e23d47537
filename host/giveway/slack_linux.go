package giveway

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// slack is how late, in nanoseconds, the kernel may end a sleep.
const slack = 1_000_000

// LetTimersBeLate has the kernel end sleeps of this process up to 1 ms late, and so
// those of processes that it starts from then on (prctl(2), PR_SET_TIMERSLACK).
//
// A thread of Go's runtime looks every 20 µs after goroutines that compute, or are in a
// system call, for too long. With the 50 µs that Linux is late by default it gets up
// 8,000 times a second beside bare WSGI, each time in place of a thread with work: with
// 1 ms the same requests take 9 % less of the processors at 16 connections and 20 %
// less at one.
//
// What it costs: a time.Sleep of 1 ms lasts 1.75 ms instead of 1.1, and where as many
// goroutines as GOMAXPROCS are in system calls that take their time, those that could
// run get a processor up to 2 ms later instead of 0.1. See DESIGN.md of host.
//
// It changes nothing where sleeps may be as late already. With cgo in the program, or
// where a filter of system calls forbids it, the error says so, and nothing has changed.
func LetTimersBeLate() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("prctl(PR_GET_TIMERSLACK): %w", err)
	}
	if now >= slack {
		return nil
	}
	// What is tried on all threads must not fail on any: so it is tried on this one.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, slack, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_TIMERSLACK): %w", err)
	}
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_TIMERSLACK, slack, 0, 0, 0, 0)
	if errno == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("prctl(PR_SET_TIMERSLACK) on all threads: %w", errno),
		unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(now), 0, 0, 0))
}
