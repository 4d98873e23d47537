package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Handshakes says how a listener speaks TLS.
type Handshakes struct {
	Config *tls.Config
	// Timeout is the time for a handshake, with the PROXY header before it.
	Timeout time.Duration
	// HTTP1, if not nil, gets the connections on which HTTP/1 is spoken, which is all
	// that did not choose h2 (RFC 9113 section 3.2), and returns what Accept gives out
	// in their place.
	HTTP1 func(*tls.Conn) net.Conn
	// Failed, if not nil, hears of handshakes that failed.
	Failed func(remote net.Addr, err error)
}

// TLS makes a listener of inner whose connections have their handshake behind
// them. Each handshake has a goroutine of its own, within the seats that inner
// gives, so that a slow client keeps nobody waiting. Accept gives out *tls.Conn,
// by which net/http knows HTTP/2, or what Handshakes.HTTP1 makes of it.
func TLS(inner net.Listener, h Handshakes) net.Listener {
	l := &secure{Listener: inner, handshakes: h, ready: make(chan arrival)}
	l.life, l.end = context.WithCancel(context.Background())
	return l
}

type secure struct {
	net.Listener
	handshakes Handshakes
	ready      chan arrival
	life       context.Context // ends with Close
	end        context.CancelFunc
	begin      sync.Once
	running    sync.WaitGroup // run and the handshakes; all end with life
}

// arrival is what Accept returns.
type arrival struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener.
func (l *secure) Accept() (net.Conn, error) {
	l.begin.Do(func() { l.running.Go(l.run) })
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.life.Done():
		return nil, net.ErrClosed
	}
}

// run accepts until the listener is closed. An error waits for somebody to see
// it, so that net/http decides how soon to try again.
func (l *secure) run() {
	for l.life.Err() == nil {
		c, err := l.Listener.Accept()
		if err != nil {
			l.give(arrival{err: err})
			continue
		}
		l.running.Go(func() { l.handshake(c) })
	}
}

// give returns when somebody has it, or nobody will.
func (l *secure) give(a arrival) {
	select {
	case l.ready <- a:
	case <-l.life.Done():
		if a.conn != nil {
			_ = a.conn.Close()
		}
	}
}

func (l *secure) handshake(c net.Conn) {
	ctx, cancel := context.WithTimeout(l.life, l.handshakes.Timeout)
	defer cancel()
	secured := tls.Server(c, l.handshakes.Config)
	if err := secured.HandshakeContext(ctx); err != nil {
		sayHTTPS(err)
		_ = c.Close()
		if l.handshakes.Failed != nil {
			l.handshakes.Failed(c.RemoteAddr(), err)
		}
		return
	}
	out := net.Conn(secured)
	if l.handshakes.HTTP1 != nil && secured.ConnectionState().NegotiatedProtocol != "h2" {
		out = l.handshakes.HTTP1(secured)
	}
	l.give(arrival{conn: out})
}

// sayHTTPS tells a client that speaks HTTP where TLS is wanted, as net/http
// does.
func sayHTTPS(err error) {
	var header tls.RecordHeaderError
	if !errors.As(err, &header) || header.Conn == nil {
		return
	}
	switch string(header.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		const text = "This address speaks HTTPS only: the URL begins with https://\n"
		_, _ = io.WriteString(header.Conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"+text)
		_ = closeWrite(header.Conn)
	}
}

// Close also ends the handshakes that are under way, and waits for that.
func (l *secure) Close() error {
	l.end()
	err := l.Listener.Close()
	l.running.Wait()
	return err
}
