package listen

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits are what clients may take of all listeners of a Gate.
type Limits struct {
	// Connections may be open at once; more wait in the kernel's backlog, but for one
	// of each listener.
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
	// Proxy says what becomes of PROXY headers.
	Proxy Proxy
}

// Gate bounds the connections of several listeners together.
type Gate struct {
	limits Limits
	seats  chan struct{}
	crowd  crowd
}

// NewGate makes a gate without connections.
func NewGate(l Limits) *Gate {
	return &Gate{
		limits: l, seats: make(chan struct{}, l.Connections),
		crowd: crowd{limit: l.PerAddress, open: map[netip.Addr]int{}},
	}
}

// ErrFull says that there are as many connections as Limits allow.
var ErrFull = errors.New("listen: there are too many connections")

// Enter counts something of a client's that is worth a connection, without
// waiting. It fails with ErrFull, or with ErrCrowded when the address has its
// share. leave must be called once.
func (g *Gate) Enter(remote net.Addr) (leave func(), err error) {
	select {
	case g.seats <- struct{}{}:
	default:
		return nil, ErrFull
	}
	out, err := g.count(remote)
	if err != nil {
		<-g.seats
		return nil, err
	}
	return func() { out(); <-g.seats }, nil
}

// Open is how many connections are counted now.
func (g *Gate) Open() int { return len(g.seats) }

// Bound makes a listener of inner that keeps the limits.
func (g *Gate) Bound(inner net.Listener) net.Listener {
	return &bounded{Listener: inner, gate: g, closed: make(chan struct{})}
}

// count counts a connection, if its address has one to count.
func (g *Gate) count(remote net.Addr) (leave func(), err error) {
	tcp, ok := remote.(*net.TCPAddr)
	if !ok || g.limits.PerAddress == 0 {
		return func() {}, nil
	}
	a := tcp.AddrPort().Addr().Unmap()
	if g.limits.Exempt != nil && g.limits.Exempt(a) {
		return func() {}, nil
	}
	leave, err = g.crowd.enter(a)
	if err != nil && g.limits.Crowded != nil {
		g.limits.Crowded(a)
	}
	return leave, err
}

type bounded struct {
	net.Listener
	gate   *Gate
	once   sync.Once
	closed chan struct{}
}

// Accept takes a connection and waits for its seat. It cannot wait before: the
// seat might then be kept by a listener to which nobody connects.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		admitted, err := b.admit(c)
		if err == nil {
			return admitted, nil
		}
		_ = c.Close()
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
	}
}

// admit counts a connection, after its PROXY header if it has to have one.
func (b *bounded) admit(c net.Conn) (net.Conn, error) {
	g := b.gate
	expected, err := g.limits.Proxy.expects(c.RemoteAddr())
	if err != nil {
		return nil, err
	}
	out := &conn{stall: g.limits.Stall}
	if expected {
		out.Conn = &proxied{Conn: c, policy: g.limits.Proxy, known: func(client net.Addr) error {
			leave, err := g.count(client)
			if err == nil {
				out.whenLeft(leave)
			}
			return err
		}}
	} else {
		leave, err := g.count(c.RemoteAddr())
		if err != nil {
			return nil, err
		}
		out.Conn = c
		out.whenLeft(leave)
	}
	if !b.seat() {
		out.left()
		return nil, net.ErrClosed
	}
	out.whenLeft(func() { <-g.seats })
	return out, nil
}

// seat waits for one. A connection that came before the end gets one if there is
// any: its client must not find out that somebody else serves from now on.
func (b *bounded) seat() bool {
	select {
	case b.gate.seats <- struct{}{}:
		return true
	default:
	}
	select {
	case b.gate.seats <- struct{}{}:
		return true
	case <-b.closed:
		return false
	}
}

// Close also ends an Accept that waits for a seat.
func (b *bounded) Close() error {
	b.once.Do(func() { close(b.closed) })
	return b.Listener.Close()
}
