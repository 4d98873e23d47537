package listen

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// maxPiece is what one deadline covers.
const maxPiece = 64 << 10

type conn struct {
	net.Conn
	stall time.Duration

	wait             func()          // see BeforeWait; nil is none
	fd               syscall.RawConn // nil for none that is known
	reading, writing *transfer       // nil until they are used; each belongs to who reads or writes

	mu sync.Mutex // held while a deadline is set, never while bytes are read or written
	deadlines

	leaving sync.Mutex
	gone    bool
	leave   []func() // what it has taken of the gate
}

// whenLeft has f called when the connection is closed: at once if it is.
func (c *conn) whenLeft(f func()) {
	c.leaving.Lock()
	defer c.leaving.Unlock()
	if c.gone {
		f()
		return
	}
	c.leave = append(c.leave, f)
}

// left gives back what the connection has taken, once.
func (c *conn) left() {
	c.leaving.Lock()
	defer c.leaving.Unlock()
	for _, f := range c.leave {
		f()
	}
	c.gone, c.leave = true, nil
}

// Write gives every piece its own deadline: a large response to a slow client
// is fine as long as it moves, and the deadline for all pieces is not over.
func (c *conn) Write(p []byte) (written int, err error) {
	for {
		n, err := c.send(p[:min(len(p), maxPiece)])
		c.writeEnds()
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// CloseWrite lets net/http end a response before it closes, so that a client
// that is still sending reads the answer.
func (c *conn) CloseWrite() error {
	c.Waits()
	return closeWrite(c.Conn)
}

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close gives the seat back.
func (c *conn) Close() error {
	defer c.left()
	defer c.Waits()
	return c.Conn.Close()
}
