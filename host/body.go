package host

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/spool"
)

// errBodyRead: the request's body could not be received.
var errBodyRead = errors.New("reading the body")

// requestBody is a body that was received, or none.
type requestBody struct {
	*spool.Body
	none int64 // CONTENT_LENGTH when there is no body
}

// announce is the value of CONTENT_LENGTH, below 0 for a request without one.
func (b requestBody) announce() int64 {
	if b.Body == nil {
		return b.none
	}
	return b.Size()
}

func (b requestBody) reader() io.Reader {
	if b.Body == nil {
		return nil
	}
	return b.Body
}

// Close frees the body.
func (b requestBody) Close() error {
	if b.Body == nil {
		return nil
	}
	return b.Body.Close()
}

// receive takes the body in, whole, before an instance is borrowed. A body that
// is announced as too large is refused unread; net/http then sends no 100
// Continue and closes the connection.
func (x *exchange) receive(limit int64) (requestBody, error) {
	r := x.Request()
	if r.ContentLength > limit {
		return requestBody{}, spool.ErrTooLarge
	}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 { // the last is HTTP/2's
		return requestBody{none: emptyLength(r)}, nil
	}
	control := http.NewResponseController(x.Response().Writer)
	begun, rate := time.Now(), int64(x.front.cfg.BodyRate)
	deadline := func(received int64) {
		allowed := x.front.cfg.BodyTimeout + time.Duration(received/rate)*time.Second
		// Without a deadline the body is still bounded by its size.
		_ = control.SetReadDeadline(begun.Add(allowed))
	}
	deadline(0)
	body, err := x.front.bodies(x.site).Read(r.Body, limit, deadline)
	_ = control.SetReadDeadline(time.Time{})
	if err != nil {
		return requestBody{}, bodyError(err)
	}
	return requestBody{Body: body}, nil
}

// bodyError marks errors of the connection; those of the spool are known.
func bodyError(err error) error {
	for _, own := range []error{spool.ErrTooLarge, spool.ErrFull, spool.ErrDisk} {
		if errors.Is(err, own) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", errBodyRead, err)
}

// emptyLength tells a body of length 0 from none.
func emptyLength(r *http.Request) int64 {
	if _, announced := r.Header["Content-Length"]; announced {
		return 0
	}
	return -1
}
