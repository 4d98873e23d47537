package edge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/wasgi/wasgi/abi"
)

// Errors that a Response returns to the guest's side.
var (
	// ErrClientGone: nothing more will reach the client; the application is to stop
	// iterating and be closed.
	ErrClientGone = errors.New("edge: the client has gone")
	// ErrOrder: Start after the first byte, or Write before Start.
	ErrOrder = errors.New("edge: response call out of order")
)

// Blocker gives back what a request holds while its client is slow to read.
// Pause may be called from another goroutine than Resume, never at the same
// time. Resume returns when the request may go on, or why it may not.
type Blocker interface {
	Pause()
	Resume() error
}

// Keep stores a body until it is read, once, and closed. With an error the body
// is sent at once.
type Keep func(body []byte) (io.ReadCloser, error)

// Options are what the host sets for every response.
type Options struct {
	Buffer int    // largest complete body that is held back until Finish, bytes
	Keep   Keep   // where it is held; nil is memory
	Server string // the Server header when the application sent none, "" for none
	Phrase Phrase // writes reason phrases; nil leaves net/http's
}

// Response is one answer in the making. It is for one goroutine at a time.
//
//	Start* → Write* → Finish | Fail
//
// Nothing is on the wire before the first Write that is not the whole body.
type Response struct {
	w       http.ResponseWriter
	control http.ResponseController
	method  string
	client  context.Context // ends when the client leaves
	http1   bool
	interim bool // the client knows answers before the answer
	atHand  bool // w holds small bodies back by itself, see atOnce
	opts    Options
	stall   stall
	cutoff  cutoff

	head     abi.ResponseHead
	started  bool          // Start was called
	sent     bool          // the head is on its way; no way back
	whole    bool          // the application has given every byte of the body
	passed   bool          // net/http has the whole response, and has sent none of it
	bodyless bool          // a body would break the framing
	length   int64         // announced by the application, or unknown
	taken    int64         // bytes of body that the application gave and that count
	held     io.ReadCloser // nil when nothing is held
	over     bool          // the application wrote more than it announced
	gone     error
	refused  error // why Start did not take the head

	status int   // on the wire, for the access log
	bytes  int64 // of body on the wire, for the access log
}

// Init has r, the zero value, answer q through w. r must not be copied afterwards.
func (r *Response) Init(w http.ResponseWriter, q *http.Request, opts Options) {
	r.method, r.client = q.Method, q.Context()
	r.http1, r.interim = q.ProtoMajor == 1, q.ProtoAtLeast(1, 1)
	r.opts, r.length = opts, unknown
	r.connect(w)
	r.atHand = r.http1
}

// connect sends what follows through w.
func (r *Response) connect(w http.ResponseWriter) {
	r.w, r.control = w, *http.NewResponseController(w)
	r.cutoff.control = &r.control
}

// Bind begins a call into the guest: b is told while the client is slow, and no
// write lasts longer than ctx. The caller must call unbind at the end of the
// call, before it cancels ctx itself.
func (r *Response) Bind(ctx context.Context, b Blocker) (unbind func()) {
	r.stall.blocker, r.cutoff.ctx = b, ctx
	return func() {
		r.stall.blocker = nil
		r.cutoff.release()
	}
}

// Status is the status on the wire, 0 when nothing was sent.
func (r *Response) Status() int { return r.status }

// Bytes is how many bytes of body were handed to the connection.
func (r *Response) Bytes() int64 { return r.bytes }

// Passed says whether net/http has the whole response, and sends it when its handler
// returns: whatever fails until then, the application had said everything.
func (r *Response) Passed() bool { return r.passed && r.gone == nil }

// Sent says whether the head is on its way, so that no other answer can be given.
func (r *Response) Sent() bool { return r.sent }

// Gone is why nothing more reaches the client: the error of the connection, or
// ErrOver. It is nil while the client is there.
func (r *Response) Gone() error { return r.gone }

// Overrun says whether the application wrote more than it announced; the rest
// was dropped.
func (r *Response) Overrun() bool { return r.over }

// Start takes status and headers. A second call replaces the first until a byte
// of the body is sent; then it fails with ErrOrder. It fails when the announced
// Content-Length makes no sense.
func (r *Response) Start(head abi.ResponseHead) error {
	if r.sent || r.whole {
		return ErrOrder
	}
	length, err := contentLength(head.Headers)
	if r.refused = err; err != nil {
		return err
	}
	r.head, r.length, r.started = head, length, true
	r.bodyless = bodyless(r.method, head.Status)
	return nil
}

// Write takes a piece of the body; last says that no other follows. p is not
// kept. It returns when the piece is with the client's connection, or at once
// when the whole body is held. It fails with ErrOrder before Start and with
// ErrClientGone when more would be in vain, which is ErrOver when the call into
// the guest has ended.
func (r *Response) Write(p []byte, last bool) error {
	switch {
	case !r.started:
		return ErrOrder
	case r.gone != nil:
		return ErrClientGone
	case len(p) == 0 && !last:
		return nil // an empty piece triggers nothing (PEP 3333, "Handling the Content-Length Header")
	case r.bodyless:
		return r.swallow(p, last)
	case r.whole && len(p) > 0:
		r.over = true
		return ErrClientGone
	}
	p = r.count(p)
	r.whole = r.whole || last || r.length >= 0 && r.taken == r.length
	if !r.sent && r.whole && len(p) <= r.opts.Buffer {
		if r.atOnce(p) {
			return r.pass(p)
		}
		if r.hold(p) {
			return nil
		}
	}
	return r.transmit(p)
}

// heldBack is how much of a body net/http keeps from an HTTP/1 client until its
// handler returns or flushes (bufferBeforeChunkingSize in net/http/server.go).
const heldBack = 2048

// atOnce says whether a whole body can be given to net/http while the guest still has
// its instance, because it waits there for nobody. What is held instead is copied once
// more.
func (r *Response) atOnce(p []byte) bool {
	return r.atHand && len(p) <= heldBack && (r.length == unknown || r.length == r.taken)
}

// pass gives net/http the whole response.
func (r *Response) pass(p []byte) error {
	r.passed = true
	if r.gone = r.put(p); r.gone != nil {
		return ErrClientGone
	}
	return nil
}

// put gives net/http a piece of the body, and the head before the first.
func (r *Response) put(p []byte) error {
	if !r.sent {
		if r.whole && r.length == unknown {
			r.length = r.taken
		}
		r.sendHead()
	}
	n, err := r.w.Write(p)
	r.bytes += int64(n)
	return err
}

// hold keeps the whole body; false when there is no room for it.
func (r *Response) hold(p []byte) bool {
	if len(p) == 0 {
		return true
	}
	if r.opts.Keep == nil {
		r.held = io.NopCloser(bytes.NewReader(bytes.Clone(p)))
		return true
	}
	held, err := r.opts.Keep(p)
	if err == nil {
		r.held = held
	}
	return err == nil
}

// Close frees what is held. Nothing can be sent afterwards; closing twice does
// nothing.
func (r *Response) Close() error {
	held := r.held
	if r.held = nil; held == nil {
		return nil
	}
	return held.Close()
}

// swallow drops a body that must not be sent. The application is stopped at its
// second piece: nothing that it could still say would be heard.
func (r *Response) swallow(p []byte, last bool) error {
	if r.whole {
		return ErrClientGone
	}
	// An empty body says nothing about GET's: the application may have left it out
	// because of HEAD (RFC 9110 section 8.6).
	if last && len(p) > 0 && r.length == unknown && r.method == http.MethodHead {
		r.length = int64(len(p))
	}
	r.whole = true
	return nil
}

// count cuts p where the announced length ends (PEP 3333, "Handling the
// Content-Length Header").
func (r *Response) count(p []byte) []byte {
	if rest := r.length - r.taken; r.length >= 0 && int64(len(p)) > rest {
		p, r.over = p[:rest], true
	}
	r.taken += int64(len(p))
	return p
}

func (r *Response) transmit(p []byte) error {
	if r.client.Err() != nil { // the kernel would take one more piece
		r.gone = ErrClientGone
		return ErrClientGone
	}
	return r.sending(func() error {
		if err := r.put(p); err != nil {
			return err
		}
		return r.control.Flush()
	})
}

// sending does what may have to wait for the client.
func (r *Response) sending(send func() error) error {
	if r.cutoff.over() {
		r.gone = ErrOver
		return ErrOver
	}
	r.cutoff.watch()
	r.stall.begin()
	err := send()
	stopped := r.stall.end()
	switch {
	case err != nil && r.cutoff.over():
		r.gone = ErrOver
	case err != nil:
		r.gone = err
		return ErrClientGone
	case stopped == nil:
		return nil
	case !r.whole: // the guest will not come to what is missing
		r.gone = ErrOver
	}
	return ErrOver
}

func (r *Response) sendHead() {
	h := r.w.Header()
	setHeaders(h, r.head.Headers)
	if _, ok := h["Server"]; !ok && r.opts.Server != "" {
		h["Server"] = []string{r.opts.Server}
	}
	switch r.head.Status {
	case http.StatusNoContent:
	case http.StatusNotModified: // without both, as net/http sends it in HTTP/1
		h["Content-Type"] = nil
	default:
		if r.length >= 0 {
			h["Content-Length"] = []string{strconv.FormatInt(r.length, 10)}
		}
	}
	r.sent, r.status = true, r.head.Status
	r.phrase()
	r.w.WriteHeader(r.head.Status)
}
