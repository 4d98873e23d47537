package framing

// Guard follows the requests of one connection. The zero value is at its
// beginning. It is for one goroutine at a time.
type Guard struct {
	err   error
	state state

	major1  bool
	minor   byte // of HTTP/1.minor
	trailer bool // the lines are trailers, not headers
	blank   bool // an empty line came before the request line

	hosts   int
	length  int64 // of the body, or unannounced
	encoded bool  // there was a Transfer-Encoding

	field kind
	word  [20]byte // what has come of a name, or of a value that matters
	n     int      // bytes of it; above len(word) it is none that matters
	line  int      // bytes of a chunk's line, or of all trailers
	rest  int64    // bytes to come of the body, or of the chunk
}

// unannounced is the length of a body without Content-Length.
const unannounced = -1

// state is what the next byte belongs to.
type state uint8

const (
	atStart      state = iota // of a request
	afterStartCR              // of an empty line before it
	inMethod
	inTarget
	inVersion
	afterRequestCR
	atLine // the beginning of a header line, or of the empty one; see lines
	inName
	beforeValue
	inValue
	afterValueCR
	afterHeadCR // of the empty line
	inBody
	inChunkSize
	inChunkExtension
	afterChunkCR
	inChunk
	afterChunk
	afterDataCR
)

// Pass takes the bytes that the client sent next. It moves those that net/http
// may see to the beginning of p and returns how many they are: all of them but
// empty lines before a request, or those before the first bad one. Then Err says
// what is wrong, and no later byte passes.
func (g *Guard) Pass(p []byte) int {
	passed := 0
	for i := 0; i < len(p) && g.err == nil; {
		before := g.state
		n := g.advance(p[i:])
		if before != afterStartCR && g.state != afterStartCR {
			if passed != i {
				copy(p[passed:], p[i:i+n])
			}
			passed += n
		}
		i += n
	}
	return passed
}

// Err is the fault of the connection, nil while there is none.
func (g *Guard) Err() error { return g.err }

// advance takes at least one byte of p, unless it finds a fault. p is not empty.
func (g *Guard) advance(p []byte) int {
	switch g.state {
	case atStart:
		return g.start(p[0])
	case afterStartCR:
		g.blank = true
		return g.lineFeed(p[0], atStart)
	case inMethod:
		return g.method(p)
	case inTarget:
		return g.target(p)
	case inVersion:
		return g.version(p)
	case afterRequestCR:
		return g.lineFeed(p[0], atLine)
	case atLine, inName, beforeValue, inValue, afterValueCR, afterHeadCR:
		return g.fields(p)
	default:
		return g.body(p)
	}
}

// refuse makes err the end of the connection.
func (g *Guard) refuse(err error) int {
	g.err = err
	return 0
}

// to takes one byte into the next state.
func (g *Guard) to(next state) int {
	g.state = next
	return 1
}

// lineFeed takes the LF after a CR.
func (g *Guard) lineFeed(c byte, next state) int {
	if c != '\n' {
		return g.refuse(ErrBareCR)
	}
	return g.to(next)
}

// badLine is the fault of a byte that belongs into no line of a head.
func (g *Guard) badLine(c byte, otherwise error) int {
	if c == '\n' {
		return g.refuse(ErrBareLF)
	}
	return g.refuse(otherwise)
}

// keep remembers bytes of a word, up to the length of those that matter.
func (g *Guard) keep(p []byte) {
	if g.n < len(g.word) {
		copy(g.word[g.n:], p)
	}
	g.n += len(p)
}

// kept is the word in small letters, cut where it is too long to matter.
func (g *Guard) kept() []byte {
	word := g.word[:min(g.n, len(g.word))]
	for i, c := range word {
		if c >= 'A' && c <= 'Z' {
			word[i] = c + ('a' - 'A')
		}
	}
	return word
}
