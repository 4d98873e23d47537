package listen

import "time"

// turn is how long a connection may find its next request there already before
// others get their turn: a Flask request's time, or that of four of the simplest.
const turn = 100 * time.Microsecond

// parked is what no Read takes that finds something to read.
const parked = 20 * time.Microsecond

// Read gives way to other connections when this one has not waited for a while:
// a client that has its next request there whenever its answer is sent would keep
// its goroutine running for 10 ms.
func (c *conn) Read(p []byte) (int, error) {
	begun := time.Since(c.gate.began)
	n, err := c.Conn.Read(p)
	now := time.Since(c.gate.began)
	switch {
	case now-begun > parked: // it was the turn of others
	case now-time.Duration(c.turn.Load()) < turn:
		return n, err
	case c.gate.Open() <= c.gate.each:
	default:
		c.gate.limits.Yield()
		now = time.Since(c.gate.began)
	}
	c.turn.Store(int64(now))
	return n, err
}
