// Package listen opens the sockets that clients connect to, or takes those that
// systemd passes, bounds how many may be connected, in all and from one address,
// and gives up those that take nothing. A [Gate] does so for all listeners
// together. Behind trusted proxies the address is the one of the PROXY header,
// which is taken off before anybody else reads. [TLS] makes handshakes.
//
// Every write to a connection gets a deadline of its own, so that nothing above
// has to remember one: a client that stops reading fails the write that waits
// for it, however the response came about.
// A deadline that is set from above bounds all pieces of what is written.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// TCP listens on host:port.
func TCP(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", address)
}

// Unix listens on a socket file with these permissions; with 0 the umask leaves
// what it leaves. A file that nobody listens on any more is replaced; any other
// file is refused.
func Unix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	if mode != 0 {
		lc.Control = withMode(uint32(mode))
	}
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil || mode == 0 {
		return l, err
	}
	if err := os.Chmod(path, mode); err != nil { // what the umask took
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("listen: %s exists and is no socket: remove it or choose another path", path)
	}
	var d net.Dialer
	if c, err := d.DialContext(ctx, "unix", path); err == nil {
		return errors.Join(fmt.Errorf("listen: %s is in use by another process", path), c.Close())
	}
	return os.Remove(path)
}
