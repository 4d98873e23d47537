package edge

import "strings"

// readForwarded reads Forwarded (RFC 7239). The scheme is the one that the client
// used with the proxy that names it.
func (p *Proxies) readForwarded(lines []string) told {
	var out told
	for i := len(lines) - 1; i >= 0; i-- {
		elements, ok := parseForwarded(lines[i])
		if !ok {
			return told{malformed: true}
		}
		for j := len(elements) - 1; j >= 0; j-- {
			e := elements[j]
			n, ok := parseNode(e.client)
			switch {
			case e.client != "" && !ok:
				return told{malformed: true}
			case e.client == "", !n.addr.IsValid(): // not told
				out.scheme = knownScheme(e.proto)
				return out
			}
			out.client, out.scheme = n, knownScheme(e.proto)
			if !p.Trusts(n.addr) {
				return out
			}
		}
	}
	return out
}

// element is what one proxy says.
type element struct{ client, proto string }

// parseForwarded takes one line apart: elements with commas between them, pairs
// in them with semicolons. Parameters other than for and proto are checked and
// left out. It fails on anything that is not in the grammar of RFC 7239 section 4
// (white space around the separators apart) and on a parameter that is there twice.
func parseForwarded(line string) (out []element, ok bool) {
	var e element
	seen := map[string]bool{}
	for rest := line; ; {
		rest = strings.TrimLeft(rest, " \t")
		if rest != "" && rest[0] != ';' && rest[0] != ',' {
			name, value, tail, ok := cutPair(rest)
			if !ok || seen[name] {
				return nil, false
			}
			seen[name] = true
			switch name {
			case "for":
				e.client = value
			case "proto":
				e.proto = value
			}
			rest = strings.TrimLeft(tail, " \t")
		}
		if rest == "" || rest[0] == ',' {
			if len(seen) > 0 {
				out = append(out, e)
			}
			e, seen = element{}, map[string]bool{}
		}
		if rest == "" {
			return out, true
		}
		if rest[0] != ',' && rest[0] != ';' {
			return nil, false
		}
		rest = rest[1:]
	}
}

// cutPair takes token=value off the beginning.
func cutPair(s string) (name, value, rest string, ok bool) {
	n := tokenLength(s)
	if n == 0 || n == len(s) || s[n] != '=' {
		return "", "", "", false
	}
	name, s = strings.ToLower(s[:n]), s[n+1:]
	if strings.HasPrefix(s, `"`) {
		value, rest, ok = cutQuoted(s)
		return name, value, rest, ok
	}
	n = tokenLength(s)
	return name, s[:n], s[n:], n > 0
}

// cutQuoted takes a quoted string off the beginning (RFC 9110 section 5.6.4).
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\':
			if i++; i == len(s) || s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
				return "", "", false
			}
			b.WriteByte(s[i])
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// tokenLength is how many characters of a token s begins with (RFC 9110 section
// 5.6.2).
func tokenLength(s string) int {
	i := strings.IndexFunc(s, func(c rune) bool {
		return !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
	if i < 0 {
		return len(s)
	}
	return i
}
