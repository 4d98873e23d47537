package framing

// maxChunkLine is how long the line of a chunk may be, extensions included, in
// bytes. Who signs each chunk needs a hundred; net/http bounds what all of them
// together may add to the data (CVE-2023-39326).
const maxChunkLine = 256

// maxChunkDigits keeps the size of a chunk far from where an int64 ends.
const maxChunkDigits = 15

// body takes what follows a head.
func (g *Guard) body(p []byte) int {
	switch g.state {
	case inBody:
		n := g.data(p)
		if g.rest == 0 {
			*g = Guard{}
		}
		return n
	case inChunk:
		n := g.data(p)
		if g.rest == 0 {
			g.state = afterChunk
		}
		return n
	case afterChunk:
		return g.chunkByte(p[0], '\r', afterDataCR)
	case afterDataCR:
		g.n, g.line = 0, 0
		return g.chunkByte(p[0], '\n', inChunkSize)
	case inChunkSize:
		return g.chunkSize(p[0])
	case inChunkExtension:
		return g.chunkExtension(p[0])
	default: // afterChunkCR
		return g.chunkBegins(p[0])
	}
}

func (g *Guard) data(p []byte) int {
	n := min(int64(len(p)), g.rest)
	g.rest -= n
	return int(n)
}

// chunkByte takes the one byte that may stand here.
func (g *Guard) chunkByte(c, want byte, next state) int {
	if c != want {
		return g.refuse(ErrChunk)
	}
	return g.to(next)
}

func (g *Guard) chunkSize(c byte) int {
	digit := hexadecimal(c)
	switch {
	case digit < 16 && g.n < maxChunkDigits:
		if g.n == 0 {
			g.rest = 0
		}
		g.rest = g.rest<<4 | int64(digit)
		g.n++
		return 1
	case g.n > 0 && c == ';':
		return g.to(inChunkExtension)
	case g.n > 0 && c == '\r':
		return g.to(afterChunkCR)
	}
	return g.refuse(ErrChunk)
}

func (g *Guard) chunkExtension(c byte) int {
	g.line++
	switch {
	case c == '\r':
		return g.to(afterChunkCR)
	case c < ' ' && c != '\t', c >= 0x7f, g.line > maxChunkLine:
		return g.refuse(ErrChunk)
	}
	return 1
}

func (g *Guard) chunkBegins(c byte) int {
	if g.rest == 0 {
		g.trailer, g.line = true, 0
		return g.chunkByte(c, '\n', atLine)
	}
	return g.chunkByte(c, '\n', inChunk)
}

// hexadecimal is the value of a digit, 16 for anything else.
func hexadecimal(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
