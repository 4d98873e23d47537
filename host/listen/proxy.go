package listen

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// ProxyMode says who has to begin with a PROXY header.
type ProxyMode uint8

// The modes.
const (
	ProxyOff      ProxyMode = iota // nobody: a header is what the client sent
	ProxyOptional                  // trusted peers may
	ProxyRequired                  // trusted peers must, and others may not connect
)

// Proxy says whose PROXY header (version 1 or 2) counts.
type Proxy struct {
	Mode ProxyMode
	// Trusts says whether a peer's header counts. It must not be nil unless Mode is
	// ProxyOff.
	Trusts func(peer net.Addr) bool
	// Timeout is the time that a header may take.
	Timeout time.Duration
	// Refused, if not nil, hears of each connection that was closed for its header, or
	// for having none. It is called from the goroutine of the connection.
	Refused func(peer net.Addr, err error)
}

// Why a connection was closed.
var (
	// ErrNoProxy: the peer may not speak for clients, and nobody else may connect.
	ErrNoProxy = errors.New("listen: the peer is no trusted proxy, and connections need a PROXY header")
	// ErrProxyHeader: what came is no PROXY header, or it came too slowly.
	ErrProxyHeader = errors.New("listen: no valid PROXY header")
)

// expects says whether a peer's connection is to be searched for a header. It
// fails with ErrNoProxy for a peer that may not connect.
func (p Proxy) expects(peer net.Addr) (bool, error) {
	switch {
	case p.Mode == ProxyOff:
		return false, nil
	case p.Trusts(peer):
		return true, nil
	case p.Mode == ProxyRequired:
		return false, p.refuse(peer, ErrNoProxy)
	}
	return false, nil
}

func (p Proxy) refuse(peer net.Addr, err error) error {
	if p.Refused != nil {
		p.Refused(peer, err)
	}
	return err
}

// Untold is the address of a client of which its proxy tells nothing. Nobody
// trusts it.
type Untold struct{}

// Network implements net.Addr.
func (Untold) Network() string { return "untold" }

// String implements net.Addr.
func (Untold) String() string { return "" }

// maxProxyV1 is the length of the longest header of version 1, which has to be
// in the buffer as a whole.
const maxProxyV1 = 107

// proxied is the connection of a trusted proxy. Its header is read when somebody
// first asks for bytes or for an address, in that goroutine: Accept must not
// wait for it.
type proxied struct {
	net.Conn
	policy Proxy
	known  func(client net.Addr) error // counts the client

	once          sync.Once
	err           error
	remote, local net.Addr
	rest          *bufio.Reader // what came with the header; nil when it was read
}

// header reads it, once. A connection without a valid one is closed.
func (p *proxied) header() {
	p.once.Do(func() {
		p.remote, p.local = p.Conn.RemoteAddr(), p.Conn.LocalAddr()
		if p.err = p.readHeader(); p.err != nil {
			_ = p.Conn.Close()
		}
	})
}

func (p *proxied) readHeader() error {
	if err := p.Conn.SetReadDeadline(time.Now().Add(p.policy.Timeout)); err != nil {
		return err
	}
	p.rest = bufio.NewReaderSize(p.Conn, 4*maxProxyV1)
	h, err := proxyproto.Read(p.rest)
	if errors.Is(err, proxyproto.ErrNoProxyProtocol) && p.policy.Mode == ProxyOptional {
		h, err = nil, nil
	}
	if err == nil {
		err = p.believe(h)
	}
	if err != nil {
		return p.policy.refuse(p.Conn.RemoteAddr(), fmt.Errorf("%w: %w", ErrProxyHeader, err))
	}
	if err := p.Conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	return p.known(p.remote)
}

// believe takes the addresses. nil, and version 2's LOCAL, are a connection of
// the proxy's own.
func (p *proxied) believe(h *proxyproto.Header) error {
	switch {
	case h == nil || h.Version == 2 && h.Command == proxyproto.LOCAL:
		return nil
	case h.TransportProtocol == proxyproto.TCPv4 || h.TransportProtocol == proxyproto.TCPv6:
		p.remote, p.local = h.SourceAddr, h.DestinationAddr
		return nil
	case h.Version == 1 || h.TransportProtocol == proxyproto.UnixStream: // version 1's UNKNOWN
		p.remote, p.local = Untold{}, Untold{}
		return nil
	}
	return proxyproto.ErrUnsupportedAddressFamilyAndProtocol
}

// Read implements net.Conn. A connection that was closed for its header has
// ended: nobody is to answer it.
func (p *proxied) Read(b []byte) (int, error) {
	if p.header(); p.err != nil {
		return 0, io.EOF
	}
	if p.rest == nil {
		return p.Conn.Read(b)
	}
	if p.rest.Buffered() > 0 {
		return p.rest.Read(b)
	}
	p.rest = nil
	return p.Conn.Read(b)
}

// through says whether all that came with the header has been read. It is for
// who reads.
func (p *proxied) through() bool {
	p.header()
	return p.err == nil && p.rest == nil
}

// RemoteAddr is the client's, as the proxy tells it. It waits for the header.
func (p *proxied) RemoteAddr() net.Addr { p.header(); return p.remote }

// LocalAddr is what the client connected to, as the proxy tells it. It waits for
// the header.
func (p *proxied) LocalAddr() net.Addr { p.header(); return p.local }

// CloseWrite implements what net/http looks for.
func (p *proxied) CloseWrite() error { return closeWrite(p.Conn) }
