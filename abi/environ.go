package abi

import (
	"encoding/binary"
	"fmt"
)

// Pair is one key and its value; both are bytes in a string, ISO 8859-1 for
// environ messages and UTF-8 for boot and load messages.
type Pair struct{ Key, Value string }

// Environ builds an environ message: the CGI variables of one request
// (PEP 3333, "environ Variables"). The zero value is empty and ready; Reset
// keeps the buffer for the next request.
//
// Layout: u32 count, then for each entry u16 number of a well-known key (0 for
// a literal one), u16 length of the literal key, u32 length of the value, key
// bytes, value bytes.
type Environ struct {
	buf   []byte
	count uint32
	err   error
}

const environHeader = 4

// Reset empties e.
func (e *Environ) Reset() {
	e.buf, e.count, e.err = e.buf[:0], 0, nil
}

// Add appends one variable. numbers comes from [KeyNumbers]; with nil the key travels
// as a literal.
func (e *Environ) Add(numbers map[string]uint16, key, value string) {
	n := numbers[key]
	if n != 0 {
		key = ""
	}
	e.add(n, key, value)
}

// AddKnown appends a variable by the number of its well-known key.
func (e *Environ) AddKnown(number uint16, value string) { e.add(number, "", value) }

func (e *Environ) add(number uint16, key, value string) {
	if len(e.buf) == 0 {
		e.buf = append(e.buf, 0, 0, 0, 0)
	}
	size := len(e.buf) + 8 + len(key) + len(value)
	if size > MaxMessage || len(key) > 0xffff || e.count >= MaxEntries {
		e.err = E2BIG
		return
	}
	e.buf = binary.LittleEndian.AppendUint16(e.buf, number)
	e.buf = binary.LittleEndian.AppendUint16(e.buf, uint16(len(key)))
	e.buf = binary.LittleEndian.AppendUint32(e.buf, uint32(len(value)))
	e.buf = append(e.buf, key...)
	e.buf = append(e.buf, value...)
	e.count++
}

// Bytes is the encoded message, valid until the next Add or Reset, or E2BIG
// when a limit of the contract was passed.
func (e *Environ) Bytes() ([]byte, error) {
	if e.err != nil {
		return nil, fmt.Errorf("environ above %d bytes or %d entries: %w", MaxMessage, MaxEntries, e.err)
	}
	if len(e.buf) == 0 {
		e.buf = append(e.buf, 0, 0, 0, 0)
	}
	binary.LittleEndian.PutUint32(e.buf[:environHeader], e.count)
	return e.buf, nil
}

// KeyNumbers is the reverse of WellKnownKeys. Build it once and share it: it
// is only read.
func KeyNumbers() map[string]uint16 {
	keys := WellKnownKeys()
	m := make(map[string]uint16, len(keys))
	for i, k := range keys[1:] {
		m[k] = uint16(i + 1)
	}
	return m
}

// DecodeEnviron is the reverse of Environ.Bytes. The guest decodes in C; this
// decoder serves tests, fuzzing and guests written in Go.
func DecodeEnviron(b []byte) ([]Pair, error) {
	if len(b) > MaxMessage {
		return nil, E2BIG
	}
	keys := WellKnownKeys()
	c := newCursor(b)
	n := c.u32()
	if n > MaxEntries {
		return nil, E2BIG
	}
	pairs := make([]Pair, 0, n)
	for range n {
		number, keyLen, valueLen := c.u16(), c.u16(), c.u32()
		key, value := c.take(uint32(keyLen)), c.take(valueLen)
		if c.bad || int(number) >= len(keys) || (number != 0 && keyLen != 0) {
			return nil, EINVAL
		}
		if number != 0 {
			key = keys[number]
		}
		pairs = append(pairs, Pair{key, value})
	}
	if !c.done() {
		return nil, EINVAL
	}
	return pairs, nil
}
