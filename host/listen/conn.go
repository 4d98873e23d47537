package listen

import (
	"net"
	"time"
)

// maxPiece is what one deadline covers.
const maxPiece = 64 << 10

type conn struct {
	net.Conn
	stall time.Duration
	leave func()
}

// Write gives every piece its own deadline: a large response to a slow client
// is fine as long as it moves.
func (c *conn) Write(p []byte) (written int, err error) {
	for {
		piece := p[:min(len(p), maxPiece)]
		if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(piece)
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// CloseWrite lets net/http end a response before it closes, so that a client
// that is still sending reads the answer.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close gives the seat back.
func (c *conn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
