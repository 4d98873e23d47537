package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// authority is a certificate for example.com and who believes it.
func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.TLS.Certificates[0], pool
}

// marked is what a test makes of a connection of HTTP/1.
type marked struct{ *tls.Conn }

func secureListener(t *testing.T, timeout time.Duration, failed func(net.Addr, error)) (net.Listener, *x509.CertPool) {
	t.Helper()
	cert, pool := authority(t)
	g := NewGate(Limits{Connections: 10, Stall: time.Minute})
	l := TLS(g.Bound(open(t, "127.0.0.1:0")), Handshakes{
		Config:  &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}},
		Timeout: timeout, HTTP1: func(c *tls.Conn) net.Conn { return marked{c} }, Failed: failed,
	})
	t.Cleanup(func() { l.Close() })
	return l, pool
}

func TestHandshakesAreBehindAccept(t *testing.T) {
	l, pool := secureListener(t, time.Minute, nil)
	slow := dial(t, l) // says nothing, and keeps nobody waiting
	for _, c := range []struct {
		offer []string
		http1 bool
	}{{[]string{"h2", "http/1.1"}, false}, {[]string{"http/1.1"}, true}, {nil, true}} {
		type result struct {
			conn net.Conn
			err  error
		}
		accepted := make(chan result)
		go func() {
			c, err := l.Accept()
			accepted <- result{c, err}
		}()
		client, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "example.com", NextProtos: c.offer})
		if err != nil {
			t.Fatal(err)
		}
		r := <-accepted
		if r.err != nil {
			t.Fatal(r.err)
		}
		if _, ok := r.conn.(marked); ok != c.http1 {
			t.Errorf("offered %v: %T", c.offer, r.conn)
		}
		go func() { _, _ = io.WriteString(client, "hello"); client.Close() }()
		if b, err := io.ReadAll(r.conn); string(b) != "hello" || err != nil {
			t.Errorf("offered %v: %q, %v", c.offer, b, err)
		}
		r.conn.Close()
	}
	if err := l.Close(); err != nil { // and ends the handshake that is under way
		t.Fatal(err)
	}
	if _, err := slow.Read(make([]byte, 1)); err == nil {
		t.Error("a handshake outlives its listener")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
}

func TestHandshakesHaveATime(t *testing.T) {
	failed := make(chan error, 1)
	l, _ := secureListener(t, 20*time.Millisecond, func(_ net.Addr, err error) { failed <- err })
	go func() { _, _ = l.Accept() }() // ends with the listener
	c := dial(t, l)
	if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00\x01"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("a handshake without an end succeeded")
	}
}

// Who speaks HTTP is told so; what is no HTTP is not.
func TestHTTPWhereTLSIsWanted(t *testing.T) {
	l, _ := secureListener(t, time.Minute, nil)
	go func() { _, _ = l.Accept() }() // ends with the listener
	for sent, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n":                     "HTTP/1.0 400 Bad Request\r\n",
		"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n\x16\x03\x01": "",
	} {
		c := dial(t, l)
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
		if got := string(b); want == "" && strings.Contains(got, "HTTP") || !strings.HasPrefix(got, want) {
			t.Errorf("%q is answered with %q", sent, got)
		}
	}
}

// A gate of several listeners counts their connections together, and none waits
// for a seat that another one keeps for nobody.
func TestListenersShareTheirSeats(t *testing.T) {
	g := NewGate(Limits{Connections: 1, Stall: time.Minute})
	quiet, busy := g.Bound(open(t, "127.0.0.1:0")), g.Bound(open(t, "127.0.0.1:0"))
	ended := make(chan struct{})
	go func() { _, _ = quiet.Accept(); close(ended) }()
	dial(t, busy)
	c, err := busy.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Enter(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); !errors.Is(err, ErrFull) {
		t.Errorf("a second one: %v", err)
	}
	c.Close()
	leave, err := g.Enter(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Errorf("after the first has gone: %v", err)
	} else {
		leave()
	}
	quiet.Close()
	<-ended
}

func TestEnterCountsAddresses(t *testing.T) {
	g := NewGate(Limits{Connections: 10, PerAddress: 1})
	a := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	leave, err := g.Enter(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Enter(a); !errors.Is(err, ErrCrowded) {
		t.Errorf("a second one: %v", err)
	}
	for range 2 {
		if _, err := g.Enter(Untold{}); err != nil {
			t.Errorf("without an address: %v", err)
		}
	}
	leave()
	if _, err := g.Enter(a); err != nil {
		t.Errorf("after it has gone: %v", err)
	}
	if len(g.seats) != 3 {
		t.Errorf("%d seats are taken", len(g.seats))
	}
}
