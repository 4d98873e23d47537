package meter

import (
	"errors"
	"fmt"
)

// errShort is what a read past the end of the input reports.
var errShort = errors.New("the bytes end too early")

// A reader decodes a slice of bytes from front to back. The first failure
// sticks: later reads return zero values, and err tells what went wrong.
type reader struct {
	buf []byte
	pos int
	err error
}

// more tells whether bytes are left and nothing failed.
func (r *reader) more() bool { return r.err == nil && r.pos < len(r.buf) }

// fail keeps the first failure and where it happened.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("at byte %d: %w", r.pos, err)
	}
}

// byte reads one byte.
func (r *reader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.pos >= len(r.buf) {
		r.fail(errShort)
		return 0
	}
	c := r.buf[r.pos]
	r.pos++
	return c
}

// bytes reads n bytes. The result shares memory with the input.
func (r *reader) bytes(n uint32) []byte {
	if r.err != nil {
		return nil
	}
	if uint64(n) > uint64(len(r.buf)-r.pos) {
		r.fail(errShort)
		return nil
	}
	b := r.buf[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c&0x80 == 0 {
			return v
		}
	}
	r.fail(errors.New("a number has more than 32 bits"))
	return 0
}

// skipSigned reads over a signed LEB128 number of at most bits bits.
func (r *reader) skipSigned(bits int) {
	for n := 0; n < bits; n += 7 {
		if r.byte()&0x80 == 0 {
			return
		}
	}
	r.fail(fmt.Errorf("a number has more than %d bits", bits))
}

// name reads a length and that many bytes.
func (r *reader) name() string { return string(r.bytes(r.u32())) }

// done fails when bytes are left over.
func (r *reader) done() error {
	if r.err == nil && r.pos != len(r.buf) {
		r.fail(fmt.Errorf("%d bytes are left over", len(r.buf)-r.pos))
	}
	return r.err
}
