package wasi

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// readiness says what a socket would do without blocking.
type readiness uint8

const (
	readable readiness = 1 << iota
	writable
	hungUp
)

// endpoint is what moves the bytes of a socket. Nothing of it blocks: what would is EAGAIN.
type endpoint interface {
	recv(p []byte, peek bool) (int, sys.Errno)
	send(p []byte) (int, sys.Errno)
	ready() readiness
	// watch calls wake, from another goroutine, when any of want may have come; stop ends that and waits for it.
	watch(want readiness, wake func()) (stop func())
	getOption(o option) (int, sys.Errno)
	setOption(o option, value int) sys.Errno
	shutdown(how uint32) sys.Errno
	pause() time.Duration
	close() sys.Errno
}

// socket is an open file of a guest that is a socket. Its endpoint is made when it connects; one for datagrams may have
// several, one for each peer, so that the kernel drops what comes from anybody else.
type socket struct {
	sys.UnimplementedFile
	sandbox *Sandbox
	d       *descriptor // knows whether it blocks
	stream  bool
	six     bool           // AF_INET6
	where   string         // the line that opened it, if anybody said
	end     endpoint       // nil until connected
	peer    netip.AddrPort // of end
	port    uint16         // local
	options []setOption    // to be set when there is an endpoint
	others  []*datagramPeer
	done    bool // the connection was seen to be made
	closed  bool
}

// datagramPeer is a peer that the guest has named in sendto.
type datagramPeer struct {
	address netip.AddrPort
	end     endpoint
}

// maxDatagramPeers bounds the sockets of the kernel behind one of the guest.
const maxDatagramPeers = 16

func (s *socket) Stat() (stat, sys.Errno) {
	if s.closed {
		return stat{}, sys.EBADF
	}
	return stat{Mode: fs.ModeSocket | 0o777, Nlink: 1}, 0
}

func (s *socket) Seek(position, int) (int64, sys.Errno)   { return 0, ESPIPE }
func (s *socket) Pread([]byte, int64) (int, sys.Errno)    { return 0, ESPIPE }
func (s *socket) Pwrite([]byte, int64) (int, sys.Errno)   { return 0, ESPIPE }
func (s *socket) Truncate(int64) sys.Errno                { return sys.EINVAL }
func (s *socket) SetAppend(bool) sys.Errno                { return 0 }
func (s *socket) Read(p []byte) (n int, errno sys.Errno)  { n, _, errno = s.recv(p, 0); return n, errno }
func (s *socket) Write(p []byte) (n int, errno sys.Errno) { return s.send(p, 0, netip.AddrPort{}) }
func (s *socket) ends() []endpoint {
	var out []endpoint
	if s.end != nil {
		out = append(out, s.end)
	}
	for _, o := range s.others {
		out = append(out, o.end)
	}
	return out
}

func (s *socket) Close() sys.Errno {
	if s.closed {
		return sys.EBADF
	}
	s.closed = true
	var errno sys.Errno
	for _, e := range s.ends() {
		errno = max(errno, e.close())
	}
	s.end, s.others = nil, nil
	return errno
}

// describe is the socket for who may not have it open.
func (s *socket) describe() string {
	text := "a socket"
	switch {
	case s.peer.IsValid():
		text = "a socket to " + s.peer.String()
	case s.end != nil:
		text = "a socket of a pair"
	}
	if s.where != "" {
		text += " (opened at " + s.where + ")"
	}
	return text
}

// blocking tells whether a call with these flags may wait.
func (s *socket) blocking(flags uint32) bool { return !s.d.nonblock && flags&msgDontWait == 0 }

// connect begins a connection, and waits for it unless the guest does not want to.
func (s *socket) connect(to netip.AddrPort) sys.Errno {
	switch {
	case s.stream && s.end != nil && !s.peer.IsValid():
		return EISCONN
	case s.stream && s.end != nil:
		return s.connectAgain()
	case !s.stream && s.end != nil:
		if errno := s.end.close(); errno != 0 {
			return errno
		}
		s.end, s.peer = nil, netip.AddrPort{}
	}
	end, port, errno := s.dial(to)
	if errno != 0 {
		return errno
	}
	s.end, s.peer, s.port = end, to, port
	if !s.stream {
		s.done = true
		return 0
	}
	if s.d.nonblock {
		return EINPROGRESS
	}
	if errno := s.sandbox.await(nil, []interest{{s, writable}}, noTimeout); errno != 0 {
		return errno
	}
	return s.outcome()
}

// connectAgain is what connect says while or after a connection is made.
func (s *socket) connectAgain() sys.Errno {
	switch {
	case s.done:
		return EISCONN
	case s.end.ready()&writable == 0:
		return EALREADY
	}
	if errno := s.outcome(); errno != 0 {
		return errno
	}
	return EISCONN
}

// outcome reads, once, how a connection went.
func (s *socket) outcome() sys.Errno {
	number, errno := s.end.getOption(optError)
	if errno != 0 {
		return errno
	}
	if number == 0 {
		s.done = true
		return 0
	}
	return socketErrno(syscall.Errno(number))
}

// dial asks the network for an endpoint.
func (s *socket) dial(to netip.AddrPort) (endpoint, uint16, sys.Errno) {
	link, err := s.sandbox.network().Dial(s.sandbox.requestContext(), s.stream, to)
	if err != nil {
		return nil, 0, s.sandbox.networkErrno(err)
	}
	end, err := newKernelEnd(link)
	if err != nil {
		return nil, 0, s.sandbox.networkErrno(err)
	}
	for _, o := range s.options {
		_ = end.setOption(o.option, o.value) // the guest has been told that it is set
	}
	return end, link.Port, 0
}

// network is the policy's, or one that refuses everything.
func (s *Sandbox) network() Network {
	if s.policy.Network == nil {
		return noNetwork{}
	}
	return s.policy.Network
}

func (s *Sandbox) requestContext() context.Context {
	if s.request == nil {
		return context.Background()
	}
	return s.request
}

// networkErrno is the number of an error of Network. The text of a refusal is kept for whoever asks why.
func (s *Sandbox) networkErrno(err error) sys.Errno {
	if r := refusalOf(err); r != nil {
		s.refusal = r.Error()
		return ENOTCAPABLE
	}
	var number syscall.Errno
	switch {
	case errors.As(err, &number):
		return socketErrno(number)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return sys.EINTR
	}
	return sys.EIO
}

// newSocket gives the guest a descriptor.
func (s *Sandbox) newSocket(k *socket) (uint32, sys.Errno) {
	fd, errno := s.files.free()
	if errno != 0 {
		return 0, errno
	}
	k.sandbox = s
	k.d = &descriptor{file: k, flags: sys.O_RDWR}
	s.files.slots[fd] = k.d
	return fd, 0
}

// socketOf returns the socket that a descriptor stands for.
func (s *Sandbox) socketOf(fd uint32) (*socket, sys.Errno) {
	d, errno := s.files.get(fd)
	if errno != 0 {
		return nil, errno
	}
	k, ok := d.file.(*socket)
	if !ok {
		return nil, sys.ENOTSOCK
	}
	return k, 0
}
