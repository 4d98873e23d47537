package edge

import (
	"net/http"
	"time"
)

// Paced is the answer to a request of HTTP/2. Its streams share a connection
// that package listen watches as a whole; a client that takes nothing of one of
// them, and reads the others, stalls there on flow control (RFC 9113 section
// 5.2). So each piece has its own time here, as on a connection of HTTP/1, and
// the stream of a client that takes longer is reset.
type Paced struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
}

// NewPaced gives every piece of 64 KiB or less the time stall.
func NewPaced(w http.ResponseWriter, stall time.Duration) *Paced {
	return &Paced{w, http.NewResponseController(w), stall}
}

// pacedPiece is what stall is for.
const pacedPiece = 64 << 10

// Unwrap is for http.ResponseController.
func (p *Paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// WriteHeader leaves Connection out, which HTTP/2 does not have: net/http would
// end the whole connection for it, and with it the requests of others.
func (p *Paced) WriteHeader(status int) {
	delete(p.Header(), "Connection")
	p.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (p *Paced) Write(b []byte) (written int, err error) {
	for {
		piece := b[:min(len(b), pacedPiece)]
		n := 0
		err := p.inTime(func() (err error) { n, err = p.ResponseWriter.Write(piece); return err })
		written += n
		if b = b[len(piece):]; err != nil || len(b) == 0 {
			return written, err
		}
	}
}

// FlushError is what http.ResponseController looks for.
func (p *Paced) FlushError() error { return p.inTime(p.control.Flush) }

// inTime resets the stream when f takes too long, which ends f.
func (p *Paced) inTime(f func() error) error {
	fired := make(chan struct{})
	timer := time.AfterFunc(p.stall, func() { // ends with inTime
		defer close(fired)
		_ = p.control.SetWriteDeadline(time.Unix(1, 0))
	})
	err := f()
	if !timer.Stop() {
		<-fired
	}
	return err
}

// End is for the end of the handler: what it has left in buffers net/http sends
// afterwards, in the time of one piece.
func (p *Paced) End() { _ = p.control.SetWriteDeadline(time.Now().Add(p.stall)) }
