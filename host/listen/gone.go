package listen

import (
	"crypto/tls"
	"net"

	"golang.org/x/sys/unix"
)

// Gone says whether the client of c has closed its side, or all of it, as far as
// the kernel knows now. One that has sent something more before, which is still
// unread, has not: it may wait for answers. Under TLS that cannot be told from its
// farewell, and it has. c is as for BeforeWait, which must have been called; for
// any other connection the answer is no.
func Gone(c net.Conn) bool {
	inner := under(c)
	if inner == nil || inner.fd == nil {
		return false
	}
	gone := false
	err := inner.fd.Control(func(fd uintptr) { gone = closed(int(fd), encrypted(c)) })
	return gone || err != nil // which closed it is
}

func closed(fd int, secure bool) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	if n, err := unix.Poll(p, 0); err != nil || n == 0 {
		return false
	}
	if secure || p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
		return true
	}
	unread, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	return err != nil || unread == 0
}

// encrypted says whether there is TLS in c.
func encrypted(c net.Conn) bool {
	for layer := range layers(c) {
		if _, ok := layer.(interface{ ConnectionState() tls.ConnectionState }); ok {
			return true
		}
	}
	return false
}
