// Package listen opens the sockets that clients connect to, bounds how many
// may be connected, in all and from one address, and gives up those that take
// nothing.
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
	"net/netip"
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

// Limits are what clients may take of a listener.
type Limits struct {
	// Connections may be open at once; more wait in the kernel's backlog.
	Connections int
	// Stall is the longest time for a write of 64 KiB or less.
	Stall time.Duration
	// PerAddress is how many connections one address may have open, or one /64
	// network of IPv6, which is what one client has. One more is closed at once. 0 is
	// no limit. Unix sockets have none.
	PerAddress int
	// Exempt, if not nil, says which addresses may have more.
	Exempt func(netip.Addr) bool
	// Crowded, if not nil, hears of each connection that was closed for PerAddress.
	Crowded func(netip.Addr)
}

// Bound makes a listener of inner that keeps the limits.
func Bound(inner net.Listener, l Limits) net.Listener {
	return &bounded{
		Listener: inner, limits: l, closed: make(chan struct{}),
		seats: make(chan struct{}, l.Connections), crowd: crowd{limit: l.PerAddress, open: map[netip.Addr]int{}},
	}
}

type bounded struct {
	net.Listener
	limits Limits
	seats  chan struct{}
	crowd  crowd
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
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			<-b.seats
			return nil, err
		}
		leave, err := b.enter(c)
		if err != nil {
			_ = c.Close()
			continue
		}
		return &conn{Conn: c, stall: b.limits.Stall, leave: sync.OnceFunc(func() { leave(); <-b.seats })}, nil
	}
}

// enter counts a connection, if its address has one to count.
func (b *bounded) enter(c net.Conn) (leave func(), err error) {
	remote, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || b.limits.PerAddress == 0 {
		return func() {}, nil
	}
	a := remote.AddrPort().Addr().Unmap()
	if b.limits.Exempt != nil && b.limits.Exempt(a) {
		return func() {}, nil
	}
	leave, err = b.crowd.enter(a)
	if err != nil && b.limits.Crowded != nil {
		b.limits.Crowded(a)
	}
	return leave, err
}

// Close also ends an Accept that waits for a seat.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}
