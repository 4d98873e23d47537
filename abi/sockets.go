package abi

// SocketModule is the import module for the calls of sockets that
// wasi_snapshot_preview1 lacks. They return its error numbers; reading, writing,
// closing and waiting are its own functions, because a socket is a descriptor like
// any other. All return an i32.
//
//	open(family i32, stream i32, where i32, where_len i32, fd_out i32)
//	    A new socket. family is 4 or 6, stream 0 or 1; where is the line of code that
//	    asks, UTF-8, or empty.
//	pair(stream i32, where i32, where_len i32, fds_out i32)
//	    Two connected sockets in the host's memory.
//	connect(fd i32, address i32)
//	    Connects, or fixes the peer of datagrams. EINPROGRESS for a descriptor that
//	    does not block; ENOTCAPABLE when the policy refuses: refusal says why.
//	name(fd i32, peer i32, address_out i32)
//	    The local end (peer 0), of which only the port is told, or the other one (1).
//	send(fd i32, data i32, len i32, flags i32, address i32, size_out i32)
//	    address is 0, or whom a datagram is for.
//	recv(fd i32, data i32, len i32, flags i32, address_out i32, size_out i32)
//	    address_out is 0, or gets who sent it.
//	shutdown(fd i32, how i32)
//	    1 reading, 2 writing, 3 both.
//	option_get(fd i32, level i32, name i32, value_out i32)
//	option_set(fd i32, level i32, name i32, value i32)
//	    Options that are one number. SO_LINGER is seconds, or -1 for off.
//	resolve(name i32, len i32, addresses_out i32, most i32, count_out i32)
//	    The addresses of a name; ENOENT when there are none, EAGAIN when nobody
//	    could be asked.
//	refuse(what i32)
//	    Asks for what no policy allows: 1 listen, 2 a raw socket, 3 a Unix socket,
//	    4 a local address of one's own. Always ENOTCAPABLE.
//	refusal(text_out i32, len i32, size_out i32)
//	    The text of the last refusal, cut to len.
//
// An address has 24 bytes: u16 family (4, 6 or 0 for none), u16 port, u32 scope,
// 16 bytes of which an IPv4 address takes the first four. Integers are
// little-endian, addresses in network order. For example 192.0.2.1 port 80:
//
//	04 00 50 00 00 00 00 00 c0 00 02 01 00 … 00
const SocketModule = "wasgi_socket"

// Names of its functions.
const (
	SocketOpen      = "open"
	SocketPair      = "pair"
	SocketConnect   = "connect"
	SocketName      = "name"
	SocketSend      = "send"
	SocketReceive   = "recv"
	SocketShutdown  = "shutdown"
	SocketOptionGet = "option_get"
	SocketOptionSet = "option_set"
	SocketResolve   = "resolve"
	SocketRefuse    = "refuse"
	SocketRefusal   = "refusal"
)

// SocketAddressSize is how many bytes an address has.
const SocketAddressSize = 24

// What refuse takes.
const (
	RefuseListen = iota + 1
	RefuseRaw
	RefuseUnix
	RefuseBind
)

// socketNumbers and socketStrings are what the C header gets of this file.
func socketNumbers() []headerNumber {
	return []headerNumber{
		{"SOCKET_ADDRESS_SIZE", SocketAddressSize},
		{"REFUSE_LISTEN", RefuseListen},
		{"REFUSE_RAW", RefuseRaw},
		{"REFUSE_UNIX", RefuseUnix},
		{"REFUSE_BIND", RefuseBind},
	}
}

func socketStrings() [][2]string {
	return [][2]string{
		{"SOCKET_MODULE", SocketModule},
		{"SOCKET_OPEN", SocketOpen},
		{"SOCKET_PAIR", SocketPair},
		{"SOCKET_CONNECT", SocketConnect},
		{"SOCKET_NAME", SocketName},
		{"SOCKET_SEND", SocketSend},
		{"SOCKET_RECEIVE", SocketReceive},
		{"SOCKET_SHUTDOWN", SocketShutdown},
		{"SOCKET_OPTION_GET", SocketOptionGet},
		{"SOCKET_OPTION_SET", SocketOptionSet},
		{"SOCKET_RESOLVE", SocketResolve},
		{"SOCKET_REFUSE", SocketRefuse},
		{"SOCKET_REFUSAL", SocketRefusal},
	}
}
