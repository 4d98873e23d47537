package wasi

import (
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

const (
	maxPairBytes     = 64 << 10 // under way in one direction
	maxPairDatagrams = 64
)

// channel is one direction of a pair, in the host's memory. Both ends belong to one sandbox, which one goroutine uses
// at a time: nothing is locked.
type channel struct {
	stream   bool
	messages [][]byte // of a stream: pieces
	size     int
	shut     bool // no more is written
	deaf     bool // no more is read
}

// pairEnd is one end of a socketpair.
type pairEnd struct{ in, out *channel }

func newPair(stream bool) (a, b *pairEnd) {
	x, y := &channel{stream: stream}, &channel{stream: stream}
	return &pairEnd{x, y}, &pairEnd{y, x}
}

func (e *pairEnd) send(p []byte) (int, sys.Errno) {
	c := e.out
	switch {
	case c.shut || c.deaf:
		return 0, EPIPE
	case !c.stream && len(p) > maxPairBytes:
		return 0, EMSGSIZE
	case c.stream && len(p) == 0:
		return 0, 0
	case !c.writable():
		return 0, sys.EAGAIN
	}
	if c.stream {
		p = p[:min(len(p), maxPairBytes-c.size)]
	} else if c.size+len(p) > maxPairBytes {
		return 0, sys.EAGAIN
	}
	c.messages = append(c.messages, append([]byte(nil), p...))
	c.size += len(p)
	return len(p), 0
}

func (c *channel) writable() bool {
	return c.shut || c.deaf || c.size < maxPairBytes && len(c.messages) < maxPairDatagrams*(1+15*boolInt(c.stream))
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *pairEnd) recv(p []byte, peek bool) (int, sys.Errno) {
	c := e.in
	if len(c.messages) == 0 {
		if c.shut || c.deaf {
			return 0, 0
		}
		return 0, sys.EAGAIN
	}
	if !c.stream {
		n := copy(p, c.messages[0])
		if !peek {
			c.drop(len(c.messages[0]))
		}
		return n, 0
	}
	var n int
	for _, m := range c.messages {
		n += copy(p[n:], m)
	}
	if !peek {
		c.drop(n)
	}
	return n, 0
}

// drop takes n bytes off the front.
func (c *channel) drop(n int) {
	c.size -= n
	for len(c.messages) > 0 && n >= len(c.messages[0]) {
		n -= len(c.messages[0])
		c.messages[0] = nil
		c.messages = c.messages[1:]
		if !c.stream {
			return
		}
	}
	if n > 0 {
		c.messages[0] = c.messages[0][n:]
	}
}

func (e *pairEnd) ready() (r readiness) {
	if len(e.in.messages) > 0 || e.in.shut || e.in.deaf {
		r |= readable
	}
	if e.out.writable() {
		r |= writable
	}
	if e.in.shut && e.out.deaf {
		r |= hungUp
	}
	return r
}

// watch has nothing to do: only the guest itself can change a pair, and it waits.
func (e *pairEnd) watch(readiness, func()) func() { return func() {} }

func (e *pairEnd) getOption(o option) (int, sys.Errno) {
	switch o {
	case optSendBuffer, optReceiveBuffer:
		return maxPairBytes, 0
	case optLinger:
		return -1, 0
	}
	return 0, 0
}

func (e *pairEnd) setOption(option, int) sys.Errno { return 0 }

func (e *pairEnd) shutdown(how uint32) sys.Errno {
	if how&shutRead != 0 {
		e.in.deaf = true
	}
	if how&shutWrite != 0 {
		e.out.shut = true
	}
	return 0
}

func (e *pairEnd) pause() time.Duration { return 0 }

func (e *pairEnd) close() sys.Errno {
	e.in.messages, e.in.size = nil, 0
	return e.shutdown(shutRead | shutWrite)
}

// inUse is what a pair holds of the host's memory for this end.
func (s *socket) inUse() int64 {
	if e, ok := s.end.(*pairEnd); ok {
		return int64(e.in.size)
	}
	return 0
}
