package postgres

import (
	"encoding/binary"
	"errors"
)

// maxMessage is PostgreSQL's own bound of a message.
const maxMessage = 1<<30 - 1

var errFrame = errors.New("a message has a length that no message has")

// frames finds the ends of messages in the bytes of one direction, whose contents
// it does not look at.
type frames struct {
	head [5]byte
	got  int // of the head
	left int // of the body
}

// whole says that nothing of a message is under way.
func (f *frames) whole() bool { return f.got == 0 }

// size is what the message that has just ended had, its kind aside.
func (f *frames) size() uint32 { return binary.BigEndian.Uint32(f.head[1:]) }

// scan walks over b, and calls end at the end of each message with its kind and
// last byte, until end says to stop. It returns how much of b it has walked over.
// After an error it must not be called again.
func (f *frames) scan(b []byte, end func(kind, last byte) (more bool)) (n int, err error) {
	for n < len(b) {
		if f.got < len(f.head) {
			c := copy(f.head[f.got:], b[n:])
			f.got, n = f.got+c, n+c
			if f.got < len(f.head) {
				return n, nil
			}
			if f.size() < 4 || f.size() > maxMessage {
				return n, errFrame
			}
			f.left = int(f.size()) - 4
		}
		c := min(f.left, len(b)-n)
		f.left, n = f.left-c, n+c
		if f.left > 0 {
			return n, nil
		}
		f.got = 0
		if !end(f.head[0], b[n-1]) {
			return n, nil
		}
	}
	return n, nil
}
