package host

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/sandbox"
)

// fail ends an exchange that has no answer of the application: with a page, or,
// when an answer has begun, by aborting the connection, so that the client
// cannot take it for whole. One that is whole goes out.
func (x *exchange) fail(err error) {
	if gone := x.response.Gone(); gone != nil && !errors.Is(gone, edge.ErrOver) {
		err = edge.ErrClientGone
	}
	f := faultOf(err)
	x.tell(f, err)
	if x.response.Passed() {
		return
	}
	x.linger()
	if x.response.Sent() || f.status == statusClientLeft {
		x.unsent = f.status
		panic(http.ErrAbortHandler)
	}
	page := edge.Page{
		Status: f.status, Text: f.text, RequestID: x.id, Close: f.close,
		RetryAfter: int(math.Ceil(max(f.retry, 0).Seconds())),
	}
	if x.front.cfg.Dev {
		page.Traceback = traceback(err)
	}
	if f.status == http.StatusMethodNotAllowed {
		x.Response().Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	}
	x.response.Fail(page, x.Request().Header.Get("Accept"))
}

// lingering is how long a body that nobody wants is still read, so that a
// client which is sending finds the answer and not a reset.
const lingering = time.Second

// linger bounds how long net/http reads what is left of the request's body,
// which it does before it sends the head of an answer. A body that is not there
// by then ends the connection; otherwise the next request has deadlines of its
// own, which net/http sets.
func (x *exchange) linger() {
	// A connection without deadlines is in a test; it has no slow client.
	_ = http.NewResponseController(x.Response().Writer).SetReadDeadline(time.Now().Add(lingering))
}

// tell logs an error where it belongs and marks the access log.
func (x *exchange) tell(f fault, err error) {
	x.fault = f.word
	log, level := x.front.log, slog.LevelError
	switch f.blame {
	case onClient:
		level = slog.LevelDebug
	case onTenant:
		level = slog.LevelWarn
	}
	if x.site != nil {
		log = x.site.log().Slog()
		if f.blame == onTenant {
			log = x.site.log().Budgeted()
		}
	}
	log.Log(x.Request().Context(), level, "request failed", "fault", f.word, "request_id", x.id, "error", err)
}

// traceback is what the author of an application wants to see: Python's, or
// the error itself.
func traceback(err error) string {
	var e *sandbox.Error
	if errors.As(err, &e) && e.Traceback != "" {
		return e.Traceback
	}
	return err.Error()
}
