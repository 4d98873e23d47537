package wasi

import (
	"net/netip"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Flags of send and recv, with Linux's numbers.
const (
	msgPeek     = 0x2
	msgTrunc    = 0x20
	msgDontWait = 0x40
	msgWaitAll  = 0x100
	msgNoSignal = 0x4000

	sendFlags = msgDontWait | msgNoSignal
	recvFlags = msgPeek | msgTrunc | msgDontWait | msgWaitAll
)

// send moves bytes to the peer, or to the one that to names for datagrams.
func (s *socket) send(p []byte, flags uint32, to netip.AddrPort) (int, sys.Errno) {
	end, errno := s.target(to)
	if errno != 0 {
		return 0, errno
	}
	for {
		n, errno := s.attempt(end, func() (int, sys.Errno) { return end.send(p) })
		if errno != sys.EAGAIN || !s.blocking(flags) {
			return n, errno
		}
		if errno := s.sandbox.await(nil, []interest{{s, writable}}, noTimeout); errno != 0 {
			return 0, errno
		}
	}
}

// attempt does f unless the connection has to wait for its meter.
func (s *socket) attempt(end endpoint, f func() (int, sys.Errno)) (int, sys.Errno) {
	if end.pause() > 0 {
		return 0, sys.EAGAIN
	}
	n, errno := f()
	if errno == ENOTCAPABLE {
		if k, ok := end.(interface{ refused() string }); ok {
			s.sandbox.refusal = k.refused()
		}
	}
	return n, errno
}

// target is the endpoint that bytes for to go through.
func (s *socket) target(to netip.AddrPort) (endpoint, sys.Errno) {
	switch {
	case !to.IsValid() && s.end == nil && s.stream:
		return nil, EPIPE
	case !to.IsValid() && s.end == nil:
		return nil, EDESTADDRREQ
	case !to.IsValid() || s.stream:
		return s.end, s.unmade()
	case to == s.peer:
		return s.end, 0
	}
	for _, o := range s.others {
		if o.address == to {
			return o.end, 0
		}
	}
	if len(s.others) == maxDatagramPeers {
		_ = s.others[0].end.close() // the one that was named first
		s.others = append(s.others[:0], s.others[1:]...)
	}
	end, port, errno := s.dial(to)
	if errno != 0 {
		return nil, errno
	}
	if s.port == 0 {
		s.port = port
	}
	s.others = append(s.others, &datagramPeer{to, end})
	return end, 0
}

// unmade is why a stream cannot carry bytes yet.
func (s *socket) unmade() sys.Errno {
	if s.end == nil {
		return ENOTCONN
	}
	return 0
}

// recv moves bytes from the peer, or from any of several.
func (s *socket) recv(p []byte, flags uint32) (int, netip.AddrPort, sys.Errno) {
	if s.end == nil && s.stream {
		return 0, netip.AddrPort{}, ENOTCONN
	}
	var total int
	for {
		n, from, errno := s.recvOnce(p[total:], flags&msgPeek != 0)
		total += n
		more := flags&msgWaitAll != 0 && s.stream && n > 0 && total < len(p) && flags&msgPeek == 0
		switch {
		case errno == sys.EAGAIN && total > 0 && !s.blocking(flags):
			return total, from, 0
		case errno != 0 && errno != sys.EAGAIN && total > 0:
			return total, from, 0
		case errno == 0 && !more, errno != 0 && (errno != sys.EAGAIN || !s.blocking(flags)):
			return total, from, errno
		case errno == 0:
			continue
		}
		if errno := s.sandbox.await(nil, []interest{{s, readable}}, noTimeout); errno != 0 {
			return total, from, errno
		}
	}
}

func (s *socket) recvOnce(p []byte, peek bool) (int, netip.AddrPort, sys.Errno) {
	if s.end != nil {
		n, errno := s.attempt(s.end, func() (int, sys.Errno) { return s.end.recv(p, peek) })
		if errno != sys.EAGAIN || len(s.others) == 0 {
			return n, s.peer, errno
		}
	}
	for _, o := range s.others {
		n, errno := s.attempt(o.end, func() (int, sys.Errno) { return o.end.recv(p, peek) })
		if errno != sys.EAGAIN {
			return n, o.address, errno
		}
	}
	return 0, netip.AddrPort{}, sys.EAGAIN
}

func (s *socket) shutdown(how uint32) sys.Errno {
	if s.end == nil {
		return ENOTCONN
	}
	return s.end.shutdown(how)
}

// ready is what the guest can do with the socket now. Where nothing can come any more, reading does not block.
func (s *socket) ready() readiness {
	ends := s.ends()
	if len(ends) == 0 {
		if s.stream {
			return readable | writable | hungUp
		}
		return writable
	}
	var r readiness
	for _, e := range ends {
		if e.pause() <= 0 {
			r |= e.ready()
		}
	}
	if !s.stream {
		r |= writable
	}
	return r
}
