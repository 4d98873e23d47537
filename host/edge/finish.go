package edge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Faults of an application that Finish finds.
var (
	// ErrNoStart: the application returned without calling start_response.
	ErrNoStart = errors.New("the application did not call start_response")
	// ErrLength: the announced Content-Length is no number, or two differ.
	ErrLength = errors.New("the application announced a Content-Length that is not one whole number")
	// ErrShort: the body ended before the announced Content-Length.
	ErrShort = errors.New("the application sent less than its Content-Length")
)

// Finish ends a response after the application returned. What was held is sent.
// An error says that the response is broken: when Sent is false the caller may
// still answer with Fail, otherwise it must abort the connection.
func (r *Response) Finish() error {
	switch {
	case r.refused != nil:
		return r.refused
	case r.gone != nil:
		return r.gone
	case !r.started:
		return ErrNoStart
	case !r.bodyless && r.length > r.taken:
		return fmt.Errorf("%w: %d of %d bytes", ErrShort, r.taken, r.length)
	case r.sent && r.held == nil:
		return nil
	}
	return r.deliver()
}

// Whole says whether the application had given the whole response, so that a
// failure after it (in close(), say) takes nothing from the client.
func (r *Response) Whole() bool {
	return r.started && r.whole && r.gone == nil && (r.bodyless || r.length <= r.taken)
}

func (r *Response) deliver() error {
	if !r.sent {
		if r.length == unknown && !r.bodyless {
			r.length = r.taken
		}
		r.sendHead()
	}
	if r.held == nil {
		return nil
	}
	before := r.bytes
	n, err := io.Copy(r.w, body(r.held))
	r.bytes += n
	if r.gone = err; err == nil && r.bytes != r.taken {
		return fmt.Errorf("%w: %d of %d bytes", ErrFileShort, r.bytes-before, r.taken-before)
	}
	return err
}

// Fail answers with a page of the host instead of whatever the application
// started. It does nothing once the head is sent.
func (r *Response) Fail(p Page, accept string) {
	if r.sent {
		return
	}
	_ = r.Close() // what the application said is not wanted any more
	page := p.body(accept)
	r.head, r.started = p.head(accept), true
	r.bodyless, r.length = bodyless(r.method, p.Status), unknown
	r.taken = int64(len(page))
	if p.Close {
		r.w.Header()["Connection"] = []string{"close"}
	}
	if r.method == "HEAD" {
		r.length = r.taken
	} else {
		r.held = io.NopCloser(bytes.NewReader(page))
	}
	_ = r.deliver()
}
