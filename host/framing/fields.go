package framing

import "encoding/binary"

// kind is what a header means for the framing.
type kind uint8

const (
	other kind = iota
	contentLength
	transferEncoding
)

// maxTrailers is how long trailers may be, in bytes. net/http takes no more.
const maxTrailers = 4000

// fields takes header lines, trailer lines and the empty line behind them.
func (g *Guard) fields(p []byte) int {
	if g.trailer {
		return g.trailers(p)
	}
	return g.lines(p)
}

func (g *Guard) trailers(p []byte) int {
	if g.line == maxTrailers {
		return g.refuse(ErrTrailer)
	}
	n := g.lines(p[:min(len(p), maxTrailers-g.line)])
	if g.trailer { // they go on
		g.line += n
	}
	return n
}

// lines goes on until the lines or the bytes end.
func (g *Guard) lines(p []byte) int {
	i := 0
	for i < len(p) && g.err == nil && g.state >= atLine && g.state <= afterHeadCR {
		i += g.piece(p[i:])
	}
	return i
}

func (g *Guard) piece(p []byte) int {
	switch g.state {
	case atLine:
		return g.atLine(p[0])
	case inName:
		return g.name(p)
	case beforeValue:
		return g.beforeValue(p)
	case inValue:
		return g.value(p)
	case afterValueCR:
		return g.lineFeed(p[0], atLine)
	default: // afterHeadCR
		return g.emptyLine(p[0])
	}
}

func (g *Guard) atLine(c byte) int {
	switch c {
	case '\r':
		return g.to(afterHeadCR)
	case ' ', '\t':
		return g.refuse(ErrFold)
	}
	g.n, g.state = 0, inName
	return g.name([]byte{c})
}

func (g *Guard) emptyLine(c byte) int {
	switch {
	case c != '\n':
		return g.refuse(ErrBareCR)
	case g.trailer:
		return g.end()
	}
	return g.head()
}

func (g *Guard) name(p []byte) int {
	i := 0
	for i < len(p) && isToken(p[i]) {
		i++
	}
	g.keep(p[:i])
	if i == len(p) {
		return i
	}
	if p[i] != ':' || g.n == 0 {
		g.badLine(p[i], ErrName)
		return i
	}
	if err := g.judgeName(); err != nil {
		g.refuse(err)
		return i
	}
	g.n, g.state = 0, beforeValue
	return i + 1
}

// judgeName decides what the name means; its value is to come.
func (g *Guard) judgeName() error {
	g.field = other
	switch g.n {
	case len("host"), len("content-length"), len("transfer-encoding"):
	default:
		return nil
	}
	switch string(g.kept()) {
	case "host":
		g.hosts++
		if !g.trailer && g.hosts > 1 {
			return ErrHost
		}
	case "content-length":
		g.field = contentLength
	case "transfer-encoding":
		g.field = transferEncoding
	default:
		return nil
	}
	return g.judgeField()
}

func (g *Guard) judgeField() error {
	switch {
	case g.trailer:
		return ErrTrailer
	case g.field == contentLength:
		return g.judgeLengthName()
	case g.field == transferEncoding:
		return g.judgeEncodingName()
	}
	return nil
}

func (g *Guard) judgeLengthName() error {
	switch {
	case g.encoded:
		return ErrBoth
	case g.length != unannounced:
		return ErrLength
	}
	return nil
}

func (g *Guard) judgeEncodingName() error {
	switch {
	case g.length != unannounced:
		return ErrBoth
	case g.encoded, g.minor == 0:
		return ErrEncoding
	}
	g.encoded = true
	return nil
}

func (g *Guard) beforeValue(p []byte) int {
	for i, c := range p {
		if c != ' ' && c != '\t' {
			g.state = inValue
			return i
		}
	}
	return len(p)
}

func (g *Guard) value(p []byte) int {
	i := visible(p)
	if g.field != other {
		g.keep(p[:i])
	}
	if i == len(p) {
		return i
	}
	if p[i] != '\r' {
		g.badLine(p[i], ErrValue)
		return i
	}
	if err := g.judgeValue(); err != nil {
		g.refuse(err)
		return i
	}
	g.state = afterValueCR
	return i + 1
}

// judgeValue is at the end of a value.
func (g *Guard) judgeValue() error {
	switch g.field {
	case transferEncoding:
		if g.n > len(g.word) || string(trim(g.kept())) != "chunked" {
			return ErrEncoding
		}
	case contentLength:
		n, ok := decimal(trim(g.kept()))
		if !ok || g.n > len(g.word) {
			return ErrLength
		}
		g.length = n
	}
	return nil
}

// visible is how many bytes of p may stand in a value (RFC 9110 section 5.5).
// Most of a head is values, so it looks at eight bytes at once where it can.
func visible(p []byte) int {
	for i := 0; ; {
		for i+8 <= len(p) && plain(binary.LittleEndian.Uint64(p[i:])) {
			i += 8
		}
		for end := min(i+8, len(p)); i < end; i++ {
			if c := p[i]; c < ' ' && c != '\t' || c == 0x7f {
				return i
			}
		}
		if i == len(p) {
			return i
		}
	}
}

// plain says that none of eight bytes is a control character.
func plain(word uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	below := (word - ones*' ') &^ word
	del := word ^ ones*0x7f
	return (below|(del-ones)&^del)&highs == 0
}

// trim cuts white space from the end; that at the beginning was not kept.
func trim(p []byte) []byte {
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == '\t') {
		p = p[:len(p)-1]
	}
	return p
}

// decimal reads up to 18 digits, which no int64 is too small for.
func decimal(p []byte) (n int64, ok bool) {
	if len(p) == 0 || len(p) > 18 {
		return 0, false
	}
	for _, c := range p {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
