//go:build linux

package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// session is one instance in a worker, at the host's end of its socket.
type session struct {
	process *process
	number  uint64
	socket  *os.File
	conn    *wire.Conn
}

// open restores an instance in the worker.
func (im *Image) open(ctx context.Context) (*session, error) {
	p, err := im.worker(ctx)
	if err != nil {
		return nil, err
	}
	if !p.ledger.look(time.Now()) {
		return nil, &sandbox.Error{Kind: sandbox.KindMemory, Op: "restore", Tenant: im.cfg.Job.Tenant.Name, Detail: "the memory of the tenant or of the host is used up"}
	}
	socket, number, err := p.open()
	if err != nil {
		p.kill("it takes no orders: " + err.Error())
		return nil, p.ended(err)
	}
	s := &session{process: p, number: number, socket: socket, conn: wire.NewConn(socket, wire.MaxReply)}
	if _, err := s.settled(ctx); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return s, nil
}

// settled waits for Ready or Failed; usable says that the instance can serve.
func (s *session) settled(ctx context.Context) (usable bool, err error) {
	if err := s.socket.SetDeadline(time.Now().Add(2 * s.process.cfg.slack())); err != nil {
		return false, s.broken(err)
	}
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = s.socket.SetDeadline(time.Now())
		close(expired)
	})
	defer func() {
		if !stop() {
			<-expired // or it would hit the deadline of what comes next
		}
	}()
	kind, payload, err := s.conn.Read()
	switch {
	case err != nil && ctx.Err() != nil:
		return false, context.Cause(ctx) // the worker finds the socket closed
	case err != nil:
		return false, s.broken(err)
	case kind == wire.Ready && len(payload) == 0:
		return true, nil
	case kind != wire.Failed:
		return false, s.broken(wire.ErrMalformed)
	}
	o, err := wire.DecodeOutcome(payload)
	if err == nil && o.Kind == 0 {
		err = wire.ErrMalformed
	}
	if err != nil {
		return false, s.broken(err)
	}
	return false, errorOf(o, s.process.cfg.Job.Tenant.Name)
}

// broken ends the worker, or finds out that it has ended, after an error of the
// socket.
func (s *session) broken(err error) error {
	p := s.process
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.kill("it did not answer in time")
		return p.failure(sandbox.KindTimeout, "request", nil)
	case errors.Is(err, wire.ErrMalformed):
		p.kill("it broke the protocol: " + err.Error())
	}
	return p.ended(err)
}

// Instance is an interpreter in a worker process, with the methods of
// sandbox.Instance. It is not safe for concurrent use.
type Instance struct {
	image   *Image
	session *session
	usable  bool
	closed  bool
	stats   sandbox.InstanceStats
}

// Restore makes an instance that is ready to serve.
func (im *Image) Restore(ctx context.Context) (*Instance, error) {
	im.enter()
	s, err := im.open(ctx)
	if err != nil {
		im.leave()
		var e *sandbox.Error
		if errors.As(err, &e) && e.Kind == sandbox.KindMemory {
			im.shrink()
		}
		return nil, err
	}
	return &Instance{image: im, session: s, usable: true}, nil
}

// Usable says whether the instance may serve another request. One whose worker
// has ended may: Serve gets another one first.
func (in *Instance) Usable() bool { return in.usable }

// Stats are the worker's words about itself.
func (in *Instance) Stats() sandbox.InstanceStats { return in.stats }

// Close lets go of the instance. The worker closes its end in its own time.
// Closing twice does nothing.
func (in *Instance) Close() error {
	if in.closed {
		return nil
	}
	in.closed, in.usable = true, false
	defer in.image.leave()
	return in.session.socket.Close()
}

// Reset waits until the worker has put the instance back into the state of its
// image, which it does by itself after each request of a tenant that wants a
// fresh interpreter. For any other it is an error.
func (in *Instance) Reset() error {
	in.usable = false
	if !in.image.cfg.Job.fresh() {
		return &sandbox.Error{Kind: sandbox.KindHost, Op: "reset", Tenant: in.image.cfg.Job.Tenant.Name, Detail: "the worker keeps its instances as they are"}
	}
	var err error
	in.usable, err = in.session.settled(context.Background())
	return err
}

// Serve runs one request, as sandbox.Instance.Serve does. The end of the worker
// is KindTrap; a worker that has not answered when the request's time and its
// grace are over is killed, which is KindTimeout.
func (in *Instance) Serve(ctx context.Context, q *sandbox.Request, r sandbox.Responder) error {
	if len(q.Environ) > abi.MaxMessage {
		return &sandbox.Error{Kind: sandbox.KindInvalid, Op: "request", Tenant: in.image.cfg.Job.Tenant.Name, Err: abi.E2BIG}
	}
	in.usable = false
	in.stats = sandbox.InstanceStats{}
	err := in.begin(ctx, q, r)
	if err != nil {
		return err
	}
	x := &exchange{session: in.session, ctx: ctx, to: r, body: q.Body}
	o, err := x.run()
	if err != nil {
		return err
	}
	in.usable, in.stats = o.Usable, statsFrom(o.Stats)
	if errors.Is(ctx.Err(), context.Canceled) {
		in.usable = false // the order to cancel may reach the worker only now
	}
	if !in.session.process.ledger.look(time.Now()) {
		in.usable = false // its end gives memory back
	}
	return errorOf(o, in.image.cfg.Job.Tenant.Name)
}

// begin hands the request over. Between two requests the worker may have ended:
// nothing of this one has been seen by anybody then, and a new worker serves it.
func (in *Instance) begin(ctx context.Context, q *sandbox.Request, r sandbox.Responder) error {
	if p := in.session.process; !p.lost.Load() {
		err := in.session.call(ctx, q)
		if err == nil {
			return nil
		}
		_ = p.ended(err)
	}
	s, err := in.reopen(ctx, r)
	if err != nil {
		return err
	}
	_ = in.session.socket.Close()
	in.session = s
	if err := s.call(ctx, q); err != nil {
		return s.broken(err)
	}
	return nil
}

// reopen finds another worker. Starting one takes a while, in which the
// request's CPU slot is for others.
func (in *Instance) reopen(ctx context.Context, r sandbox.Responder) (*session, error) {
	if w, ok := r.(sandbox.Waiter); ok {
		w.Pause()
		defer w.Resume()
	}
	return in.image.open(ctx)
}

func (s *session) call(ctx context.Context, q *sandbox.Request) error {
	if err := s.bound(ctx); err != nil {
		return err
	}
	c := wire.Call{Timeout: timeLeft(ctx), Body: q.Body != nil, Environ: q.Environ}
	return s.conn.Send(wire.Serve, c.Append)
}

// exchange is one request at the host's end.
type exchange struct {
	*session
	ctx  context.Context
	to   sandbox.Responder
	body io.Reader

	started, last bool
	gone          bool // the worker was told, before its response, that nobody waits for it
	hints         int
}

// run does what the worker asks for until it says that the request is over.
func (x *exchange) run() (wire.Outcome, error) {
	stop := context.AfterFunc(x.ctx, x.cancel)
	defer stop()
	for {
		kind, payload, err := x.conn.Read()
		if err == nil && kind == wire.End {
			var o wire.Outcome
			if o, err = x.over(payload); err == nil {
				return o, nil
			}
		} else if err == nil {
			err = x.step(kind, payload)
		}
		if err != nil {
			return wire.Outcome{}, x.broken(err)
		}
	}
}

// bound sets how long the worker may take no byte and say nothing: until the
// request's time and its grace are over, and a margin. While the host itself
// makes the worker wait no time passes.
func (s *session) bound(ctx context.Context) error {
	until := time.Now()
	deadline, ok := ctx.Deadline()
	switch {
	case ctx.Err() != nil:
	case !ok:
		return s.socket.SetDeadline(time.Time{})
	case deadline.After(until):
		until = deadline
	}
	c := s.process.cfg
	return s.socket.SetDeadline(until.Add(c.Job.grace() + c.slack()))
}

// cancel is called when the context has ended. The worker keeps deadlines by
// itself.
func (x *exchange) cancel() {
	if !errors.Is(x.ctx.Err(), context.DeadlineExceeded) {
		x.process.cancel(x.number)
		_ = x.bound(x.ctx) // of a closed socket the next read says so
	}
}

// step answers one frame. An error ends the worker.
func (x *exchange) step(kind wire.Type, payload []byte) error {
	switch kind {
	case wire.Write:
		return x.write(payload)
	case wire.Ask:
		return x.present()
	case wire.Hints:
		return x.hint(payload)
	case wire.Read:
		return x.read(payload)
	case wire.Log:
		level, text, err := wire.DecodeLog(payload)
		if err == nil {
			x.to.Log(level, text)
		}
		return err
	case wire.Print:
		from, line, err := wire.DecodePrint(payload)
		if p, ok := x.to.(sandbox.Printer); ok && err == nil {
			p.Print(sandbox.Stream(from), line)
		}
		return err
	case wire.Pause:
		if w, ok := x.to.(sandbox.Waiter); ok {
			w.Pause()
		}
		return nil
	case wire.Resume:
		if w, ok := x.to.(sandbox.Waiter); ok {
			w.Resume()
		}
		return x.goOn()
	case wire.Yield:
		if y, ok := x.to.(interface{ Yield() }); ok {
			y.Yield()
		}
		return x.goOn()
	}
	return wire.ErrMalformed
}

// goOn lets the worker run after the host has kept it waiting.
func (x *exchange) goOn() error {
	if err := x.extend(); err != nil {
		return err
	}
	return x.ack(false)
}

// extend is bound while the request's time lasts. Afterwards nothing that a
// worker says moves its end.
func (x *exchange) extend() error {
	if x.ctx.Err() != nil {
		return nil
	}
	return x.bound(x.ctx)
}

func (x *exchange) ack(gone bool) error {
	return x.conn.Send(wire.Ack, func(b []byte) []byte {
		if gone {
			return append(b, 1)
		}
		return append(b, 0)
	})
}

// write passes a piece on, and says so when the client has it.
func (x *exchange) write(payload []byte) error {
	p, err := wire.DecodePiece(payload)
	if err != nil {
		return err
	}
	gone, err := x.deliver(p)
	if err != nil {
		return err
	}
	if err := x.extend(); err != nil {
		return err
	}
	return x.ack(gone)
}

// present answers whether the client is still there.
func (x *exchange) present() error {
	p, ok := x.to.(sandbox.Presence)
	x.gone = ok && p.Gone()
	return x.ack(x.gone)
}

// hint passes early hints on.
func (x *exchange) hint(payload []byte) error {
	headers, err := abi.DecodeHints(payload)
	if x.hints++; err != nil || x.started || x.hints > abi.MaxHints {
		return errors.Join(wire.ErrMalformed, err)
	}
	h, ok := x.to.(sandbox.Hinter)
	x.gone = ok && h.Hints(headers) != nil
	if err := x.extend(); err != nil {
		return err
	}
	return x.ack(x.gone)
}

// deliver keeps the order of calls that sandbox.Responder promises, whatever
// the worker sends.
func (x *exchange) deliver(p wire.Piece) (gone bool, err error) {
	if x.started == (len(p.Head) > 0) || x.last {
		return false, wire.ErrMalformed
	}
	if !x.started {
		head, err := abi.DecodeResponseHead(p.Head)
		if err != nil {
			return false, errors.Join(wire.ErrMalformed, err)
		}
		x.started = true
		if x.to.Start(head) != nil {
			return true, nil
		}
	}
	if len(p.Body) == 0 && !p.Last {
		f, ok := x.to.(sandbox.Flusher)
		return ok && f.Flush() != nil, nil
	}
	x.last = p.Last
	return x.to.Write(p.Body, p.Last) != nil, nil
}

// read answers with a piece of the request's body, empty at its end.
func (x *exchange) read(payload []byte) error {
	want, err := wire.DecodeNumber(payload)
	if err != nil || x.body == nil || want == 0 {
		return wire.ErrMalformed
	}
	piece := make([]byte, min(want, wire.MaxPiece))
	n, err := sandbox.ReadSome(x.body, piece)
	return x.conn.Send(wire.Data, func(b []byte) []byte {
		return append(wire.AppendFailed(b, err != nil), piece[:n]...)
	})
}

// over ends the request.
func (x *exchange) over(payload []byte) (wire.Outcome, error) {
	result, err := wire.DecodeResult(payload)
	if err == nil && result.HasPiece {
		_, err = x.deliver(result.Piece)
	}
	if err == nil && result.Kind == 0 && !x.started && !x.gone {
		err = wire.ErrMalformed
	}
	return result.Outcome, err
}
