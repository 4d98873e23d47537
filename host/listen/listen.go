// Package listen opens the sockets that clients connect to, bounds how many
// may be connected, and gives up those that take nothing.
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
	"strings"
	"sync"
	"time"
)

// Open listens on host:port or unix:/path. A socket file that nobody listens on
// any more is replaced; any other file is refused.
func Open(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	path, isUnix := strings.CutPrefix(address, "unix:")
	if !isUnix {
		return lc.Listen(ctx, "tcp", address)
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	return lc.Listen(ctx, "unix", path)
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

// Bound makes a listener of inner that has at most max connections open at once
// (more wait in the kernel's backlog) and whose connections fail a write of 64
// KiB or less that takes longer than stall.
func Bound(inner net.Listener, max int, stall time.Duration) net.Listener {
	return &bounded{Listener: inner, seats: make(chan struct{}, max), stall: stall, closed: make(chan struct{})}
}

type bounded struct {
	net.Listener
	seats  chan struct{}
	stall  time.Duration
	once   sync.Once
	closed chan struct{}
}

// Accept waits for a seat first, so that a connection above the limit is not
// taken from the backlog.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.seats <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	c, err := b.Listener.Accept()
	if err != nil {
		<-b.seats
		return nil, err
	}
	return &conn{Conn: c, stall: b.stall, leave: sync.OnceFunc(func() { <-b.seats })}, nil
}

// Close also ends an Accept that waits for a seat.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}
