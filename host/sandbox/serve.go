package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// Request is one request as the guest gets it.
type Request struct {
	// Environ is an encoded [abi.Environ].
	Environ []byte
	// Body is the request's body, which the host has received whole; nil is
	// an empty one.
	Body io.Reader
}

// Responder is where the response goes. It is called by the goroutine that
// called Serve, and its time does not count as the guest's.
type Responder interface {
	// Start is called at most once: just before the first Write, or at the
	// end of a request without a body.
	Start(abi.ResponseHead) error
	// Write gets body bytes, valid during the call only. last says that no
	// byte follows; p may be empty then. It may block while the client is
	// slow, but no longer than the request's context lasts. ErrClientGone and
	// every other error reach the guest as EPIPE.
	Write(p []byte, last bool) error
	// Log gets what the guest logged, valid UTF-8 of at most abi.MaxLog bytes.
	Log(level abi.LogLevel, text string)
}

// Waiter is what a Responder may implement besides: it is told when the guest
// sleeps, so that its CPU slot can go to another one. Resume may block, but
// no longer than the request's context lasts.
type Waiter interface {
	Pause()
	Resume()
}

// Yielder is what a Responder may implement besides: it is told every few
// milliseconds of a guest that runs on and on, so that others get their turn.
// Yield may block, but no longer than the request's time and grace last.
type Yielder interface {
	Yield()
}

// slice is how long a guest runs before Yield.
const slice = 2 * time.Millisecond

// maxRead bounds what one body_read returns, because the result is an i32.
const maxRead = 1 << 30

// exchange is the state of the running request.
type exchange struct {
	responder Responder // nil when no request is running
	body      io.Reader
	head      abi.ResponseHead
	hasHead   bool // response_start was called
	started   bool // Responder.Start was called
	last      bool // the guest has said that no byte follows
	hints     int  // calls of response_hints
	gone      bool // the guest was told, before its response, that nobody waits for it
}

// start hands the head over, once.
func (x *exchange) start() error {
	if x.started {
		return nil
	}
	x.started = true
	return x.responder.Start(x.head)
}

func (x *exchange) write(p []byte, last bool) error {
	if err := x.start(); err != nil {
		return err
	}
	x.last = last
	return x.responder.Write(p, last)
}

// Serve runs one request. ctx carries its deadline and its cancellation, both
// of which stop the guest wherever it is. nil means that the response is
// complete: Start has been called, or the guest was told that the client has
// gone. Any *Error but KindException leaves the
// instance unusable, and so does a memory that is full; whether a byte of the
// response was sent by then, the Responder knows.
func (in *Instance) Serve(ctx context.Context, q *Request, r Responder) error {
	if err := in.fits(q.Environ); err != nil {
		return err
	}
	if err := in.move(StateServing); err != nil {
		return err
	}
	in.exchange = exchange{responder: r, body: q.Body}
	e := in.send(ctx, callHandle, q.Environ)
	if e == nil {
		e = in.complete()
	}
	in.endLines()
	in.exchange = exchange{}
	if e != nil && e.Kind != KindException {
		return in.fail("request", e)
	}
	in.learn()
	if err := in.move(in.afterRequest()); err != nil {
		return err
	}
	if e != nil {
		return in.fail("request", e)
	}
	return nil
}

// afterRequest is dead when the request was refused memory because the instance
// has nearly all that it may have: what fills it stays, and every later request
// would meet the same end. A single wish for too much leaves it usable.
func (in *Instance) afterRequest() State {
	if m := in.memory; m.refused && m.size > m.limit/4*3 {
		return StateDead
	}
	return StateReady
}

// fits refuses a message before the guest has seen any of it.
func (in *Instance) fits(message []byte) error {
	if len(message) <= abi.MaxMessage {
		return nil
	}
	return &Error{
		Kind: KindInvalid, Op: "request", Tenant: in.spec.Name, Status: abi.StatusInvalid, Err: abi.E2BIG,
		Detail: fmt.Sprintf("an environ of %d bytes is above %d", len(message), abi.MaxMessage),
	}
}

// complete sends the head of a response that has no body. A client that has
// gone by now is no failure of the guest.
func (in *Instance) complete() *Error {
	if in.exchange.gone && !in.exchange.hasHead {
		return nil
	}
	if !in.exchange.hasHead {
		return &Error{Kind: KindInvalid, Detail: "the guest returned without a response"}
	}
	if err := in.exchange.start(); err != nil && !errors.Is(err, ErrClientGone) {
		return &Error{Kind: KindHost, Detail: "the response head was refused", Err: err}
	}
	return nil
}

// ReadSome reads at least a byte, or tells the end by zero.
func ReadSome(r io.Reader, p []byte) (int, error) {
	for range 100 {
		n, err := r.Read(p)
		if n > 0 || errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// record passes a text on: to the request's Responder, or to the tenant's
// logger while no request is running.
func (in *Instance) record(level abi.LogLevel, text string) {
	if level == abi.LogTraceback {
		in.trace.add(text)
	}
	if r := in.exchange.responder; r != nil {
		r.Log(level, text)
		return
	}
	severity := slog.LevelInfo
	switch {
	case level == abi.LogErrors:
	case in.account.calledOff(): // an interpreter says where it was when the host stopped
		severity = slog.LevelDebug
	default:
		severity = slog.LevelError
	}
	in.logger().Log(context.Background(), severity, "guest", "tenant", in.spec.Name, "text", text)
}

func (in *Instance) logger() *slog.Logger {
	if in.spec.Logger != nil {
		return in.spec.Logger
	}
	return in.engine.logger
}

// cutText makes guest bytes a string of at most MaxLog bytes.
func cutText(b []byte) string {
	b = b[:min(len(b), abi.MaxLog)]
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	if len(s) > abi.MaxLog {
		s = strings.ToValidUTF8(s[:abi.MaxLog], "")
	}
	return s
}

// traceback collects what the guest logs at LogTraceback, up to MaxLog bytes.
type traceback struct{ b strings.Builder }

func (t *traceback) reset() { t.b.Reset() }

func (t *traceback) add(s string) {
	room := abi.MaxLog - t.b.Len()
	if len(s) > room {
		s = strings.ToValidUTF8(s[:room], "")
	}
	t.b.WriteString(s)
}

// String is what was collected.
func (t *traceback) String() string { return t.b.String() }
