package framing

import (
	"crypto/tls"
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
	return &listener{Listener: inner, report: report}
}

// PriorKnowledge is Listener for clients that may begin with the preface of
// HTTP/2 (RFC 9113 section 3.3), whose connections are not guarded then.
func PriorKnowledge(inner net.Listener, report func(remote net.Addr, fault error)) net.Listener {
	return &listener{Listener: inner, report: report, prior: true}
}

type listener struct {
	net.Listener
	report func(net.Addr, error)
	prior  bool
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	guarded := &conn{Conn: c, report: l.report}
	if l.prior {
		guarded.preface = http2Preface
	}
	return guarded, nil
}

// Secured guards a connection whose handshake is done and did not choose HTTP/2.
// net/http finds the state of TLS on it, for http.Request.TLS.
func Secured(c *tls.Conn, report func(remote net.Addr, fault error)) net.Conn {
	return &secured{&conn{Conn: c, report: report}, c}
}

type secured struct {
	*conn
	tls *tls.Conn
}

// ConnectionState is what net/http looks for.
func (s *secured) ConnectionState() tls.ConnectionState { return s.tls.ConnectionState() }

// CloseWrite ends what this side says. Package tls does that with an alert of its
// own, of which package listen has to be told: net/http waits after it.
func (s *secured) CloseWrite() error {
	if below, ok := s.tls.NetConn().(interface{ Waits() }); ok {
		below.Waits()
	}
	return s.conn.CloseWrite()
}

// http2Preface is how a client of HTTP/2 begins (RFC 9113 section 3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// conn shows net/http a connection without faults, or with one that it cannot
// miss.
type conn struct {
	net.Conn
	guard  Guard
	report func(net.Addr, error)
	odd    bool // half of the poison has been given out
	phrase phrase

	preface string // what of it is still to come; "" when it cannot be one
	other   bool   // it came: this is HTTP/2

	linger atomic.Bool // a refusal is to be read by the client before the end
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if c.guard.Err() != nil {
		c.poison(p)
		return len(p), nil
	}
	n, err := c.Conn.Read(p)
	if c.mayBeHTTP2(p[:n]) {
		return n, err
	}
	good := c.guard.Pass(p[:n])
	fault := c.guard.Err()
	switch {
	case fault == nil && good == 0 && n > 0 && err == nil:
		return c.Read(p) // an empty line before a request was all; another is a fault
	case fault == nil:
		return good, err
	}
	c.linger.Store(true)
	if c.report != nil {
		c.report(c.RemoteAddr(), fault)
	}
	c.poison(p[good:n])
	return n, nil
}

// mayBeHTTP2 says whether everything so far is the preface of HTTP/2 and what
// follows it, or the beginning of the preface. When that ends, the guard learns
// what has passed it. Of these bytes it refuses the last six at most, in front of
// which net/http has found a whole head of HTTP/2.0, to be refused as well.
func (c *conn) mayBeHTTP2(p []byte) bool {
	if c.other || c.preface == "" {
		return c.other
	}
	n := min(len(p), len(c.preface))
	if string(p[:n]) != c.preface[:n] {
		c.guard.Pass([]byte(http2Preface[:len(http2Preface)-len(c.preface)]))
		c.preface = ""
		return false
	}
	c.preface = c.preface[n:]
	c.other = c.preface == ""
	return true
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

// NetConn is what was accepted, see [tls.Conn.NetConn].
func (c *conn) NetConn() net.Conn { return c.Conn }

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
