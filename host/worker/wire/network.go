package wire

import (
	"encoding/binary"
	"net/netip"
)

// MaxNetwork is the most that one message of the network's socket has.
const MaxNetwork = 4 << 10

// NetworkKind says what a worker asks for on its network socket.
type NetworkKind uint8

// The kinds.
const (
	NetResolve NetworkKind = iota + 1 // the addresses of Name
	NetDial                           // a connection to To
	NetRefuse                         // a refusal by the rule Name of What, which is only to be counted
	NetClosed                         // the connection that the request of this number made is closed; no reply
	NetMoved                          // Sent and Received bytes have moved since the last of these; no reply
)

// NetworkRequest is one packet from a worker: u64 number, u8 kind, u8 stream, an
// address, two texts with their u32 length, u64 sent and u64 received.
type NetworkRequest struct {
	Number uint64
	Kind   NetworkKind
	Stream bool
	To     netip.AddrPort
	Name   string
	What   string
	// Sent and Received are at most MaxNetworkMoved each.
	Sent, Received uint64
}

// MaxNetworkMoved is more than can move between two messages.
const MaxNetworkMoved = 1 << 40

// maxNetworkText is the longest text of a request; names of hosts have 253.
const maxNetworkText = 512

// Append lays q out.
func (q NetworkRequest) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, q.Number)
	b = appendBool(append(b, byte(q.Kind)), q.Stream)
	b = appendAddress(b, q.To)
	b = appendBytes(b, []byte(q.Name[:min(len(q.Name), maxNetworkText)]))
	b = appendBytes(b, []byte(q.What[:min(len(q.What), maxNetworkText)]))
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, q.Sent), q.Received)
}

// DecodeNetworkRequest is the reverse of Append.
func DecodeNetworkRequest(b []byte) (NetworkRequest, error) {
	r := reader{b: b}
	q := NetworkRequest{Number: r.u64(), Kind: NetworkKind(r.u8()), Stream: r.bool(), To: r.address()}
	q.Name, q.What = r.networkText(), r.networkText()
	q.Sent, q.Received = r.u64(), r.u64()
	if q.Kind < NetResolve || q.Kind > NetMoved || q.Sent > MaxNetworkMoved || q.Received > MaxNetworkMoved {
		r.bad = true
	}
	return q, r.done()
}

// NetworkStatus is how a request of a worker went.
type NetworkStatus uint8

// The statuses.
const (
	NetOK       NetworkStatus = iota
	NetRefused                // Rule, What and Hint say why
	NetErrno                  // Errno is the kernel's number
	NetNotFound               // nobody has that name
	NetFailed                 // nobody could be asked
)

// NetworkReply is one packet from the host: u64 number, u8 status, u16 port, u32
// errno, three texts, u32 number of addresses, addresses. The descriptor of a
// connection comes with it.
type NetworkReply struct {
	Number           uint64
	Status           NetworkStatus
	Port             uint16
	Errno            uint32
	Rule, What, Hint string
	Addresses        []netip.Addr
}

// MaxNetworkAddresses is how many addresses of a name a worker is told.
const MaxNetworkAddresses = 64

// Append lays p out.
func (p NetworkReply) Append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, p.Number)
	b = append(b, byte(p.Status))
	b = binary.LittleEndian.AppendUint16(b, p.Port)
	b = binary.LittleEndian.AppendUint32(b, p.Errno)
	for _, text := range [...]string{p.Rule, p.What, p.Hint} {
		b = appendBytes(b, []byte(text[:min(len(text), maxNetworkText)]))
	}
	p.Addresses = p.Addresses[:min(len(p.Addresses), MaxNetworkAddresses)]
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p.Addresses)))
	for _, a := range p.Addresses {
		b = appendAddress(b, netip.AddrPortFrom(a, 0))
	}
	return b
}

// DecodeNetworkReply is the reverse of Append.
func DecodeNetworkReply(b []byte) (NetworkReply, error) {
	r := reader{b: b}
	p := NetworkReply{Number: r.u64(), Status: NetworkStatus(r.u8()), Port: r.u16(), Errno: r.u32()}
	p.Rule, p.What, p.Hint = r.networkText(), r.networkText(), r.networkText()
	n := r.u32()
	if n > MaxNetworkAddresses || p.Status > NetFailed {
		r.bad = true
	}
	for i := uint32(0); i < n && !r.bad; i++ {
		a := r.address()
		r.bad = r.bad || a.Port() != 0
		p.Addresses = append(p.Addresses, a.Addr())
	}
	return p, r.done()
}

func (r *reader) networkText() string { return clean(r.bytes(maxNetworkText)) }

// An address has 19 bytes: u8 family (4, 6, or 0 for none), u16 port, 16 bytes.
func appendAddress(b []byte, a netip.AddrPort) []byte {
	var family byte
	var bytes [16]byte
	switch ip := a.Addr(); {
	case ip.Is4():
		family = 4
		four := ip.As4()
		copy(bytes[:], four[:])
	case ip.Is6():
		family, bytes = 6, ip.As16()
	}
	b = binary.LittleEndian.AppendUint16(append(b, family), a.Port())
	return append(b, bytes[:]...)
}

func (r *reader) address() netip.AddrPort {
	family, port, bytes := r.u8(), r.u16(), r.take(16)
	if r.bad {
		return netip.AddrPort{}
	}
	switch family {
	case 0:
		r.bad = port != 0 || [16]byte(bytes) != [16]byte{}
		return netip.AddrPort{}
	case 4:
		r.bad = [12]byte(bytes[4:]) != [12]byte{}
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(bytes)), port)
	case 6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(bytes)), port)
	}
	r.bad = true
	return netip.AddrPort{}
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}
