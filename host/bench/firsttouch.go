package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The figures of what a page of memory costs, without any guest.
const (
	firstTouch = "a page of memory that this machine has not used lately"
	nextTouch  = "a page of memory that has just been given back"
)

// touchedBytes is how much memory is touched.
const touchedBytes = 64 << 20

// touched is memory that was just written to.
type touched []byte

// touchNew writes to each page of new memory and adds what one takes. A virtual machine
// whose host takes back what is free pays more for a page that was free for a while.
func touchNew(s *section, what string) (touched, error) {
	b, err := unix.Mmap(-1, 0, touchedBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	_ = unix.Madvise(b, unix.MADV_NOHUGEPAGE) // a kernel without large pages has none to refuse
	begin := time.Now()
	for at := 0; at < len(b); at += os.Getpagesize() {
		b[at] = 1
	}
	took := time.Since(begin)
	s.add(figure{What: what, Unit: "µs"}, float64(took.Nanoseconds())/1e3/float64(touchedBytes/os.Getpagesize()))
	return b, nil
}

// again gives the memory back, and touches as much once more.
func (m touched) again(s *section) error {
	if err := unix.Munmap(m); err != nil {
		return err
	}
	next, err := touchNew(s, nextTouch)
	if err != nil {
		return err
	}
	return unix.Munmap(next)
}
