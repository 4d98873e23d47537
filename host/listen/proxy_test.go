package listen

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pires/go-proxyproto"
)

// v2 is a header of version 2 with these addresses.
func v2(t *testing.T, source, destination string) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2,
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)), net.TCPAddrFromAddrPort(netip.MustParseAddrPort(destination)))
	b, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

// raw2 is a header of version 2 by its bytes.
func raw2(command, family byte, block string) string {
	b := append([]byte(signature2), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(block)))
	return string(b) + block
}

// trusting is a gate that believes everybody, or nobody.
func trusting(mode ProxyMode, trusted bool, refused *[]error) *Gate {
	return NewGate(Limits{Connections: 10, Stall: time.Minute, Proxy: Proxy{
		Mode: mode, Trusts: func(net.Addr) bool { return trusted }, Timeout: time.Minute,
		Refused: func(_ net.Addr, err error) { *refused = append(*refused, err) },
	}})
}

// meet sends bytes over a connection through a gate and returns the accepted side.
func meet(t *testing.T, g *Gate, sent string) net.Conn {
	t.Helper()
	l := g.Bound(open(t, "127.0.0.1:0"))
	client := dial(t, l)
	if _, err := io.WriteString(client, sent); err != nil {
		t.Fatal(err)
	}
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestProxyHeaders(t *testing.T) {
	const get = "GET / HTTP/1.1\r\n"
	for name, c := range map[string]struct {
		sent          string
		remote, local string // "" for the connection's own
	}{
		"1, TCP4":           {"PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n", "192.0.2.7:40000", "198.51.100.1:443"},
		"1, TCP6":           {"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n", "[2001:db8::7]:40000", "[2001:db8::1]:443"},
		"1, unknown":        {"PROXY UNKNOWN\r\n", "untold", "untold"},
		"1, unknown, words": {"PROXY UNKNOWN 192.0.2.7 198.51.100.1 1 2\r\n", "untold", "untold"},
		"2, IPv4":           {v2(t, "192.0.2.7:40000", "198.51.100.1:443"), "192.0.2.7:40000", "198.51.100.1:443"},
		"2, IPv6":           {v2(t, "[2001:db8::7]:1", "[2001:db8::1]:2"), "[2001:db8::7]:1", "[2001:db8::1]:2"},
		"2, local":          {raw2(0x20, 0x00, ""), "", ""},
		"2, local, a block": {raw2(0x20, 0x11, strings.Repeat("x", 12)), "", ""},
		"2, Unix":           {raw2(0x21, 0x31, strings.Repeat("\x00", 216)), "untold", "untold"},
		"2, more behind":    {raw2(0x21, 0x11, "\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb"+"\x04\x00\x01x"), "192.0.2.7:40000", "198.51.100.1:443"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []ProxyMode{ProxyOptional, ProxyRequired} {
				var refused []error
				conn := meet(t, trusting(mode, true, &refused), c.sent+get)
				own := conn.(interface{ raw() net.Conn }).raw()
				for _, a := range []struct {
					got, own net.Addr
					want     string
				}{{conn.RemoteAddr(), own.RemoteAddr(), c.remote}, {conn.LocalAddr(), own.LocalAddr(), c.local}} {
					switch {
					case a.want == "untold" && a.got == Untold{}, a.want == "" && a.got == a.own, a.want == a.got.String():
					default:
						t.Errorf("mode %d: %v, want %q", mode, a.got, a.want)
					}
				}
				if b, err := io.ReadAll(conn); string(b) != get || err != nil {
					t.Errorf("mode %d: behind the header: %q, %v", mode, b, err)
				}
				if len(refused) > 0 {
					t.Errorf("mode %d: refused: %v", mode, refused)
				}
			}
		})
	}
}

func (c *conn) raw() net.Conn { return c.Conn.(*proxied).Conn }

func TestBrokenProxyHeaders(t *testing.T) {
	for name, sent := range map[string]string{
		"nothing":               "",
		"1, half":               "PROXY TCP4 192.0.2.7",
		"1, no CR":              "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n",
		"1, too long":           "PROXY UNKNOWN " + strings.Repeat("x", 200) + "\r\n",
		"1, no ports":           "PROXY TCP4 192.0.2.7 198.51.100.1\r\n",
		"1, a large port":       "PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n",
		"1, IPv6 as IPv4":       "PROXY TCP4 ::1 ::1 1 2\r\n",
		"1, a name":             "PROXY TCP4 localhost localhost 1 2\r\n",
		"1, a zone":             "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
		"1, UDP":                "PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
		"1, more words":         "PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n",
		"1, lower case":         "proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
		"1, two spaces":         "PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
		"2, half a signature":   signature2[:7],
		"2, no command":         signature2,
		"2, version 1":          raw2(0x11, 0x11, strings.Repeat("x", 12)),
		"2, unknown command":    raw2(0x22, 0x11, strings.Repeat("x", 12)),
		"2, unknown family":     raw2(0x21, 0x41, strings.Repeat("x", 12)),
		"2, short":              raw2(0x21, 0x11, strings.Repeat("x", 11)),
		"2, shorter than said":  raw2(0x21, 0x11, strings.Repeat("x", 12))[:20],
		"2, UDP":                raw2(0x21, 0x12, strings.Repeat("x", 12)),
		"2, unspecified":        raw2(0x21, 0x00, ""),
		"2, as long as can be":  raw2(0x21, 0x11, strings.Repeat("x", 65535)),
		"a length, and silence": raw2(0x21, 0x11, strings.Repeat("x", 65535))[:30],
	} {
		t.Run(name, func(t *testing.T) {
			var refused []error
			c := meet(t, trusting(ProxyRequired, true, &refused), sent)
			if got, want := c.RemoteAddr(), c.(*conn).raw().RemoteAddr(); got != want {
				t.Errorf("remote is %v, want the peer's", got)
			}
			if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
				t.Errorf("passed: %q, %v", b, err)
			}
			if len(refused) != 1 || !errors.Is(refused[0], ErrProxyHeader) {
				t.Errorf("refused: %v", refused)
			}
		})
	}
}

// A header of somebody who is not trusted is what it is: bytes.
func TestOthersSayNothingOfClients(t *testing.T) {
	const text = "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nGET / HTTP/1.1\r\n"
	for _, mode := range []ProxyMode{ProxyOff, ProxyOptional} {
		var refused []error
		c := meet(t, trusting(mode, false, &refused), text)
		if a, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			t.Errorf("mode %d: remote is %v", mode, a)
		}
		if b, err := io.ReadAll(c); string(b) != text || err != nil {
			t.Errorf("mode %d: %q, %v", mode, b, err)
		}
	}
	var refused []error
	g := trusting(ProxyRequired, false, &refused)
	l := g.Bound(open(t, "127.0.0.1:0"))
	ended := make(chan struct{})
	go func() { _, _ = l.Accept(); close(ended) }() // ends with the listener
	c := dial(t, l)
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	l.Close()
	<-ended
	if len(refused) != 1 || !errors.Is(refused[0], ErrNoProxy) {
		t.Errorf("refused: %v", refused)
	}
}

// Without a header a connection is the proxy's own, where that is allowed; the
// beginning of one decides nothing.
func TestOptionalHeaders(t *testing.T) {
	for _, text := range []string{"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n", "P", "\x16\x03\x01"} {
		var refused []error
		c := meet(t, trusting(ProxyOptional, true, &refused), text)
		if b, err := io.ReadAll(c); string(b) != text || err != nil || len(refused) > 0 {
			t.Errorf("%q: %q, %v, refused %v", text, b, err, refused)
		}
		if got, want := c.RemoteAddr(), c.(*conn).raw().RemoteAddr(); got != want {
			t.Errorf("%q: remote is %v, want the peer's", text, got)
		}
	}
}

// A header that does not come keeps neither Accept nor its seat.
func TestSlowProxyHeader(t *testing.T) {
	refused := make(chan error, 1)
	g := NewGate(Limits{Connections: 1, Stall: time.Minute, Proxy: Proxy{
		Mode: ProxyRequired, Trusts: func(net.Addr) bool { return true }, Timeout: 20 * time.Millisecond,
		Refused: func(_ net.Addr, err error) { refused <- err },
	}})
	l := g.Bound(open(t, "127.0.0.1:0"))
	silent := dial(t, l)
	if _, err := io.WriteString(silent, "PROX"); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v", n, err)
	}
	if err := <-refused; !errors.Is(err, ErrProxyHeader) {
		t.Error(err)
	}
	if n, err := silent.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("the client reads %d, %v", n, err)
	}
	c.Close()
	dial(t, l)
	if c, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// The client's address is counted, and the proxy's is not.
func TestClientsBehindAProxyAreCounted(t *testing.T) {
	var crowded []netip.Addr
	g := NewGate(Limits{
		Connections: 10, Stall: time.Minute, PerAddress: 1,
		Exempt:  func(a netip.Addr) bool { return a.IsLoopback() },
		Crowded: func(a netip.Addr) { crowded = append(crowded, a) },
		Proxy:   Proxy{Mode: ProxyRequired, Trusts: func(net.Addr) bool { return true }, Timeout: time.Minute},
	})
	open := func(client string) net.Conn {
		t.Helper()
		c := meet(t, g, "PROXY TCP4 "+client+" 198.51.100.1 1 2\r\nx")
		c.RemoteAddr()
		return c
	}
	read := func(c net.Conn) string {
		t.Helper()
		b, err := io.ReadAll(c)
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	first := open("192.0.2.1")
	if got := read(first); got != "x" {
		t.Errorf("the first: %q", got)
	}
	if got := read(open("192.0.2.1")); got != "" {
		t.Errorf("the second of one client: %q", got)
	}
	if got := read(open("192.0.2.2")); got != "x" {
		t.Errorf("another client: %q", got)
	}
	first.Close()
	if got := read(open("192.0.2.1")); got != "x" {
		t.Errorf("after the first has gone: %q", got)
	}
	if want := netip.MustParseAddr("192.0.2.1"); len(crowded) != 1 || crowded[0] != want {
		t.Errorf("turned away: %v", crowded)
	}
}

// What leaves before its header is known gives back what it never took.
func TestClosingBeforeTheHeader(t *testing.T) {
	c := &conn{}
	var left int
	c.whenLeft(func() { left++ })
	c.left()
	c.left()
	c.whenLeft(func() { left++ })
	if left != 2 {
		t.Errorf("left %d times", left)
	}
}

// fed is a connection whose bytes are known.
type fed struct {
	net.Conn
	r      io.Reader
	closed bool
}

func (f *fed) Read(p []byte) (int, error)       { return f.r.Read(p) }
func (f *fed) SetReadDeadline(time.Time) error  { return nil }
func (f *fed) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1} }
func (f *fed) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 2} }
func (f *fed) Close() error                     { f.closed = true; return nil }
func (f *fed) SetWriteDeadline(time.Time) error { return nil }

// FuzzProxyHeader: whatever comes, a connection is refused and closed, or what
// is behind the header comes through whole, in pieces or not, and its addresses
// can be printed and read.
func FuzzProxyHeader(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nGET", "PROXY UNKNOWN\r\n", "PROXY TCP6 ::1 ::1 1 2\r\nx", "GET / HTTP/1.1\r\n\r\n",
		raw2(0x21, 0x11, "\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb") + "GET", raw2(0x20, 0, "") + "x", raw2(0x21, 0x21, strings.Repeat("y", 36)),
		raw2(0x21, 0x31, strings.Repeat("z", 216)) + "x", raw2(0x21, 0x12, strings.Repeat("y", 12)), signature2,
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, sent []byte, required bool) {
		mode := ProxyOptional
		if required {
			mode = ProxyRequired
		}
		var refused []error
		inner := &fed{r: bytes.NewReader(sent)}
		g := trusting(mode, true, &refused)
		c, err := g.Bound(oneConn{conn: inner}).Accept()
		if err != nil {
			t.Fatal(err)
		}
		remote := c.RemoteAddr().String()
		got, err := io.ReadAll(iotest.OneByteReader(c))
		if err != nil || !bytes.HasSuffix(sent, got) {
			t.Fatalf("%q passes, %v", got, err)
		}
		if len(refused) > 0 != inner.closed || len(refused) > 0 && len(got) > 0 {
			t.Fatalf("refused %v, closed %v, passed %q", refused, inner.closed, got)
		}
		if _, err := netip.ParseAddrPort(remote); err != nil && remote != "" {
			t.Fatalf("remote is %q", remote)
		}
		// The library's own reader is the judge of what a header is.
		if h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(sent))); err == nil && h.Command == proxyproto.PROXY && len(refused) == 0 {
			if source, _, ok := h.TCPAddrs(); ok && source.String() != remote {
				t.Fatalf("remote is %q, want %v", remote, source)
			}
		}
	})
}

type oneConn struct {
	net.Listener
	conn net.Conn
}

func (o oneConn) Accept() (net.Conn, error) { return o.conn, nil }
