package edge

import (
	"net/netip"
	"strings"
)

// SplitTarget takes path and query out of a request target in origin form
// (/path?query) or absolute form (http://host/path?query) without decoding
// anything (RFC 9112 section 3.2). The path is never empty; query comes
// without its question mark. ok is false for any other form, and for a URL
// without a host or with a user in it (RFC 9110 sections 4.2.1 and 4.2.4).
//
// The host of an absolute form is the host of the request, whatever the Host
// header says (RFC 9112 section 3.2.2): net/http has put it into Request.Host,
// where routing and environ find it.
func SplitTarget(uri string) (path, query string, ok bool) {
	if !strings.HasPrefix(uri, "/") {
		if uri, ok = cutAuthority(uri); !ok {
			return "", "", false
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	if path == "" {
		path = "/"
	}
	return path, query, true
}

func cutAuthority(uri string) (rest string, ok bool) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", false
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, rest = rest[:i], rest[i:]
	} else {
		rest = ""
	}
	return rest, authority != "" && !strings.Contains(authority, "@")
}

// validHost says whether a Host header names a host as DNS and URLs do: letters,
// digits, dots, dashes and underscores, or an address in brackets, and a port. A
// name in another alphabet comes as punycode. The empty host is valid: who has
// none to name sends it (RFC 9112 section 3.2).
func validHost(host string) bool {
	if strings.HasPrefix(host, "[") {
		inside, port, closed := strings.Cut(host[1:], "]")
		a, err := netip.ParseAddr(inside)
		return closed && err == nil && a.Is6() && a.Zone() == "" && (port == "" || validPort(port))
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		if !validPort(host[i:]) {
			return false
		}
		host = host[:i]
	}
	return len(host) <= 255 && strings.IndexFunc(host, func(c rune) bool {
		return !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_')
	}) < 0
}

// validPort says whether s is a colon and a port, or the colon alone.
func validPort(s string) bool { return s == ":" || s[0] == ':' && isPort(s[1:]) }
