//go:build linux

package worker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// networkFD is where a worker finds its network socket.
const networkFD = 4

// inlet is the worker's wasi.Network: it asks the host, who checks, connects and
// hands the socket over. The worker itself cannot make one.
type inlet struct {
	conn   *net.UnixConn
	meters *egress.Meters

	mu      sync.Mutex // guards all below, and writes
	number  uint64
	waiting map[uint64]chan netAnswer
	gone    bool

	carry carry
}

// netAnswer is a reply and what came with it.
type netAnswer struct {
	wire.NetworkReply
	file *os.File
}

func openInlet(meters *egress.Meters) (*inlet, error) {
	conn, err := openPassed(networkFD, "network")
	if err != nil {
		return nil, err
	}
	return newInlet(conn, meters), nil
}

func newInlet(conn *net.UnixConn, meters *egress.Meters) *inlet {
	return &inlet{conn: conn, meters: meters, waiting: map[uint64]chan netAnswer{}}
}

// listen passes answers to whoever waits, until the host closes its end.
func (n *inlet) listen() {
	buffer, rights := make([]byte, wire.MaxNetwork), make([]byte, unix.CmsgSpace(4))
	for {
		size, used, _, _, err := n.conn.ReadMsgUnix(buffer, rights)
		if err != nil || size == 0 {
			break
		}
		a := netAnswer{}
		if used > 0 {
			a.file, _ = descriptorIn(rights[:used])
		}
		if a.NetworkReply, err = wire.DecodeNetworkReply(buffer[:size]); err != nil {
			break
		}
		n.deliver(a)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = true
	for number, c := range n.waiting {
		close(c)
		delete(n.waiting, number)
	}
}

// deliver closes what nobody waits for any more.
func (n *inlet) deliver(a netAnswer) {
	n.mu.Lock()
	c := n.waiting[a.Number]
	delete(n.waiting, a.Number)
	n.mu.Unlock()
	if c != nil {
		c <- a // it has room
		return
	}
	if a.file != nil {
		_ = a.file.Close()
		n.closed(a.Number)
	}
}

var errNoHost = errors.New("worker: the host does not answer")

// ask sends a question and waits for its answer.
func (n *inlet) ask(ctx context.Context, q wire.NetworkRequest) (netAnswer, error) {
	c := make(chan netAnswer, 1)
	n.mu.Lock()
	n.number++
	q.Number = n.number
	_, err := n.conn.Write(q.Append(nil))
	if n.gone || err != nil {
		n.mu.Unlock()
		return netAnswer{}, errNoHost
	}
	n.waiting[q.Number] = c
	n.mu.Unlock()
	select {
	case a, ok := <-c:
		if !ok {
			return netAnswer{}, errNoHost
		}
		return a, errorOfReply(a.NetworkReply, q)
	case <-ctx.Done():
		n.forget(q.Number, c)
		return netAnswer{}, ctx.Err()
	}
}

// forget gives a question up. Its answer may have come meanwhile.
func (n *inlet) forget(number uint64, c chan netAnswer) {
	n.mu.Lock()
	delete(n.waiting, number)
	n.mu.Unlock()
	select {
	case a, ok := <-c:
		if ok && a.file != nil {
			_ = a.file.Close()
			n.closed(number)
		}
	default:
	}
}

func (n *inlet) closed(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = n.conn.Write(wire.NetworkRequest{Number: number, Kind: wire.NetClosed}.Append(nil))
}

func errorOfReply(p wire.NetworkReply, q wire.NetworkRequest) error {
	switch p.Status {
	case wire.NetOK:
		return nil
	case wire.NetRefused:
		return &wasi.Refusal{Rule: p.Rule, What: p.What, Hint: p.Hint}
	case wire.NetErrno:
		return syscall.Errno(p.Errno)
	case wire.NetNotFound:
		return &net.DNSError{Err: "no such host", Name: q.Name, IsNotFound: true}
	}
	return &net.DNSError{Err: "the host could ask nobody", Name: q.Name, IsTemporary: true}
}

// Resolve implements wasi.Network.
func (n *inlet) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	a, err := n.ask(ctx, wire.NetworkRequest{Kind: wire.NetResolve, Name: name})
	return a.Addresses, err
}

// Dial implements wasi.Network.
func (n *inlet) Dial(ctx context.Context, stream bool, to netip.AddrPort) (*wasi.Link, error) {
	a, err := n.ask(ctx, wire.NetworkRequest{Kind: wire.NetDial, Stream: stream, To: to})
	if err != nil {
		return nil, err
	}
	if a.file == nil {
		return nil, errNoHost
	}
	m := n.meters.New(to.String(), n.Refuse, func() { n.closed(a.Number) })
	return &wasi.Link{File: a.file, Port: a.Port, Meter: carrying{m, n}}, nil
}

// Refuse implements wasi.Network. The host only counts.
func (n *inlet) Refuse(rule, what string) *wasi.Refusal {
	_, err := n.ask(context.Background(), wire.NetworkRequest{Kind: wire.NetRefuse, Name: rule, What: what})
	var r *wasi.Refusal
	if errors.As(err, &r) {
		return r
	}
	return &wasi.Refusal{Rule: rule, What: what}
}
