package edge

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// ErrOver is the ErrClientGone of a client that would have been there: the call
// into the guest ended before it had taken the response.
var ErrOver = fmt.Errorf("%w: the time for its request is over", ErrClientGone)

// cutoff ends writes with the call into the guest, so that a client that takes
// its response drop by drop cannot hold an instance. It is for the goroutine of
// the response.
type cutoff struct {
	control *http.ResponseController
	ctx     context.Context // of the call; nil outside of one
	unwatch func() bool     // nil until the first write of a call
	expired chan struct{}   // closed when the connection was told
}

// over says whether the call has ended.
func (c *cutoff) over() bool { return c.ctx != nil && c.ctx.Err() != nil }

// watch makes the end of the call end the writes that run then or come later.
// Most calls write nothing before they end, so this waits for the first write.
func (c *cutoff) watch() {
	if c.ctx == nil || c.unwatch != nil {
		return
	}
	expired := make(chan struct{})
	c.expired = expired
	c.unwatch = context.AfterFunc(c.ctx, func() {
		defer close(expired)
		// A connection without deadlines is in a test; it has no slow client.
		_ = c.control.SetWriteDeadline(time.Now())
	})
}

// release lets writes be as slow as the connection allows again: what follows
// the call holds no instance.
func (c *cutoff) release() {
	if c.unwatch != nil && !c.unwatch() {
		<-c.expired
		_ = c.control.SetWriteDeadline(time.Time{})
	}
	c.ctx, c.unwatch = nil, nil
}
