package host

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/accesslog"
	"github.com/wasgi/wasgi/host/compress"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/trace"
	"github.com/wasgi/wasgi/wasi"
)

// exchange is one request and its answer. It belongs to the goroutine that
// net/http started for the connection.
type exchange struct {
	echo.Context
	front    *front
	id       string
	start    time.Time
	response edge.Response
	paced    *edge.Paced // nil for HTTP/1

	site   *site
	tenant string
	wait   time.Duration // for an instance
	cpu    time.Duration // of the guest
	pages  int           // of the snapshot that the guest has written to, see accesslog.Entry
	kill   string        // why the guest was ended, for the metrics

	received int64 // bytes of the request's body

	parts   atomic.Int32     // of the exchange that have not ended: see settle
	entry   *accesslog.Entry // nil for none
	scheme  string           // that the client used
	trace   *trace.Request
	squeeze *compress.Writer // nil where nothing is compressed
	asleep  func()           // ends the span of a sleep
	fault   string           // word of the fault, for the access log
	unsent  int              // status for the access log when none was sent

	guest     callContext     // of the call into the guest
	request   sandbox.Request // of that call
	graceTime time.Duration   // after guest

	grace     context.Context // until graceTime after guest's deadline; nil until somebody waits in it
	graceOver func()
	lease     pool.Lease[instance]
	client    *client    // nil for none
	seat      *pool.Seat // the client's; nil for none
	seated    bool       // the slot of this request is there
}

func newExchange(f *front, c echo.Context) *exchange {
	x := &exchange{Context: c, front: f, id: newRequestID(), start: time.Now(), client: clientOf(c.Request())}
	x.seat = x.client.seat()
	w := c.Response().Writer
	if c.Request().ProtoMajor == 2 {
		x.paced = edge.NewPaced(w, f.cfg.WriteTimeout)
		w = x.paced
	}
	x.parts.Store(1)
	x.response.Init(w, c.Request(), f.options)
	return x
}

// newRequestID is 64 random bits: enough to be found again, and no secret.
func newRequestID() string {
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// serve is the way of a request; see the package's documentation. What fails
// is answered here, or aborts the connection when the answer has begun.
func (x *exchange) serve() error {
	defer func() {
		if err := x.response.Close(); err != nil {
			x.front.log.Error("a temporary file could not be closed", "request_id", x.id, "error", err)
		}
	}()
	if x.paced != nil {
		defer x.paced.End()
	}
	defer x.abandon()
	if err := x.answer(); err != nil {
		x.fail(err)
	}
	if !x.seated { // a client that asks for no guest takes no slot from one that does
		x.seat.Leave()
	}
	x.complete()
	return nil
}

func (x *exchange) answer() error {
	x.seat.Settle() // of the connection's last request
	r := x.Request()
	tellTLS(r)
	x.beginTrace(r)
	leave, err := x.stream()
	if err != nil {
		return err
	}
	defer leave()
	scheme, refused := x.front.proxies.Admit(r)
	x.scheme = scheme
	if refused != nil {
		return refusal{refused}
	}
	if refused := edge.Check(r, x.front.limits); refused != nil {
		return refusal{refused}
	}
	if r.RequestURI == "*" {
		return x.options()
	}
	path, query, ok := edge.SplitTarget(r.RequestURI)
	if !ok {
		return refusal{&edge.Refusal{Status: http.StatusBadRequest, Reason: "the request target is malformed"}}
	}
	if x.challenge(path) {
		return nil
	}
	site, match, err := x.front.fleet.find(r.Host, path)
	if err != nil {
		return err
	}
	if r.TLS != nil && x.front.fleet.misdirected(r.TLS.ServerName, path, site.name) {
		return refusal{&edge.Refusal{Status: http.StatusMisdirectedRequest, Reason: "this connection is for another host"}}
	}
	x.site, x.tenant = site, site.name
	d, answered, err := x.outright(match, query)
	if err != nil {
		return clientLeft(r.Context(), err)
	}
	if answered {
		return nil
	}
	body, err := x.receive(d.bodyLimit)
	if err != nil {
		return err
	}
	defer x.dismiss(body)
	x.received = max(body.announce(), 0)
	return x.call(edge.Call{
		ScriptName: match.ScriptName, PathInfo: match.PathInfo, Query: query,
		Length: body.announce(), RequestID: x.id, Scheme: scheme,
	}, body)
}

// stream counts a request of HTTP/2 as a connection. One of HTTP/1 has been
// counted.
func (x *exchange) stream() (leave func(), err error) {
	r := x.Request()
	if r.ProtoMajor != 2 {
		return func() {}, nil
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil { // a Unix socket, or a client of which its proxy says nothing
		return x.front.streams.Enter(listen.Untold{})
	}
	return x.front.streams.Enter(net.TCPAddrFromAddrPort(remote))
}

// options answers for the server itself (RFC 9110 section 9.3.7).
func (x *exchange) options() error {
	x.linger()
	if err := x.response.Start(abi.ResponseHead{Status: http.StatusOK}); err != nil {
		return err
	}
	return x.response.Finish()
}

// call borrows an instance, lets it answer, and gives it back before what is
// left of the answer goes to the client.
func (x *exchange) call(c edge.Call, body requestBody) error {
	d, err := x.borrow()
	if err != nil {
		return clientLeft(x.Request().Context(), err)
	}
	defer func() { x.lease.Discard() }() // does nothing after giveBack; here for a panic
	environ := d.environ()
	defer d.forget(environ)
	ended := x.trace.Guest()
	x.trace.Pass(x.Request().Header)
	message, err := x.front.encoder.Encode(environ, x.Request(), c)
	if err != nil {
		ended()
		x.lease.Release()
		return err
	}
	x.request = sandbox.Request{Environ: message, Body: x.trace.Body(body.reader())}
	err = x.run(d)
	x.request = sandbox.Request{} // environ is another's soon
	ended()
	x.giveBack(d, err)
	if err != nil && !x.response.Whole() {
		return err
	}
	if err != nil {
		x.tell(faultOf(err), err)
	}
	return x.response.Finish()
}

// borrow takes an instance of what serves now. A release that retires between
// the look and the grab sends the request to its successor.
func (x *exchange) borrow() (d *deployment, err error) {
	ctx := x.Request().Context()
	defer x.trace.Wait()()
	before := time.Now()
	for range 3 {
		if d, err = x.current(); err != nil {
			return nil, err
		}
		if x.lease, err = d.pool.AcquireFrom(ctx, x.seat); !errors.Is(err, pool.ErrClosed) {
			break
		}
	}
	x.wait = time.Since(before)
	d.called.Store(before.Unix())
	return d, err
}

// current is what serves now. Who has to wait for it has no slot.
func (x *exchange) current() (*deployment, error) {
	if x.site.live.Load() == nil {
		x.seat.Leave()
	}
	return x.site.current(x.Request().Context())
}

func (x *exchange) run(d *deployment) error {
	ctx := &x.guest
	ctx.begin(d.life, d.timeout)
	defer ctx.end()
	x.graceTime = d.grace
	defer func() {
		if x.graceOver != nil {
			x.graceOver()
		}
	}()
	defer x.response.Bind(ctx, slot{x})()
	g := x.lease.Instance()
	err := g.Serve(ctx, &x.request, responder{x})
	x.measure(g, err)
	return err
}

// measure asks the instance what the request has used.
func (x *exchange) measure(g instance, err error) {
	if s, ok := statsOf(g); ok {
		x.cpu, x.pages = s.CPU, s.OwnPages
	}
	if err != nil && !g.Usable() {
		x.kill = causeOf(err)
	}
}

// giveBack ends the lease. Putting memory back takes a while and is no matter
// of the client's, so it goes on beside the answer; the pool's Drain waits.
func (x *exchange) giveBack(d *deployment, err error) {
	lease := x.lease
	x.lease = pool.Lease[instance]{} // the deferred Discard must not overtake the Release
	switch {
	case !d.fresh && err == nil:
		x.seated = true
		lease.ReleaseTo(x.seat)
	case x.seat == nil:
		x.parts.Add(1)
		x.front.behind.Go(func() { // ends with the release, which the pool waits for
			lease.ReleaseAfter(x.putBack)
			x.settle()
		})
	default:
		x.seated = true
		x.parts.Add(1)
		x.front.behind.Add(1)
		lease.ReleaseLater(x.seat, x.putBack, func() { x.settle(); x.front.behind.Done() })
	}
}

// putBack learns what putting an instance back has taken.
func (x *exchange) putBack(g instance) {
	if s, ok := statsOf(g); ok {
		x.pages = s.DirtyPages
		x.site.meter().Reset(x.pages)
	}
}

// dismiss frees a body. What fails then harms nobody but the disk.
func (x *exchange) dismiss(b requestBody) {
	if err := b.Close(); err != nil {
		x.front.log.Error("a temporary file could not be closed", "request_id", x.id, "error", err)
	}
}

// responder is the side of an exchange that a guest's calls reach.
type responder struct{ x *exchange }

// Start implements sandbox.Responder.
func (r responder) Start(h abi.ResponseHead) error {
	defer r.x.trace.Call("response.start")()
	return r.x.response.Start(h)
}

// Write implements sandbox.Responder.
func (r responder) Write(p []byte, last bool) error {
	defer r.x.trace.Call("response.write")()
	if !last && r.x.client.gone() {
		return forGuest(r.x.response.Abandon())
	}
	return forGuest(r.x.response.Write(p, last))
}

// forGuest gives errors of the response the names that package sandbox knows.
func forGuest(err error) error {
	switch {
	case errors.Is(err, edge.ErrClientGone):
		return sandbox.ErrClientGone
	case errors.Is(err, edge.ErrFileShort):
		return errors.Join(sandbox.ErrFile, err)
	}
	return err
}

// Gone implements sandbox.Presence.
func (r responder) Gone() bool {
	return r.x.response.Abandoned() || r.x.client.gone() && r.x.response.Abandon() != nil
}

// Flush implements sandbox.Flusher.
func (r responder) Flush() error {
	defer r.x.trace.Call("response.flush")()
	return forGuest(r.x.response.Flush())
}

// Hints implements sandbox.Hinter.
func (r responder) Hints(headers []abi.Pair) error {
	defer r.x.trace.Call("response.hints")()
	return forGuest(r.x.response.Hints(headers))
}

// SendFile implements sandbox.FileSender.
func (r responder) SendFile(f wasi.Regular, offset, size int64) error {
	defer r.x.trace.Call("response.file")()
	return forGuest(r.x.response.WriteFile(regular{f}, offset, size, func(write func([]byte, bool) error) error {
		return sandbox.EachPiece(f, offset, size, write)
	}))
}

// regular is a file of a guest as package edge sees it.
type regular struct{ wasi.Regular }

// Keep implements edge.File.
func (r regular) Keep() (edge.KeptFile, error) { return r.Regular.Keep() }

// Log implements sandbox.Responder.
func (r responder) Log(level abi.LogLevel, text string) {
	defer r.x.trace.Call("log")()
	r.x.site.log().Guest(level, text, r.x.id)
}

// Print implements sandbox.Printer.
func (r responder) Print(s sandbox.Stream, line string) {
	defer r.x.trace.Call("print")()
	r.x.site.log().Print(s.String(), line, r.x.id)
}

// Pause implements sandbox.Waiter: the guest sleeps.
func (r responder) Pause() {
	r.x.asleep = r.x.trace.Call("sleep")
	r.x.lease.Pause()
}

// Resume implements sandbox.Waiter. When the request's time and its grace are
// over the guest goes on without a slot, to the next check of its deadline.
func (r responder) Resume() {
	_ = r.x.lease.Resume(r.x.toTheEnd())
	if r.x.asleep != nil {
		r.x.asleep()
	}
}

// Yield implements sandbox.Yielder.
func (r responder) Yield() { _ = r.x.lease.Yield(r.x.toTheEnd()) }

// shorten ends the grace of a request that was cancelled, at shutdown or after a
// reload, a grace from now.
func (x *exchange) shorten(end func()) {
	if !errors.Is(x.guest.Err(), context.DeadlineExceeded) {
		time.AfterFunc(x.graceTime, end)
	}
}

// toTheEnd is the context of a guest's waits for its turn: those of its grace
// count too.
func (x *exchange) toTheEnd() context.Context {
	if x.grace == nil {
		deadline, _ := x.guest.Deadline()
		grace, cancel := context.WithDeadline(context.Background(), deadline.Add(x.graceTime))
		stop := context.AfterFunc(&x.guest, func() { x.shorten(cancel) })
		x.grace, x.graceOver = grace, func() { stop(); cancel() }
	}
	return x.grace
}

// slot implements edge.Blocker: the client is slow.
type slot struct{ x *exchange }

func (s slot) Pause()        { s.x.lease.Pause() }
func (s slot) Resume() error { return s.x.lease.Resume(s.x.toTheEnd()) }
