package host

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/spool"
	"github.com/wasgi/wasgi/host/worker"
	"github.com/wasgi/wasgi/tenants"
)

// fault is what becomes of an error: the answer, the word in the access log,
// and who should hear of it.
type fault struct {
	status int
	word   string        // access log, metrics
	text   string        // for the client: one sentence, nothing about the inside
	retry  time.Duration // Retry-After
	close  bool          // the connection cannot be used again
	blame  blame
}

// blame says in whose log an error belongs.
type blame int

const (
	onClient blame = iota // debug level only: anybody can cause it
	onTenant
	onHost
)

// faultOf turns the error of any stage of a request into its answer. It is the
// one place that knows.
func faultOf(err error) fault {
	for _, classify := range []func(error) (fault, bool){faultOfClient, faultOfQueue, faultOfStart, faultOfGuest, faultOfResponse} {
		if f, ok := classify(err); ok {
			return f
		}
	}
	return fault{status: http.StatusInternalServerError, word: "host", text: "The server failed to handle this request.", blame: onHost}
}

// faultOfClient: routing and the request body.
func faultOfClient(err error) (fault, bool) {
	var refused refusal
	switch {
	case errors.As(err, &refused):
		return fault{status: refused.Status, word: "refused", text: sentence(refused.Reason), close: true}, true
	case errors.Is(err, tenants.ErrBadPath):
		return fault{status: http.StatusBadRequest, word: "path", text: "The path of this request is malformed."}, true
	case errors.Is(err, tenants.ErrNoRoute):
		return fault{status: http.StatusNotFound, word: "unknown", text: "Nothing is served here."}, true
	case errors.Is(err, spool.ErrTooLarge):
		return fault{status: http.StatusRequestEntityTooLarge, word: "body-size", text: "The body of this request is too large.", close: true}, true
	case errors.Is(err, spool.ErrFull):
		return busy("spool-full", "The server has no room for this request now.", 5*time.Second, onHost), true
	case errors.Is(err, spool.ErrDisk):
		return fault{}, false
	case errors.Is(err, errBodyRead) && errors.Is(err, os.ErrDeadlineExceeded):
		return fault{status: http.StatusRequestTimeout, word: "body-slow", text: "The body of this request came too slowly.", close: true}, true
	case errors.Is(err, errBodyRead):
		return fault{status: http.StatusBadRequest, word: "body", text: "The body of this request is broken.", close: true}, true
	case errors.Is(err, abi.E2BIG):
		return fault{status: http.StatusRequestHeaderFieldsTooLarge, word: "environ", text: "The headers of this request are too large."}, true
	}
	return fault{}, false
}

// faultOfQueue: no instance to serve.
func faultOfQueue(err error) (fault, bool) {
	var create *pool.CreateError
	var crashed *worker.CrashedError
	var short *wakeError
	switch {
	case errors.Is(err, listen.ErrFull), errors.Is(err, listen.ErrCrowded):
		return busy("streams", "This client, or all of them, make too many requests at once.", time.Second, onClient), true
	case errors.Is(err, pool.ErrQueueFull):
		return busy("queue-full", "Too many requests wait for this application.", time.Second, onTenant), true
	case errors.Is(err, pool.ErrQueueTimeout):
		return busy("queue-timeout", "This application is too busy.", time.Second, onTenant), true
	case errors.Is(err, pool.ErrClosed):
		return busy("closed", "This application is being stopped.", time.Second, onClient), true
	case errors.As(err, &create):
		return busy("instance", "This application cannot be started now.", create.RetryAfter, onTenant), true
	case errors.As(err, &crashed):
		return busy("worker", "This application cannot be started now.", crashed.RetryAfter, onTenant), true
	case errors.As(err, &short):
		return busy("instance", "This application cannot be started now.", time.Second, onHost), true
	case errors.Is(err, errClientLeft):
		return fault{status: statusClientLeft, word: "client-gone"}, true
	}
	return fault{}, false
}

// faultOfStart: no release to serve.
func faultOfStart(err error) (fault, bool) {
	switch {
	case errors.Is(err, errStarting):
		return busy("starting", "This application is still starting.", 5*time.Second, onClient), true
	case errors.Is(err, errCrowded):
		return busy("starting", "This application is still starting.", 5*time.Second, onClient), true
	case errors.Is(err, errStopped):
		return busy("stopped", "This application was stopped.", 5*time.Second, onClient), true
	case errors.Is(err, errNotServed):
		return fault{status: http.StatusBadGateway, word: "not-served", text: "This application could not be started."}, true
	}
	return fault{}, false
}

// faultOfGuest: the application ran and failed.
func faultOfGuest(err error) (fault, bool) {
	var e *sandbox.Error
	if !errors.As(err, &e) {
		return fault{}, false
	}
	failed := "This application failed to handle the request."
	switch e.Kind {
	case sandbox.KindException: // its traceback is in the tenant's log already
		return fault{status: http.StatusInternalServerError, word: "exception", text: failed}, true
	case sandbox.KindTimeout:
		return fault{status: http.StatusGatewayTimeout, word: "timeout", text: "This application took too long.", blame: onTenant}, true
	case sandbox.KindCanceled:
		return busy("canceled", "The server is shutting down.", time.Second, onTenant), true
	case sandbox.KindMemory:
		return fault{status: http.StatusInternalServerError, word: "memory", text: "This application ran out of memory.", blame: onTenant}, true
	case sandbox.KindExit, sandbox.KindTrap, sandbox.KindInvalid:
		return fault{status: http.StatusBadGateway, word: "crash", text: "This application ended while it handled the request.", blame: onTenant}, true
	}
	return fault{}, false
}

// faultOfResponse: the application answered, but not as HTTP wants it.
func faultOfResponse(err error) (fault, bool) {
	bad := fault{status: http.StatusInternalServerError, text: "This application gave a broken response.", blame: onTenant}
	switch {
	case errors.Is(err, edge.ErrNoStart):
		bad.word = "no-response"
	case errors.Is(err, edge.ErrShort), errors.Is(err, edge.ErrFileShort):
		bad.word = "short"
	case errors.Is(err, edge.ErrLength):
		bad.word = "length"
	case errors.Is(err, edge.ErrClientGone), errors.Is(err, errClientLeft):
		return fault{status: statusClientLeft, word: "client-gone"}, true
	default:
		return fault{}, false
	}
	return bad, true
}

func busy(word, text string, retry time.Duration, b blame) fault {
	return fault{status: http.StatusServiceUnavailable, word: word, text: text, retry: retry, blame: b}
}

// statusClientLeft goes to the access log for a client that did not wait; it is
// what nginx made customary.
const statusClientLeft = 499

// errClientLeft: the client closed its connection before its answer.
var errClientLeft = errors.New("the client closed the connection")

// clientLeft tells the end of a request's context from other reasons to stop.
func clientLeft(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errClientLeft
	}
	return err
}

// refusal is an edge.Refusal as an error.
type refusal struct{ *edge.Refusal }

func (r refusal) Error() string { return r.Reason }

// sentence makes a clause one.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	b := []byte(s)
	if b[0] >= 'a' && b[0] <= 'z' {
		b[0] -= 'a' - 'A'
	}
	return string(b) + "."
}
