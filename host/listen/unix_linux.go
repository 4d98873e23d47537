package listen

import "syscall"

// withMode gives a socket permissions before it gets its name, so that nobody
// connects in between. The umask still takes some away.
func withMode(mode uint32) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), mode) })
		if failed != nil {
			return failed
		}
		return err
	}
}

// listens says whether a descriptor is a socket that takes connections.
func listens(fd uintptr) bool {
	on, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	return err == nil && on != 0
}
