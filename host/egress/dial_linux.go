package egress

import (
	"context"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/wasi"
)

// Dial implements wasi.Network.
func (t *Tenant) Dial(_ context.Context, stream bool, to netip.AddrPort) (*wasi.Link, error) {
	if r := t.check(to); r != nil {
		return nil, r
	}
	release, r := t.admit(to)
	if r != nil {
		return nil, r
	}
	if pool := t.backendFor(to); stream && pool != nil {
		link, err := t.front(pool, to, release)
		if err != nil {
			release()
		}
		return link, err
	}
	link, err := begin(stream, netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port()))
	if err != nil {
		release()
		return nil, err
	}
	link.Meter = t.meters.New(to.String(), t.Refuse, release)
	return link, nil
}

// admit counts a connection, or says that there are too many.
func (t *Tenant) admit(to netip.AddrPort) (release func(), r *wasi.Refusal) {
	if n := t.usage.open.Add(1); n > int64(t.policy.Connections) {
		t.usage.open.Add(-1)
		return nil, t.refuse("network.connections", to.String(), "the application has as many connections as network.connections allows")
	}
	if n := t.host.open.Add(1); n > int64(t.host.ceilings.Connections) {
		t.usage.open.Add(-1)
		t.host.open.Add(-1)
		return nil, t.tooMany(to)
	}
	t.usage.opened.Add(1)
	return func() {
		t.usage.open.Add(-1)
		t.host.open.Add(-1)
	}, nil
}

// begin makes a socket and tells it to connect.
func begin(stream bool, to netip.AddrPort) (*wasi.Link, error) {
	kind := unix.SOCK_DGRAM
	if stream {
		kind = unix.SOCK_STREAM
	}
	domain, address := sockaddr(to)
	fd, err := unix.Socket(domain, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Connect(fd, address); err != nil && err != unix.EINPROGRESS {
		_ = unix.Close(fd)
		return nil, err
	}
	port := localPort(fd)
	return &wasi.Link{File: os.NewFile(uintptr(fd), "connection"), Port: port}, nil
}

func sockaddr(to netip.AddrPort) (int, unix.Sockaddr) {
	if to.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
}

func localPort(fd int) uint16 {
	switch a, _ := unix.Getsockname(fd); a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}
