package listen

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childVariable); task != "" {
		beChild(task)
		return
	}
	goleak.VerifyTestMain(m)
}

func open(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := TCP(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConnectionsAreBounded(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	dial(t, l)
	dial(t, l)
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan net.Conn)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		second <- c
	}()
	select {
	case <-second:
		t.Fatal("a second connection was accepted")
	case <-time.After(10 * time.Millisecond): // only a broken limit is found by waiting
	}
	for range 2 { // net/http closes twice; the seat is given back once
		first.Close()
	}
	(<-second).Close()
}

func TestCloseEndsAnAcceptThatWaits(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
}

func TestWriteToAClientThatDoesNotReadEnds(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: 20 * time.Millisecond}).Bound(open(t, "127.0.0.1:0"))
	dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestLargeWriteArrives(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	client := dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if n, err := c.Write(make([]byte, 3*maxPiece+1)); n != 3*maxPiece+1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		c.Close()
	}()
	if b, err := io.ReadAll(client); len(b) != 3*maxPiece+1 || err != nil {
		t.Errorf("%d, %v", len(b), err)
	}
}

// A deadline is for all pieces: it is not put off by a client that takes them.
func TestDeadlineOutlivesThePieces(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	client := dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write([]byte("abc")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %d bytes, %v", n, err)
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write([]byte("de")); n != 2 || err != nil {
		t.Errorf("without a deadline: %d bytes, %v", n, err)
	}
	got := make([]byte, 2)
	if _, err := io.ReadFull(client, got); string(got) != "de" || err != nil {
		t.Errorf("arrived %q, %v", got, err)
	}
}

// A client that takes everything does not keep a write alive that was to end.
func TestDeadlineEndsAWriteThatMoves(t *testing.T) {
	l := NewGate(Limits{Connections: 1, Stall: time.Minute}).Bound(open(t, "127.0.0.1:0"))
	client := dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	moving, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		if _, err := io.CopyN(io.Discard, client, 1<<20); err != nil {
			t.Error(err)
		}
		close(moving)
		_, _ = io.Copy(io.Discard, client)
	}()
	go func() {
		for piece := make([]byte, 4*maxPiece); ; {
			if _, err := c.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	}()
	<-moving
	if err := c.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the write ended with %v", err)
	}
}

func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first, err := Unix(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unix(t.Context(), path, 0); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("in use: %v", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Unix(t.Context(), path, 0o662) // the stale file is replaced
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if info, err := os.Stat(path); err != nil || info.Mode() != fs.ModeSocket|0o662 {
		t.Errorf("the socket has %v, %v", info.Mode(), err)
	}

	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Unix(t.Context(), file, 0); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Errorf("a file: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("the file is %q, %v", b, err)
	}
}

// An address that has all its connections is turned away at once, others are
// not, and it may come back when one of them is closed.
func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	var crowded []netip.Addr
	l := NewGate(Limits{
		Connections: 10, Stall: time.Minute, PerAddress: 2,
		Exempt:  func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.9") },
		Crowded: func(a netip.Addr) { crowded = append(crowded, a) },
	}).Bound(open(t, "127.0.0.1:0"))
	from := func(address string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	accept := func(want net.Conn) net.Conn {
		t.Helper()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.RemoteAddr().String(); got != want.LocalAddr().String() {
			t.Fatalf("accepted %s, want %s", got, want.LocalAddr())
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first := accept(from("127.0.0.1"))
	accept(from("127.0.0.1"))
	third := from("127.0.0.1")
	accept(from("127.0.0.2")) // behind the third, which got nothing
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("the third connection is open")
	}
	for range 4 {
		accept(from("127.0.0.9"))
	}
	for range 2 { // net/http closes twice
		first.Close()
	}
	accept(from("127.0.0.1"))
	from("127.0.0.1")
	accept(from("127.0.0.9"))
	local := netip.MustParseAddr("127.0.0.1")
	if len(crowded) != 2 || crowded[0] != local || crowded[1] != local {
		t.Errorf("turned away: %v", crowded)
	}
}

func TestCrowd(t *testing.T) {
	c := crowd{limit: 1, open: map[netip.Addr]int{}}
	leave, err := c.enter(netip.MustParseAddr("2001:db8::1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.enter(netip.MustParseAddr("2001:db8::ffff:1")); !errors.Is(err, ErrCrowded) {
		t.Errorf("the same network: %v", err)
	}
	other, err := c.enter(netip.MustParseAddr("2001:db8:0:1::1"))
	if err != nil {
		t.Errorf("the next network: %v", err)
	}
	leave()
	other()
	if len(c.open) != 0 {
		t.Errorf("left behind: %v", c.open)
	}
}
