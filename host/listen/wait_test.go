package listen

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// pair is a connection of a gate's listener, and its client.
func pair(t *testing.T, limits Limits) (server, client net.Conn) {
	t.Helper()
	limits.Connections = 1
	if limits.Stall == 0 {
		limits.Stall = time.Minute
	}
	l := NewGate(limits).Bound(open(t, "127.0.0.1:0"))
	client = dial(t, l)
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, client
}

// waitsOf counts how often f was called.
func waitsOf(t *testing.T, c net.Conn) *atomic.Int32 {
	t.Helper()
	n := new(atomic.Int32)
	if !BeforeWait(c, func() { n.Add(1) }) {
		t.Fatal("a gate's connection is none")
	}
	return n
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// arrived returns when something can be read from c.
func arrived(t *testing.T, c net.Conn) {
	t.Helper()
	raw, err := c.(*conn).Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func reads(t *testing.T, c net.Conn, size int, want string) {
	t.Helper()
	b := make([]byte, size)
	if n, err := c.Read(b); string(b[:n]) != want || err != nil {
		t.Errorf("read %q, %v; want %q", b[:n], err, want)
	}
}

func waited(t *testing.T, n *atomic.Int32, want int32) {
	t.Helper()
	if got := n.Load(); got != want {
		t.Errorf("waited %d times, want %d", got, want)
	}
}

// TestBeforeWaitIsForReadsThatWait, and not for those that find something.
func TestBeforeWaitIsForReadsThatWait(t *testing.T) {
	server, client := pair(t, Limits{})
	n := waitsOf(t, server)
	send(t, client, "spam")
	arrived(t, server)
	reads(t, server, 2, "sp")
	reads(t, server, 9, "am")
	waited(t, n, 0)
	BeforeWait(server, func() { n.Add(1); send(t, client, "eggs") }) // nothing was there until it was asked for
	reads(t, server, 9, "eggs")
	waited(t, n, 1)
	BeforeWait(server, func() {})
	client.Close()
	if k, err := server.Read(make([]byte, 9)); k != 0 || err != io.EOF {
		t.Errorf("at the end: %d, %v", k, err)
	}
}

// TestOneByteWaits, too: a reader whose buffer is all but full asks for no more.
func TestOneByteWaits(t *testing.T) {
	server, client := pair(t, Limits{})
	var n atomic.Int32
	BeforeWait(server, func() { n.Add(1); send(t, client, "x") })
	reads(t, server, 1, "x")
	waited(t, &n, 1)
}

// TestErrorsOfReadsAreThoseOfPackageNet: net/http tells by them what to answer.
func TestErrorsOfReadsAreThoseOfPackageNet(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(server, client net.Conn)
		want error
	}{
		"deadline": {func(server, _ net.Conn) { _ = server.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"closed":   {func(server, _ net.Conn) { server.Close() }, net.ErrClosed},
		"reset": {func(server, client net.Conn) {
			_ = client.(*net.TCPConn).SetLinger(0)
			client.Close()
		}, syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t, Limits{})
			waitsOf(t, server)
			c.do(server, client)
			k, err := server.Read(make([]byte, 9))
			var op *net.OpError
			if k != 0 || !errors.Is(err, c.want) || !errors.As(err, &op) || op.Op != "read" || op.Timeout() != (c.want == os.ErrDeadlineExceeded) {
				t.Errorf("%d, %#v", k, err)
			}
		})
	}
}

// TestBeforeWaitIsForWritesThatWait: the client reads when its server waits.
func TestBeforeWaitIsForWritesThatWait(t *testing.T) {
	server, client := pair(t, Limits{})
	text := strings.Repeat("spam", 4<<20)
	received := make(chan string, 1)
	var waits atomic.Int32
	BeforeWait(server, func() {
		if waits.Add(1) == 1 {
			go func() {
				b := make([]byte, len(text))
				k, _ := io.ReadFull(client, b)
				received <- string(b[:k])
			}()
		}
	})
	send(t, server, "s")
	reads(t, client, 1, "s")
	waited(t, &waits, 0)
	if n, err := io.WriteString(server, text); n != len(text) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if got := <-received; got != text {
		t.Errorf("%d bytes came, or others", len(got))
	}
	if waits.Load() == 0 {
		t.Error("nobody heard that the client was slow")
	}
	server.Close()
	if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%#v", err)
	}
}

// TestAWriteThatStalls ends, after all that could be sent.
func TestAWriteThatStalls(t *testing.T) {
	server, _ := pair(t, Limits{Stall: 10 * time.Millisecond})
	n := waitsOf(t, server)
	sent, err := io.WriteString(server, strings.Repeat("x", 64<<20))
	if sent == 0 || sent == 64<<20 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("sent %d, %v", sent, err)
	}
	waited(t, n, 1)
}

// TestBeforeWaitHearsOfEveryEnd: what a handler leaves behind is done with the
// last one.
func TestBeforeWaitHearsOfEveryEnd(t *testing.T) {
	server, _ := pair(t, Limits{})
	n := waitsOf(t, server)
	_ = server.(*conn).CloseWrite()
	waited(t, n, 1)
	server.Close()
	server.Close()
	waited(t, n, 3)
	Waits(wrapper{server})
	waited(t, n, 4)
	a, b := net.Pipe()
	Waits(wrapper{a}) // nobody wants to hear of it
	a.Close()
	b.Close()
}

// wrapper is a connection around another, as crypto/tls has it.
type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

func TestBeforeWaitFindsTheConnection(t *testing.T) {
	server, _ := pair(t, Limits{})
	waitsOf(t, wrapper{wrapper{server}})
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if BeforeWait(wrapper{a}, nil) {
		t.Error("a pipe is no gate's connection")
	}
}

// TestBeforeWaitBehindAProxy: what comes with the header is read without a look
// at the descriptor, and the rest is not.
func TestBeforeWaitBehindAProxy(t *testing.T) {
	server, client := pair(t, Limits{Proxy: Proxy{Mode: ProxyRequired, Trusts: func(net.Addr) bool { return true }, Timeout: time.Minute}})
	n := waitsOf(t, server)
	send(t, client, "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nspam")
	reads(t, server, 9, "spam")
	waited(t, n, 1)
	BeforeWait(server, func() { n.Add(1); send(t, client, "eggs") })
	reads(t, server, 2, "eg") // the buffer of the header is done with
	waited(t, n, 2)
	BeforeWait(server, func() { n.Add(1) })
	reads(t, server, 9, "gs")
	waited(t, n, 2)
	send(t, server, "ham")
	reads(t, client, 9, "ham")
	waited(t, n, 2)
}

// TestGone: a client that has closed half or all of its side, with and without
// something unread, and one that has not.
func TestGone(t *testing.T) {
	stay := func(*net.TCPConn) {}
	half := func(c *net.TCPConn) { _ = c.CloseWrite() }
	all := func(c *net.TCPConn) { _ = c.Close() }
	reset := func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }
	for name, c := range map[string]struct {
		sent                 string
		leave                func(*net.TCPConn)
		plain, behindSecrecy bool
	}{
		"stays": {"", stay, false, false}, "stays, unread": {"x", stay, false, false},
		"halves": {"", half, true, true}, "halves, unread": {"x", half, false, true},
		"closes": {"", all, true, true}, "closes, unread": {"x", all, false, true},
		"resets": {"", reset, true, true}, "resets, unread": {"x", reset, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t, Limits{})
			waitsOf(t, server)
			if send(t, client, c.sent); c.sent != "" {
				arrived(t, server)
			}
			c.leave(client.(*net.TCPConn))
			if got := Gone(wrapper{server}); got != c.plain {
				t.Errorf("gone: %t", got)
			}
			if got := Gone(tls.Server(server, nil)); got != c.behindSecrecy {
				t.Errorf("gone behind TLS: %t", got)
			}
			server.Close()
			if !Gone(server) {
				t.Error("a closed connection has a client")
			}
		})
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if Gone(a) {
		t.Error("of a pipe nobody knows")
	}
}
