package edge

import (
	"context"
	"net/http"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// Left says whether the client has closed the connection, or its half of it.
// Whoever only says that it sends no more has left too: nobody can tell the two
// apart, and browsers that leave are many.
func (r *Response) Left() bool { return r.gone != nil || r.client.Err() != nil }

// Abandoned is Left for a call into the guest that ends because of it: nothing
// is sent any more.
func (r *Response) Abandoned() bool { return r.Left() && r.Abandon() != nil }

// Abandon says that the client has left: nothing is sent any more, not even what
// net/http has of the response. It returns ErrClientGone, or what ended the response
// before.
func (r *Response) Abandon() error {
	if r.gone != nil {
		return r.gone
	}
	r.gone = ErrClientGone
	if r.passed {
		r.status, r.bytes = 0, 0
	}
	return r.gone
}

// Hints sends headers ahead of the response, as 103 Early Hints (RFC 8297). In
// HTTP/1.0 it does nothing. It fails with ErrOrder when the head is sent and with
// ErrClientGone as Write does.
func (r *Response) Hints(headers []abi.Pair) error {
	switch {
	case r.sent:
		return ErrOrder
	case !r.interim:
		return nil
	case r.Abandoned():
		return ErrClientGone
	}
	return r.sending(func() error {
		h := r.w.Header()
		for _, p := range headers {
			if !hopByHop(p.Key) && !strings.EqualFold(p.Key, "Content-Length") {
				h[p.Key] = append(h[p.Key], p.Value)
			}
		}
		r.w.WriteHeader(http.StatusEarlyHints)
		clear(h)
		return nil
	})
}

// Flush sends the head before there is any body. It fails as Write does.
func (r *Response) Flush() error {
	switch {
	case !r.started:
		return ErrOrder
	case r.gone != nil:
		return ErrClientGone
	case r.sent:
		return nil
	}
	return r.transmit(nil)
}

// Phrase has the connection write a reason phrase in the next status line that
// has this code.
type Phrase func(ctx context.Context, code int, reason string)

// phrase asks for the application's reason, where it is another than the one
// that net/http writes. Old clients want some reason, so an empty one stays
// net/http's; HTTP/2 has none (RFC 9113 section 8.3.1).
func (r *Response) phrase() {
	reason := r.head.Reason
	if r.opts.Phrase != nil && r.http1 && reason != "" && reason != http.StatusText(r.head.Status) {
		r.opts.Phrase(r.client, r.head.Status, reason)
	}
}
