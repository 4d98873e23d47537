package wasi

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// lines is a Network whose peers are the other ends of pairs of the kernel.
type lines struct {
	peers  []*os.File
	dialed []string
	meter  Meter
	err    error
}

func (n *lines) Resolve(_ context.Context, name string) ([]netip.Addr, error) {
	switch name {
	case "two.example":
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
	case "nobody.example":
		return nil, &net.DNSError{IsNotFound: true}
	case "later.example":
		return nil, &net.DNSError{IsTemporary: true}
	}
	return nil, n.Refuse("names", name)
}

func (n *lines) Dial(_ context.Context, stream bool, to netip.AddrPort) (*Link, error) {
	if n.err != nil {
		return nil, n.err
	}
	kind := unix.SOCK_DGRAM
	if stream {
		kind = unix.SOCK_STREAM
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	n.dialed = append(n.dialed, to.String())
	n.peers = append(n.peers, os.NewFile(uintptr(fds[1]), "peer"))
	return &Link{File: os.NewFile(uintptr(fds[0]), "link"), Port: 40000, Meter: n.meter}, nil
}

func (n *lines) Refuse(rule, what string) *Refusal { return &Refusal{Rule: rule, What: what} }

func (n *lines) close() {
	for _, p := range n.peers {
		_ = p.Close()
	}
}

func newLines(t *testing.T) *lines {
	n := &lines{}
	t.Cleanup(n.close)
	return n
}

// socket opens one.
func (g *guest) socket(stream uint64) uint64 {
	g.t.Helper()
	fd := g.space(4)
	where, size := g.path("/app/x.py:7")
	g.want(0, "socket.open", 4, stream, where, size, fd)
	return uint64(g.u32(fd))
}

func (g *guest) pair(stream uint64) (a, b uint64) {
	g.t.Helper()
	fds := g.space(8)
	g.want(0, "socket.pair", stream, 0, 0, fds)
	return uint64(g.u32(fds)), uint64(g.u32(fds + 4))
}

// address stores an address.
func (g *guest) address(text string) uint64 {
	b := make([]byte, addressSize)
	putAddress(b, netip.MustParseAddrPort(text), strings.HasPrefix(text, "["))
	return g.put(b)
}

func (g *guest) connected() uint64 {
	g.t.Helper()
	fd := g.socket(1)
	g.want(0, "socket.connect", fd, g.address("192.0.2.1:80"))
	return fd
}

func (g *guest) nonblocking(fd uint64) {
	g.t.Helper()
	g.want(0, "fd_fdstat_set_flags", fd, fdflagNonblock)
}

func (g *guest) send(want sys.Errno, fd uint64, data string, to uint64) int {
	g.t.Helper()
	n := g.space(4)
	g.want(want, "socket.send", fd, g.put([]byte(data)), uint64(len(data)), 0, to, n)
	return int(g.u32(n))
}

func (g *guest) recv(want sys.Errno, fd uint64, size int, flags uint64) string {
	g.t.Helper()
	buf, n := g.space(size), g.space(4)
	g.want(want, "socket.recv", fd, buf, uint64(size), flags, 0, n)
	return string(g.bytes(buf, g.u32(n)))
}

// readyFor polls without waiting.
func (g *guest) readyFor(fd uint64) (kinds string) {
	g.t.Helper()
	for _, e := range g.poll(subscription(1, eventFdRead, uint32(fd), 0, 0), subscription(2, eventFdWrite, uint32(fd), 0, 0), subscription(3, eventClock, clockMonotonic, 0, 0)) {
		kinds += map[byte]string{eventFdRead: "r", eventFdWrite: "w", eventClock: ""}[e.Kind]
	}
	return kinds
}

func TestSocketPair(t *testing.T) {
	g := newGuest(t, Policy{})
	a, b := g.pair(1)
	g.nonblocking(a)
	g.nonblocking(b)
	wantEqual(t, "ready", g.readyFor(b), "w")
	g.recv(sys.EAGAIN, b, 1, 0)
	wantEqual(t, "sent", g.send(0, a, "hello", 0), 5)
	g.write(a, " world")
	wantEqual(t, "ready", g.readyFor(b), "rw")
	wantEqual(t, "peeked", g.recv(0, b, 7, msgPeek), "hello w")
	wantEqual(t, "received", g.recv(0, b, 7, 0), "hello w")
	wantEqual(t, "read", g.read(b, 100), "orld")
	wantEqual(t, "filled", g.send(0, a, strings.Repeat("x", maxPairBytes+1), 0), maxPairBytes)
	g.send(sys.EAGAIN, a, "y", 0)
	wantEqual(t, "ready", g.readyFor(a), "")
	if n := g.sandbox.MemoryInUse(); n != maxPairBytes {
		t.Errorf("%d bytes in use", n)
	}
	g.want(0, "socket.shutdown", a, shutWrite)
	g.send(EPIPE, a, "y", 0)
	wantEqual(t, "received", len(g.recv(0, b, maxPairBytes, 0)), maxPairBytes)
	wantEqual(t, "end", g.recv(0, b, 1, 0), "")
	g.want(0, "fd_close", a)
	g.send(EPIPE, b, "y", 0)
	wantEqual(t, "ready", g.readyFor(b), "rw")
	g.want(0, "fd_close", b)
	g.want(sys.EBADF, "socket.shutdown", b, shutWrite)

	a, b = g.pair(0)
	g.nonblocking(b)
	g.send(0, a, "one", 0)
	g.send(0, a, "", 0)
	g.send(0, a, "three", 0)
	g.send(EMSGSIZE, a, strings.Repeat("x", maxPairBytes+1), 0)
	wantEqual(t, "cut", g.recv(0, b, 2, 0), "on")
	wantEqual(t, "empty", g.recv(0, b, 2, 0), "")
	wantEqual(t, "whole", g.recv(0, b, 9, 0), "three")
	g.recv(sys.EAGAIN, b, 9, 0)
}

func TestSocketConnects(t *testing.T) {
	n := newLines(t)
	g := newGuest(t, Policy{Network: n})
	fd := g.socket(1)
	g.recv(ENOTCONN, fd, 1, 0)
	g.send(EPIPE, fd, "x", 0)
	name := g.space(addressSize)
	g.want(ENOTCONN, "socket.name", fd, 1, name)
	g.want(0, "socket.option_set", fd, levelSocket, 9, 1) // before there is a connection
	g.want(EAFNOSUPPORT, "socket.connect", fd, g.address("[2001:db8::1]:80"))
	g.want(0, "socket.connect", fd, g.address("192.0.2.1:80"))
	g.want(EISCONN, "socket.connect", fd, g.address("192.0.2.1:80"))
	wantEqual(t, "dialed", strings.Join(n.dialed, " "), "192.0.2.1:80")
	g.want(0, "socket.name", fd, 1, name)
	wantEqual(t, "peer", hex.EncodeToString(g.bytes(name, addressSize)), "0400500000000000c0000201"+strings.Repeat("0", 24))
	g.want(0, "socket.name", fd, 0, name)
	wantEqual(t, "local", hex.EncodeToString(g.bytes(name, addressSize)), "0400409c00000000"+strings.Repeat("0", 32))
	value := g.space(4)
	for option, want := range map[uint64]uint32{3: guestStream, 4: 0, 9: 1, 13: 1<<32 - 1, 30: 0, 38: protocolTCP, 39: guestInet} {
		g.want(0, "socket.option_get", fd, levelSocket, option, value)
		wantEqual(t, "option", g.u32(value), want)
	}
	g.want(0, "socket.option_set", fd, levelSocket, 13, 7)
	g.want(0, "socket.option_get", fd, levelSocket, 13, value)
	wantEqual(t, "linger", g.u32(value), 7)
	g.want(0, "socket.option_set", fd, levelSocket, 2, 1) // changes nothing, and is remembered
	g.want(0, "socket.option_get", fd, levelSocket, 2, value)
	wantEqual(t, "reuse", g.u32(value), 1)
	g.want(0, "socket.option_set", fd, levelTCP, 1, 1) // of TCP, which this is not
	g.want(0, "socket.option_get", fd, levelTCP, 1, value)
	wantEqual(t, "no delay", g.u32(value), 1)
	g.want(ENOPROTOOPT, "socket.option_set", fd, levelSocket, 4, 1)
	g.want(ENOPROTOOPT, "socket.option_get", fd, levelSocket, 20, value)

	g.write(fd, "question")
	b := make([]byte, 100)
	size, err := n.peers[0].Read(b)
	must(t, err)
	wantEqual(t, "at the peer", string(b[:size]), "question")
	_, err = n.peers[0].WriteString("answer")
	must(t, err)
	wantEqual(t, "peeked", g.recv(0, fd, 3, msgPeek), "ans")
	wantEqual(t, "answer", g.read(fd, 100), "answer")
	g.want(0, "socket.shutdown", fd, shutWrite)
	if _, err := n.peers[0].Read(b); !errors.Is(err, io.EOF) {
		t.Errorf("at the peer: %v", err)
	}
	must(t, n.peers[0].Close())
	wantEqual(t, "end", g.recv(0, fd, 3, 0), "")
	wantEqual(t, "ready", g.readyFor(fd), "rw")
	wantEqual(t, "open", strings.Join(g.sandbox.OpenFiles(), ";"), "a socket to 192.0.2.1:80 (opened at /app/x.py:7)")
	must(t, g.sandbox.Reset())
	g.want(sys.EBADF, "socket.shutdown", fd, shutWrite)
}

// TestSocketIsRefused: the guest gets a number that means nothing else, and can
// ask why.
func TestSocketIsRefused(t *testing.T) {
	n := newLines(t)
	n.err = n.Refuse("loopback", "127.0.0.1:80")
	g := newGuest(t, Policy{Network: n})
	text, size := g.space(200), g.space(4)
	why := func() string {
		g.want(0, "socket.refusal", text, 200, size)
		return string(g.bytes(text, g.u32(size)))
	}
	g.want(ENOTCAPABLE, "socket.connect", g.socket(1), g.address("127.0.0.1:80"))
	wantEqual(t, "why", why(), "the network policy refuses 127.0.0.1:80 (rule loopback)")
	for what, want := range map[uint64]string{
		1: "listening for connections (rule listen)", 2: "a raw socket (rule raw)", 3: "a Unix socket (rule unix)",
		4: "a local address of one's own (rule bind)",
	} {
		g.want(ENOTCAPABLE, "socket.refuse", what)
		wantEqual(t, "why", why(), "the network policy refuses "+want+": applications only connect")
	}
	g.want(sys.EINVAL, "socket.refuse", 5)
	n.err = syscall.ECONNREFUSED
	g.want(ECONNREFUSED, "socket.connect", g.socket(1), g.address("127.0.0.1:80"))
	n.err = errors.New("anything")
	g.want(sys.EIO, "socket.connect", g.socket(1), g.address("127.0.0.1:80"))

	alone := newGuest(t, Policy{})
	alone.want(ENOTCAPABLE, "socket.connect", alone.socket(1), alone.address("8.8.8.8:80"))
	alone.want(0, "socket.refusal", text, 100, size)
	wantEqual(t, "why", string(alone.bytes(text, alone.u32(size))), "the network policy refuses 8.8.8.8:80 (rule network): there is no network here")
}

func TestResolve(t *testing.T) {
	g := newGuest(t, Policy{Network: newLines(t)})
	out, count := g.space(2*addressSize), g.space(4)
	ask := func(want sys.Errno, name string, most uint64) {
		t.Helper()
		ptr, length := g.path(name)
		g.want(want, "socket.resolve", ptr, length, out, most, count)
	}
	ask(0, "two.example", 2)
	wantEqual(t, "count", g.u32(count), 2)
	wantEqual(t, "addresses", hex.EncodeToString(g.bytes(out, 2*addressSize)),
		"0400000000000000c0000201"+strings.Repeat("0", 24)+"0600000000000000"+"20010db8000000000000000000000001")
	ask(0, "two.example", 1)
	wantEqual(t, "count", g.u32(count), 1)
	ask(sys.ENOENT, "nobody.example", 2)
	ask(sys.EAGAIN, "later.example", 2)
	ask(ENOTCAPABLE, "other.example", 2)
	ask(sys.ENOENT, "", 2)
	ask(sys.ENOENT, strings.Repeat("x", maxHostName+1), 2)
}

// TestWaitingSocketEnds: with its request; it holds no CPU slot meanwhile, and
// what comes wakes it.
func TestWaitingSocketEnds(t *testing.T) {
	n := newLines(t)
	g := newGuest(t, Policy{Network: n})
	fd := g.connected()
	request, cancel := context.WithCancel(t.Context())
	g.sandbox.SetContext(request)
	var before, after int
	g.sandbox.OnSleep(func() {
		before++
		if before == 1 {
			_, _ = n.peers[0].WriteString("late")
		} else {
			cancel()
		}
	}, func() { after++ })
	wantEqual(t, "received", g.recv(0, fd, 10, 0), "late")
	wantEqual(t, "slots", [2]int{before, after}, [2]int{1, 1})
	g.recv(sys.EINTR, fd, 10, 0)
	wantEqual(t, "slots", [2]int{before, after}, [2]int{2, 2})
	out, count := g.space(eventSize), g.space(4)
	g.want(sys.EINTR, "poll_oneoff", g.put(subscription(1, eventFdRead, uint32(fd), 0, 0)), out, 1, count)
}

// TestPollWakes: several sockets, of which one gets something while the guest
// waits without a clock.
func TestPollWakes(t *testing.T) {
	n := newLines(t)
	g := newGuest(t, Policy{Network: n})
	first, second := g.connected(), g.connected()
	g.sandbox.OnSleep(func() { _, _ = n.peers[1].WriteString("x") }, nil)
	events := g.poll(subscription(1, eventFdRead, uint32(first), 0, 0), subscription(2, eventFdRead, uint32(second), 0, 0))
	if len(events) != 1 || events[0] != (gotEvent{2, 0, eventFdRead}) {
		t.Errorf("%v", events)
	}
	g.sandbox.OnSleep(nil, nil)
	events = g.poll(subscription(1, eventFdRead, uint32(first), 0, 0), subscription(9, eventClock, clockMonotonic, 1000, 0))
	if len(events) != 1 || events[0] != (gotEvent{9, 0, eventClock}) {
		t.Errorf("%v", events)
	}
}

// account is a Meter with a say.
type account struct {
	pause  time.Duration
	left   int
	closed int
}

func (a *account) Pause() time.Duration { return a.pause }
func (a *account) Close()               { a.closed++ }
func (a *account) Moved(sent, received int) *Refusal {
	if a.left -= sent + received; a.left > 0 {
		return nil
	}
	return &Refusal{Rule: "bytes", What: "more"}
}

func TestMeterEndsConnections(t *testing.T) {
	n, m := newLines(t), &account{left: 4}
	n.meter = m
	g := newGuest(t, Policy{Network: n})
	fd := g.connected()
	g.nonblocking(fd)
	g.write(fd, "abc")
	g.write(fd, "de")
	g.send(ENOTCAPABLE, fd, "f", 0)
	g.recv(ENOTCAPABLE, fd, 1, 0)
	wantEqual(t, "why", g.sandbox.refusal, "the network policy refuses more (rule bytes)")
	m.pause = time.Hour
	g.recv(sys.EAGAIN, fd, 1, 0)
	wantEqual(t, "ready", g.readyFor(fd), "")
	g.want(0, "fd_close", fd)
	wantEqual(t, "closed", m.closed, 1)
}

// TestDatagramsGoToPeers: each peer has a socket of the kernel, and there is an
// end to them.
func TestDatagramsGoToPeers(t *testing.T) {
	n := newLines(t)
	g := newGuest(t, Policy{Network: n})
	fd := g.socket(0)
	g.send(EDESTADDRREQ, fd, "x", 0)
	a, b := g.address("192.0.2.1:53"), g.address("192.0.2.2:53")
	g.send(0, fd, "to a", a)
	g.send(0, fd, "to b", b)
	g.send(0, fd, "again", a)
	wantEqual(t, "dialed", strings.Join(n.dialed, " "), "192.0.2.1:53 192.0.2.2:53")
	_, err := n.peers[1].WriteString("from b")
	must(t, err)
	buf, from, size := g.space(10), g.space(addressSize), g.space(4)
	g.want(0, "socket.recv", fd, buf, 10, 0, from, size)
	wantEqual(t, "received", string(g.bytes(buf, g.u32(size))), "from b")
	wantEqual(t, "from", hex.EncodeToString(g.bytes(from, 12)), "0400350000000000c0000202")
	for i := range 3 * maxDatagramPeers {
		g.send(0, fd, "x", g.address(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 99).String()))
	}
	s, _ := g.sandbox.socketOf(uint32(fd))
	wantEqual(t, "peers", len(s.others), maxDatagramPeers)
	g.want(0, "socket.connect", fd, a)
	g.want(0, "socket.connect", fd, b)
	g.want(0, "fd_close", fd)
}

// TestSocketDescriptors: a socket is a descriptor like any other, and counts.
func TestSocketDescriptors(t *testing.T) {
	g := newGuest(t, Policy{MaxOpenFiles: 3, Network: newLines(t)})
	fd := g.socket(1)
	out := g.space(fdStatSize)
	g.want(0, "fd_fdstat_get", fd, out)
	wantEqual(t, "type", g.bytes(out, 1)[0], typeSocketStream)
	g.pair(1)
	g.want(EMFILE, "socket.open", 4, 1, 0, 0, out)
	g.want(EMFILE, "socket.pair", 1, 0, 0, out)
	g.want(0, "fd_close", fd)
	g.want(EMFILE, "socket.pair", 1, 0, 0, out)
	g.want(0, "socket.open", 6, 0, 0, 0, out)
	g.want(EAFNOSUPPORT, "socket.open", 5, 0, 0, 0, out)
	g.want(EPROTOTYPE, "socket.open", 4, 2, 0, 0, out)
	g.want(ESPIPE, "fd_seek", fd, 0, 0, out)
	g.want(sys.ENOTSOCK, "socket.shutdown", 1, shutRead)
}

// FuzzSockets calls everything of sockets with arguments that often make sense.
// Nothing blocks: the request is over. Afterwards every descriptor of the host
// is closed.
func FuzzSockets(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 2, 3, 0, 4, 0, 3, 1, 5, 1, 2, 6, 2, 3, 8, 1, 7})
	f.Add([]byte{1, 1, 4, 1, 5, 3, 6, 2, 2, 12, 0, 13, 1, 14, 2, 15})
	module := surfaceModule(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 400 {
			return
		}
		n, open := &lines{}, hostDescriptors(t)
		sandbox, err := Policy{Network: n, MaxOpenFiles: 8}.NewSandbox()
		must(t, err)
		over, cancel := context.WithCancel(context.Background())
		cancel()
		sandbox.SetContext(over)
		g := &guest{t: t, ctx: sandbox.Context(over), sandbox: sandbox, module: module}
		for len(script) > 0 {
			script = g.socketCall(script)
		}
		must(t, sandbox.Close())
		n.close()
		wantEqual(t, "descriptors of the host", hostDescriptors(t), open)
	})
}

// socketCall makes the first call of a script and returns the rest.
func (g *guest) socketCall(script []byte) []byte {
	var calls []hostFunction
	for _, f := range imported() {
		if strings.HasPrefix(f.name, socketPrefix) || f.name == "fd_close" || f.name == "fd_read" || f.name == "fd_write" ||
			f.name == "fd_fdstat_set_flags" || f.name == "poll_oneoff" || f.name == "fd_renumber" {
			calls = append(calls, f)
		}
	}
	function := calls[int(script[0])%len(calls)]
	script = script[1:]
	values := [...]uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 0x40, 0x7fffffff, 4096, 8192, 65536, 1<<32 - 1, 1 << 31, 2<<20 - 8}
	var args []uint64
	for range function.params {
		var b byte
		if len(script) > 0 {
			b, script = script[0], script[1:]
		}
		args = append(args, values[int(b)%len(values)])
	}
	putAddress(g.bytes(4096, addressSize), netip.MustParseAddrPort("192.0.2.1:80"), false)
	if _, err := g.module.ExportedFunction(function.name).Call(g.ctx, args...); err != nil {
		g.t.Fatalf("%s%v: %v", function.name, args, err)
	}
	return script
}
