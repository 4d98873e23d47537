package wasi

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wasgi/wasgi/abi"
)

const addressSize = abi.SocketAddressSize

// socketFunctions are the functions of abi.SocketModule.
func socketFunctions() []hostFunction {
	params := func(n int) []api.ValueType {
		return []api.ValueType{i32, i32, i32, i32, i32, i32}[:n]
	}
	return []hostFunction{
		{abi.SocketOpen, sockOpen, params(5)},
		{abi.SocketPair, sockPair, params(4)},
		{abi.SocketConnect, sockConnect, params(2)},
		{abi.SocketName, sockName, params(3)},
		{abi.SocketSend, sockSend, params(6)},
		{abi.SocketReceive, sockRecv, params(6)},
		{abi.SocketShutdown, sockShutdown, params(2)},
		{abi.SocketOptionGet, sockOptionGet, params(4)},
		{abi.SocketOptionSet, sockOptionSet, params(4)},
		{abi.SocketResolve, sockResolve, params(5)},
		{abi.SocketRefuse, sockRefuse, params(1)},
		{abi.SocketRefusal, sockRefusal, params(3)},
	}
}

// maxWhere bounds the line of code that is kept for a socket.
const maxWhere = 512

func (c guestCall) text(ptr, length, most uint32) (string, sys.Errno) {
	b, errno := c.bytes(ptr, length)
	if errno != 0 {
		return "", errno
	}
	return strings.ToValidUTF8(string(b[:min(len(b), int(most))]), "\uFFFD"), 0
}

func sockOpen(c guestCall) sys.Errno {
	family, stream := c.u32(0), c.u32(1)
	if family != 4 && family != 6 {
		return EAFNOSUPPORT
	}
	if stream > 1 {
		return EPROTOTYPE
	}
	where, errno := c.text(c.u32(2), c.u32(3), maxWhere)
	if errno != 0 {
		return errno
	}
	fd, errno := c.newSocket(&socket{stream: stream == 1, six: family == 6, where: where})
	if errno != 0 {
		return errno
	}
	return c.putU32(c.u32(4), fd)
}

func sockPair(c guestCall) sys.Errno {
	stream := c.u32(0) == 1
	where, errno := c.text(c.u32(1), c.u32(2), maxWhere)
	if errno != 0 {
		return errno
	}
	out, errno := c.bytes(c.u32(3), 8)
	if errno != 0 {
		return errno
	}
	a, b := newPair(stream)
	first, errno := c.newSocket(&socket{stream: stream, where: where, end: a, done: true})
	if errno != 0 {
		return errno
	}
	second, errno := c.newSocket(&socket{stream: stream, where: where, end: b, done: true})
	if errno != 0 {
		_ = c.files.remove(first)
		return errno
	}
	binary.LittleEndian.PutUint32(out, first)
	binary.LittleEndian.PutUint32(out[4:], second)
	return 0
}

// address reads an address of the guest. An IPv4 address in IPv6 clothes is the IPv4 address that it is.
func (c guestCall) address(ptr uint32) (netip.AddrPort, sys.Errno) {
	b, errno := c.bytes(ptr, addressSize)
	if errno != 0 {
		return netip.AddrPort{}, errno
	}
	var a netip.Addr
	switch binary.LittleEndian.Uint16(b) {
	case 4:
		a = netip.AddrFrom4([4]byte(b[8:]))
	case 6:
		a = netip.AddrFrom16([16]byte(b[8:])).Unmap()
	default:
		return netip.AddrPort{}, EAFNOSUPPORT
	}
	return netip.AddrPortFrom(a, binary.LittleEndian.Uint16(b[2:])), 0
}

// putAddress writes an address as a socket of its family shows it.
func putAddress(b []byte, a netip.AddrPort, six bool) {
	clear(b[:addressSize])
	if !a.Addr().IsValid() {
		return
	}
	binary.LittleEndian.PutUint16(b[2:], a.Port())
	if a.Addr().Is4() && !six {
		b[0] = 4
		four := a.Addr().As4()
		copy(b[8:], four[:])
		return
	}
	b[0] = 6
	sixteen := a.Addr().As16()
	copy(b[8:], sixteen[:])
}

func sockConnect(c guestCall) sys.Errno {
	s, errno := c.socketOf(c.u32(0))
	if errno != 0 {
		return errno
	}
	to, errno := c.address(c.u32(1))
	if errno != 0 {
		return errno
	}
	if s.six != to.Addr().Is6() && !s.six {
		return EAFNOSUPPORT
	}
	return s.connect(to)
}

func sockName(c guestCall) sys.Errno {
	s, errno := c.socketOf(c.u32(0))
	if errno != 0 {
		return errno
	}
	b, errno := c.bytes(c.u32(2), addressSize)
	if errno != 0 {
		return errno
	}
	if c.u32(1) == 0 {
		any := netip.IPv4Unspecified()
		if s.six {
			any = netip.IPv6Unspecified()
		}
		putAddress(b, netip.AddrPortFrom(any, s.port), s.six)
		return 0
	}
	if s.end == nil || s.peer.IsValid() && s.stream && !s.done && s.end.ready()&writable == 0 {
		return ENOTCONN
	}
	putAddress(b, s.peer, s.six)
	return 0
}

// message reads what send and recv begin with: socket, address and length of the
// bytes, flags.
func (c guestCall) message(known uint32) (s *socket, b []byte, flags uint32, errno sys.Errno) {
	if s, errno = c.socketOf(c.u32(0)); errno != 0 {
		return nil, nil, 0, errno
	}
	if flags = c.u32(3); flags&^known != 0 {
		return nil, nil, 0, sys.ENOTSUP
	}
	b, errno = c.bytes(c.u32(1), c.u32(2))
	return s, b, flags, errno
}

func sockSend(c guestCall) sys.Errno {
	s, b, flags, errno := c.message(sendFlags)
	if errno != 0 {
		return errno
	}
	var to netip.AddrPort
	if c.u32(4) != 0 {
		if to, errno = c.address(c.u32(4)); errno != 0 {
			return errno
		}
	}
	n, errno := s.send(b, flags, to)
	if errno != 0 {
		return errno
	}
	return c.putU32(c.u32(5), uint32(n))
}

func sockRecv(c guestCall) sys.Errno {
	s, b, flags, errno := c.message(recvFlags)
	if errno != 0 {
		return errno
	}
	n, from, errno := s.recv(b, flags)
	if errno != 0 {
		return errno
	}
	if c.u32(4) != 0 {
		out, errno := c.bytes(c.u32(4), addressSize)
		if errno != 0 {
			return errno
		}
		putAddress(out, from, s.six)
	}
	return c.putU32(c.u32(5), uint32(n))
}

func sockShutdown(c guestCall) sys.Errno {
	s, errno := c.socketOf(c.u32(0))
	if errno != 0 {
		return errno
	}
	if how := c.u32(1); how == 0 || how > shutRead|shutWrite {
		return sys.EINVAL
	}
	return s.shutdown(c.u32(1))
}

func sockOptionGet(c guestCall) sys.Errno {
	s, errno := c.socketOf(c.u32(0))
	if errno != 0 {
		return errno
	}
	value, errno := s.getOption(optionOf(c.u32(1), c.u32(2)))
	if errno != 0 {
		return errno
	}
	return c.putU32(c.u32(3), uint32(value))
}

func sockOptionSet(c guestCall) sys.Errno {
	s, errno := c.socketOf(c.u32(0))
	if errno != 0 {
		return errno
	}
	return s.setOption(optionOf(c.u32(1), c.u32(2)), int(int32(c.u32(3))))
}

// maxHostName is that of DNS.
const maxHostName = 253

// maxAddresses bounds what is told of one name.
const maxAddresses = 64

func sockResolve(c guestCall) sys.Errno {
	if c.u32(1) > maxHostName || c.u32(1) == 0 {
		return sys.ENOENT
	}
	name, errno := c.text(c.u32(0), c.u32(1), maxHostName)
	if errno != 0 {
		return errno
	}
	most := min(c.u32(3), maxAddresses)
	if _, errno := c.bytes(c.u32(2), most*addressSize); errno != 0 {
		return errno
	}
	addresses, errno := c.resolve(name)
	if errno != 0 {
		return errno
	}
	addresses = addresses[:min(len(addresses), int(most))]
	out, errno := c.bytes(c.u32(2), most*addressSize)
	if errno != 0 {
		return errno
	}
	for i, a := range addresses {
		putAddress(out[i*addressSize:], netip.AddrPortFrom(a.Unmap(), 0), false)
	}
	return c.putU32(c.u32(4), uint32(len(addresses)))
}

// What refuse takes.
func refusedThings() []string {
	return []string{abi.RefuseListen: "listen", abi.RefuseRaw: "raw", abi.RefuseUnix: "unix", abi.RefuseBind: "bind"}
}

func sockRefuse(c guestCall) sys.Errno {
	things := refusedThings()
	n := c.u32(0)
	if n == 0 || int(n) >= len(things) {
		return sys.EINVAL
	}
	r := c.network().Refuse(things[n], refusedText(things[n]))
	r.Hint = "applications only connect"
	c.refusal = r.Error()
	return ENOTCAPABLE
}

// refusedText says in a few words what was asked for.
func refusedText(rule string) string {
	switch rule {
	case "listen":
		return "listening for connections"
	case "raw":
		return "a raw socket"
	case "unix":
		return "a Unix socket"
	}
	return "a local address of one's own"
}

func sockRefusal(c guestCall) sys.Errno {
	out, errno := c.bytes(c.u32(0), c.u32(1))
	if errno != 0 {
		return errno
	}
	return c.putU32(c.u32(2), uint32(copy(out, c.refusal)))
}
