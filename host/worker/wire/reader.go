package wire

import (
	"encoding/binary"
	"strings"
)

// reader takes a payload apart. After the first read past the end every read
// yields zero and bad is set.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) rest() []byte { return r.take(uint64(len(r.b))) }

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// bool takes 0 and 1 only, so that every message has one encoding.
func (r *reader) bool() bool {
	v := r.u8()
	if v > 1 {
		r.bad = true
	}
	return v == 1
}

// bytes is a run of at most most bytes, with its length before it.
func (r *reader) bytes(most uint32) []byte {
	n := r.u32()
	if n > most {
		r.bad = true
	}
	return r.take(uint64(n))
}

// text is a copy, and valid UTF-8 whatever was sent.
func (r *reader) text() string { return clean(r.bytes(maxText)) }

func (r *reader) err() error {
	if r.bad {
		return ErrMalformed
	}
	return nil
}

// done is err, and an error for bytes that are left.
func (r *reader) done() error {
	if len(r.b) > 0 {
		return ErrMalformed
	}
	return r.err()
}

func clean(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendBytes(b, p []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
	return append(b, p...)
}

// appendText cuts a text to what the other side takes.
func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), maxText)]
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
