package abi

import "encoding/binary"

// cursor reads little-endian numbers and strings. After the first read past the end
// every read yields zero and bad is set.
type cursor struct {
	s   string
	bad bool
}

// newCursor reads a copy of b, of which the strings that it yields are parts.
func newCursor(b []byte) *cursor { return &cursor{s: string(b)} }

func (c *cursor) take(n uint32) string {
	if c.bad || uint64(n) > uint64(len(c.s)) {
		c.bad = true
		return ""
	}
	out := c.s[:n]
	c.s = c.s[n:]
	return out
}

func (c *cursor) u16() uint16 {
	s := c.take(2)
	if s == "" {
		return 0
	}
	return binary.LittleEndian.Uint16([]byte(s)) // the compiler copies nothing
}

func (c *cursor) u32() uint32 {
	s := c.take(4)
	if s == "" {
		return 0
	}
	return binary.LittleEndian.Uint32([]byte(s))
}

// done reports whether everything was read and nothing was missing.
func (c *cursor) done() bool { return !c.bad && len(c.s) == 0 }
