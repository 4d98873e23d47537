package framing

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Listener guards every connection that inner accepts. report, when not nil,
// hears of the one fault that ends a connection; it is called from the goroutine
// that reads and must not wait.
func Listener(inner net.Listener, report func(remote net.Addr, fault error)) net.Listener {
	return &listener{inner, report}
}

type listener struct {
	net.Listener
	report func(net.Addr, error)
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, report: l.report}, nil
}

// conn shows net/http a connection without faults, or with one that it cannot
// miss.
type conn struct {
	net.Conn
	guard  Guard
	report func(net.Addr, error)
	odd    bool // half of the poison has been given out
	phrase phrase

	linger atomic.Bool // a refusal is to be read by the client before the end
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if c.guard.Err() != nil {
		c.poison(p)
		return len(p), nil
	}
	n, err := c.Conn.Read(p)
	good := c.guard.Pass(p[:n])
	fault := c.guard.Err()
	if fault == nil {
		return n, err
	}
	c.linger.Store(true)
	if c.report != nil {
		c.report(c.RemoteAddr(), fault)
	}
	c.poison(p[good:n])
	return n, nil
}

// poison fills p with what is in place nowhere in HTTP: a NUL, and a bare LF so
// that a parser comes to the end of its line and sees it. It never ends: an end
// would tell net/http that the client has gone, and the requests before this one
// would not be answered.
func (c *conn) poison(p []byte) {
	for i := range p {
		if p[i] = 0; c.odd {
			p[i] = '\n'
		}
		c.odd = !c.odd
	}
}

// CloseWrite lets net/http end a response before it closes, so that a client
// that is still sending reads the answer.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// What a refused client may still send while it is told so.
const (
	lingerTime  = 500 * time.Millisecond // as net/http waits
	lingerBytes = 256 << 10
)

// Close ends a refused connection in order: to close it while bytes of the client
// are unread would send a reset, which can overtake the answer. A second Close
// does not wait.
func (c *conn) Close() error {
	if c.linger.Swap(false) && c.CloseWrite() == nil && c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
