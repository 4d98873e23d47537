package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies says whose word about a client counts. The zero value trusts nobody.
// It is immutable and safe for concurrent use.
type Proxies struct {
	networks []netip.Prefix
	unix     bool
	standard bool
}

// NewProxies trusts the peers in the networks and, with unix, who connects
// through a Unix socket. They tell who the client is in X-Forwarded-For and
// X-Forwarded-Proto or, with standard, in Forwarded (RFC 7239), never in both: a
// proxy that writes one of them hands on what the client wrote in the other.
func NewProxies(networks []netip.Prefix, unix, standard bool) *Proxies {
	return &Proxies{networks, unix, standard}
}

// Trusts says whether an address is a proxy's.
func (p *Proxies) Trusts(a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range p.networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// TrustsUnix says whether who connects through a Unix socket is a proxy.
func (p *Proxies) TrustsUnix() bool { return p.unix }

// Admit makes r what its client sent: RemoteAddr becomes the client's address
// (with the port empty when no proxy told it), and headers about the client that
// nobody trusted has written are removed. It returns the scheme that the client
// used. A trusted proxy's header that is malformed is a refusal: to go by the
// proxy's own address instead would let a client choose to be taken for it.
//
// The client is the rightmost hop that is no trusted proxy. What is to the left of
// it anybody can have written.
func (p *Proxies) Admit(r *http.Request) (scheme string, refused *Refusal) {
	scheme = "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if !p.TrustsPeer(r) {
		strip(r.Header, speaksForProxies)
		return scheme, nil
	}
	told := told{}
	if p.standard {
		strip(r.Header, isXForwarded)
		told = p.readForwarded(r.Header["Forwarded"])
	} else {
		delete(r.Header, "Forwarded")
		told = p.readXForwarded(r.Header)
	}
	if told.malformed {
		return scheme, &Refusal{http.StatusBadRequest, "the header of a proxy about its client is malformed"}
	}
	if told.client.addr.IsValid() {
		r.RemoteAddr = net.JoinHostPort(told.client.addr.String(), told.client.port)
	}
	if told.scheme != "" {
		scheme = told.scheme
	}
	return scheme, nil
}

// TrustsPeer says whether who sent r may speak for clients. It is for before Admit.
func (p *Proxies) TrustsPeer(r *http.Request) bool {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return p.Trusts(peer.Addr())
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && p.unix && local.Network() == "unix"
}

// told is what trusted proxies say. Without a client's address it is the peer.
type told struct {
	client    node
	scheme    string // http, https or "" for nothing that can be used
	malformed bool
}

// node is a client or a proxy. A port of "" is not known.
type node struct {
	addr netip.Addr
	port string
}

// readXForwarded reads the headers that are nobody's standard. The scheme is the
// last word, which is that of the nearest proxy.
func (p *Proxies) readXForwarded(h http.Header) told {
	var out told
	lines := h["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var hop string
			rest, hop, more = cutLast(rest)
			if hop == "" || hop == unixHop && p.unix {
				continue
			}
			n, ok := parseNode(hop)
			if !ok {
				return told{malformed: true}
			}
			if n.addr.IsValid() { // of one that is not told the hop to its right is the next best
				out.client = n
			}
			if !n.addr.IsValid() || !p.Trusts(n.addr) {
				more, i = false, 0
			}
		}
	}
	if protos := h["X-Forwarded-Proto"]; len(protos) > 0 {
		_, last, _ := cutLast(protos[len(protos)-1])
		out.scheme = knownScheme(last)
	}
	return out
}

// unixHop is what nginx writes of a client that came through a Unix socket. It is
// a proxy where such clients are.
const unixHop = "unix:"

// cutLast takes the last element of a list.
func cutLast(list string) (rest, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i >= 0 {
		rest, list = list[:i], list[i+1:]
	}
	return rest, strings.Trim(list, " \t"), i >= 0
}

func knownScheme(s string) string {
	for _, known := range []string{"http", "https"} {
		if strings.EqualFold(s, known) {
			return known
		}
	}
	return ""
}

// parseNode reads an address with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. A word of RFC 7239 section 6 for
// an address that is not told (unknown, _hidden), and unixHop, is a node without one.
func parseNode(s string) (node, bool) {
	if s == unixHop {
		return node{}, true
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return node{addr: a.Unmap()}, a.Zone() == ""
	}
	host, port, ok := cutPort(s)
	if !ok || port != "" && !isPort(port) && !isObfuscated(port) {
		return node{}, false
	}
	if isObfuscated(port) {
		port = ""
	}
	if strings.EqualFold(host, "unknown") || isObfuscated(host) {
		return node{}, true
	}
	inside, bracketed := strings.CutPrefix(host, "[")
	if bracketed {
		inside, bracketed = strings.CutSuffix(inside, "]")
	}
	a, err := netip.ParseAddr(inside)
	if err != nil || a.Zone() != "" || bracketed != a.Is6() || !bracketed && host != inside {
		return node{}, false
	}
	return node{a.Unmap(), port}, true
}

// cutPort takes a port off, if there is one.
func cutPort(s string) (host, port string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, "", true
	}
	return s[:i], s[i+1:], i+1 < len(s)
}

// isPort says whether s is a TCP port as RFC 7239 writes it: one to five digits.
func isPort(s string) bool {
	return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == "" && (len(s) < 5 || s <= "65535")
}

// isObfuscated says whether s is a name that a proxy made up (RFC 7239 section 6.3).
func isObfuscated(s string) bool {
	return len(s) > 1 && s[0] == '_' && strings.IndexFunc(s, func(c rune) bool {
		return !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}) < 0
}

// strip removes headers.
func strip(h http.Header, which func(name string) bool) {
	for name := range h {
		if which(name) {
			delete(h, name)
		}
	}
}

func isXForwarded(name string) bool { return strings.HasPrefix(name, "X-Forwarded") }

// speaksForProxies says whether a header tells of the client or of its URL what
// only a proxy could know, and applications believe.
func speaksForProxies(name string) bool {
	switch name {
	case "Forwarded", "Client-Ip", "True-Client-Ip", "Front-End-Https":
		return true
	}
	if !strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "Cf-") {
		return false
	}
	switch name {
	case "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Proxyuser-Ip", "X-Remote-Ip", "X-Remote-Addr",
		"X-Host", "X-Scheme", "X-Url-Scheme", "X-Rewrite-Url", "X-Script-Name",
		"Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Cf-Visitor":
		return true
	}
	return isXForwarded(name) || strings.HasPrefix(name, "X-Original-")
}
