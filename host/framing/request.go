package framing

// start is at the first byte of a request. One empty line before it is taken, as
// RFC 9112 section 2.2 recommends, and does not pass: net/http takes it after a
// POST only, which is where old clients put it.
func (g *Guard) start(c byte) int {
	if c == '\r' && !g.blank {
		return g.to(afterStartCR)
	}
	*g = Guard{state: inMethod, length: unannounced}
	return g.method([]byte{c})
}

func (g *Guard) method(p []byte) int {
	for i, c := range p {
		if isToken(c) {
			g.n++
			continue
		}
		if c != ' ' || g.n == 0 {
			g.badLine(c, ErrRequestLine)
			return i
		}
		g.n, g.state = 0, inTarget
		return i + 1
	}
	return len(p)
}

// target takes what is no white space and no control character. Bytes above
// ASCII are no URI, but they are what browsers of old and many scripts send, and
// no parser ends a request at one.
func (g *Guard) target(p []byte) int {
	for i, c := range p {
		if c > ' ' && c != 0x7f {
			g.n = 1
			continue
		}
		if c != ' ' || g.n == 0 {
			g.badLine(c, ErrRequestLine)
			return i
		}
		g.n, g.state = 0, inVersion
		return i + 1
	}
	return len(p)
}

func (g *Guard) version(p []byte) int {
	for i, c := range p {
		if c != '\r' {
			if c == '\n' || g.n == len("HTTP/1.1") {
				g.badLine(c, ErrRequestLine)
				return i
			}
			g.keep(p[i : i+1])
			continue
		}
		if err := g.judgeVersion(string(g.word[:g.n])); err != nil {
			g.refuse(err)
			return i
		}
		g.state = afterRequestCR
		return i + 1
	}
	return len(p)
}

// judgeVersion lets other major versions than 1 pass for the length of their
// head, so that net/http can say 505; see head.
func (g *Guard) judgeVersion(v string) error {
	if len(v) != len("HTTP/1.1") || v[:5] != "HTTP/" || v[6] != '.' || !isDigit(v[5]) || !isDigit(v[7]) {
		return ErrRequestLine
	}
	g.major1, g.minor = v[5] == '1', v[7]-'0'
	if g.major1 && g.minor > 1 {
		return ErrVersion
	}
	return nil
}

// head is at the end of the head: its last byte passes only when the whole of it
// is sound.
func (g *Guard) head() int {
	switch {
	case g.hosts == 0 && g.minor == 1:
		return g.refuse(ErrHost)
	case !g.major1:
		g.err = ErrVersion // after the head: what follows is in no version that we know
		return 1
	case g.encoded:
		g.n, g.line = 0, 0
		return g.to(inChunkSize)
	case g.length > 0:
		g.rest = g.length
		return g.to(inBody)
	}
	return g.end()
}

// end takes the last byte of a request.
func (g *Guard) end() int {
	*g = Guard{}
	return 1
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isToken says whether c may stand in a token (RFC 9110 section 5.6.2).
func isToken(c byte) bool {
	if c|0x20 >= 'a' && c|0x20 <= 'z' {
		return true
	}
	const low = 1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' | 1<<'-' | 1<<'.' | (1<<10-1)<<'0'
	const high = 1<<('^'-64) | 1<<('_'-64) | 1<<('`'-64) | 1<<('|'-64) | 1<<('~'-64)
	return uint64(low)&(1<<c)|uint64(high)&(1<<(c-64)) != 0
}
