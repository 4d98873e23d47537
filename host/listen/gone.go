package listen

import (
	"net"

	"golang.org/x/sys/unix"
)

// Gone says whether the client of c has closed its side, or all of it, as far as
// the kernel knows now: bytes that it sent before may still be unread. c is as for
// BeforeWait, which must have been called; for any other connection the answer is
// no.
func Gone(c net.Conn) bool {
	inner := under(c)
	if inner == nil || inner.fd == nil {
		return false
	}
	gone := false
	err := inner.fd.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(p, 0)
		gone = err == nil && n > 0
	})
	return gone || err != nil // which closed it is
}
