//go:build linux

package worker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// world is a network whose peers are pairs of the kernel.
type world struct {
	mu    sync.Mutex
	peers []*os.File
	open  int
	block chan struct{}  // Resolve waits for it when it is not nil
	bytes chan [2]uint64 // what Carried is told; nil takes nothing
}

func (w *world) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	switch name {
	case "slow.example":
		select {
		case <-w.block:
		case <-ctx.Done():
		}
		return nil, ctx.Err()
	case "none.example":
		return nil, &net.DNSError{IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
}

func (w *world) Dial(_ context.Context, stream bool, to netip.AddrPort) (*wasi.Link, error) {
	if to.Port() != 80 {
		return nil, w.Refuse("ports", to.String())
	}
	if !stream {
		return nil, unix.ENETUNREACH
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	w.peers = append(w.peers, os.NewFile(uintptr(fds[1]), "peer"))
	return &wasi.Link{File: os.NewFile(uintptr(fds[0]), "link"), Port: 4242, Meter: meter{w}}, nil
}

func (w *world) Refuse(rule, what string) *wasi.Refusal {
	return &wasi.Refusal{Rule: rule, What: what, Hint: "hint"}
}

func (w *world) Carried(sent, received uint64) {
	if w.bytes != nil {
		w.bytes <- [2]uint64{sent, received}
	}
}

type meter struct{ w *world }

func (meter) Pause() time.Duration         { return 0 }
func (meter) Moved(int, int) *wasi.Refusal { return nil }
func (m meter) Close() {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	m.w.open--
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open
}

// outletFor serves a network to whoever has conn.
func outletFor(t *testing.T, w *world) (conn *net.UnixConn, broken chan string, ended chan struct{}) {
	t.Helper()
	broken, ended = make(chan string, 10), make(chan struct{})
	o, theirs, err := newOutlet(w, func(why string) { broken <- why })
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	c, err := net.FileConn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	go func() { defer close(ended); o.serve() }()
	t.Cleanup(func() {
		_ = c.Close()
		<-ended
		for _, p := range w.peers {
			_ = p.Close()
		}
	})
	return c.(*net.UnixConn), broken, ended
}

// link connects both ends of the network's socket in this process.
func link(t *testing.T, w *world) (in *inlet, broken chan string, ended chan struct{}) {
	t.Helper()
	conn, broken, ended := outletFor(t, w)
	in = newInlet(conn, egress.NewMeters(egress.Policy{}))
	go in.listen()
	return in, broken, ended
}

// TestHostConnectsForWorkers: answers, refusals and errors arrive as they are,
// and the descriptor is the connection.
func TestHostConnectsForWorkers(t *testing.T) {
	w := &world{}
	in, _, ended := link(t, w)
	found, err := in.Resolve(t.Context(), "db.example")
	if err != nil || len(found) != 2 || found[1].String() != "2001:db8::1" {
		t.Errorf("%v, %v", found, err)
	}
	var lookup *net.DNSError
	if _, err := in.Resolve(t.Context(), "none.example"); !errors.As(err, &lookup) || !lookup.IsNotFound {
		t.Errorf("%v", err)
	}
	if _, err := in.Dial(t.Context(), true, netip.MustParseAddrPort("192.0.2.1:81")); err == nil ||
		err.Error() != "the network policy refuses 192.0.2.1:81 (rule ports): hint" {
		t.Errorf("%v", err)
	}
	if _, err := in.Dial(t.Context(), false, netip.MustParseAddrPort("192.0.2.1:80")); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("%v", err)
	}
	if r := in.Refuse("listen", "x"); r.Rule != "listen" || r.What != "x" || r.Hint != "hint" {
		t.Errorf("%+v", r)
	}
	l, err := in.Dial(t.Context(), true, netip.MustParseAddrPort("192.0.2.1:80"))
	if err != nil || l.Port != 4242 {
		t.Fatalf("%+v, %v", l, err)
	}
	second, err := in.Dial(t.Context(), true, netip.MustParseAddrPort("192.0.2.1:80"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.File.WriteString("through"); err != nil {
		t.Error(err)
	}
	b := make([]byte, 20)
	if n, err := w.peers[0].Read(b); err != nil || string(b[:n]) != "through" {
		t.Errorf("%q, %v", b[:n], err)
	}
	if n := w.count(); n != 2 {
		t.Errorf("%d open", n)
	}
	_ = l.File.Close()
	l.Meter.Close()
	l.Meter.Close()
	in.Refuse("a question", "so that the host has heard of the end")
	if n := w.count(); n != 1 {
		t.Errorf("%d open", n)
	}
	_ = second.File.Close()
	_ = in.conn.Close() // the end of the worker is that of its connections
	<-ended
	if n := w.count(); n != 0 {
		t.Errorf("%d open", n)
	}
}

// TestQuestionsEnd: with the request that asked, and with the host.
func TestQuestionsEnd(t *testing.T) {
	w := &world{block: make(chan struct{})}
	in, _, _ := link(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := in.Resolve(ctx, "slow.example"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	asked := make(chan error, 1)
	go func() {
		_, err := in.Resolve(context.Background(), "slow.example")
		asked <- err
	}()
	in.Refuse("", "") // behind it in the socket, mostly
	_ = in.conn.Close()
	if err := <-asked; err == nil {
		t.Error("answered")
	}
}

// TestHostileNetworkSocket: a worker that breaks the protocol is reported, once
// and for good.
func TestHostileNetworkSocket(t *testing.T) {
	dial := wire.NetworkRequest{Number: 1, Kind: wire.NetDial, Stream: true, To: netip.MustParseAddrPort("192.0.2.1:80")}.Append(nil)
	for name, c := range map[string]struct {
		packets [][]byte
		why     string
	}{
		"rubbish": {[][]byte{[]byte("rubbish")}, "broke the protocol"},
		"large":   {[][]byte{make([]byte, 2*wire.MaxNetwork)}, "broke the protocol"},
		"twice":   {[][]byte{dial, dial}, "used a number twice"},
	} {
		t.Run(name, func(t *testing.T) {
			// Nobody listens: an inlet would close a connection that it has not
			// asked for, and so make room for the second use of a number.
			conn, broken, _ := outletFor(t, &world{})
			for _, p := range c.packets {
				if _, err := conn.Write(p); err != nil {
					t.Fatal(err)
				}
			}
			if why := <-broken; !strings.Contains(why, c.why) {
				t.Errorf("%q", why)
			}
		})
	}
}

// TestHostHearsOfBytes: what the connections of a worker carry is told together.
func TestHostHearsOfBytes(t *testing.T) {
	w := &world{bytes: make(chan [2]uint64, 10)}
	in, _, _ := link(t, w)
	for range 2 {
		l, err := in.Dial(t.Context(), true, netip.MustParseAddrPort("192.0.2.1:80"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.File.Close()
		l.Meter.Moved(3, 0)
		l.Meter.Moved(0, 5)
	}
	in.tell()
	if got := <-w.bytes; got != [2]uint64{6, 10} {
		t.Errorf("%v", got)
	}
}
