package egress

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/egress/postgres"
	"github.com/wasgi/wasgi/wasi"
)

// front connects a guest with a pool instead of the server. release ends what is
// counted for the connection.
func (t *Tenant) front(p *postgres.Pool, to netip.AddrPort, release func()) (*wasi.Link, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	hangUp := p.Serve(ours, door{t})
	end := func() {
		release()
		hangUp()
	}
	return &wasi.Link{File: theirs, Meter: t.meters.New(to.String(), t.Refuse, end)}, nil
}

// pair makes a connection between the host and a guest. It has no name that
// anybody else could connect to, and can be handed to a worker like any other.
func pair() (ours net.Conn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(fds[0]), "pool")
	theirs = os.NewFile(uintptr(fds[1]), "connection")
	ours, err = net.FileConn(file) // a descriptor of its own
	_ = file.Close()
	if err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}
