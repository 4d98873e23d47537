//go:build linux

package worker

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// attendant is one instance and its socket, in the worker. Everything happens
// in one goroutine: the host speaks only when it is asked, or when nothing runs.
type attendant struct {
	ctx      context.Context // ends when the host cancels
	conn     *wire.Conn
	instance *sandbox.Instance
	fresh    bool // put the instance back after each request
	reply    reply
}

// attend restores an instance and serves until the host closes the socket.
func attend(ctx context.Context, image *sandbox.Image, fresh bool, socket *os.File) {
	defer socket.Close()
	a := &attendant{ctx: ctx, fresh: fresh, conn: wire.NewConn(socket, wire.MaxCall)}
	in, err := image.Restore(ctx)
	if a.tell(err) != nil || err != nil {
		if in != nil {
			_ = in.Close()
		}
		return
	}
	a.instance = in
	for a.next() == nil {
	}
	// The host has gone: nobody is left to hear of a failure.
	_ = in.Close()
}

// tell says whether the instance can serve.
func (a *attendant) tell(err error) error {
	if err == nil {
		return a.conn.Send(wire.Ready, nil)
	}
	return a.conn.Send(wire.Failed, func(b []byte) []byte { return outcomeOf(err).Append(b) })
}

// next waits for an order of the host. An error ends the instance.
func (a *attendant) next() error {
	kind, payload, err := a.conn.Read()
	if err != nil {
		return err
	}
	if kind != wire.Serve {
		return wire.ErrMalformed
	}
	call, err := wire.DecodeCall(payload)
	if err != nil {
		return err
	}
	return a.serve(call)
}

func (a *attendant) serve(call wire.Call) error {
	ctx := a.ctx
	if call.Timeout != 0 {
		bounded, cancel := context.WithTimeout(ctx, call.Timeout)
		defer cancel()
		ctx = bounded
	}
	q := sandbox.Request{Environ: call.Environ}
	if call.Body {
		q.Body = &body{conn: a.conn}
	}
	a.reply = reply{conn: a.conn}
	err := a.instance.Serve(ctx, &q, &a.reply)
	return a.end(err)
}

// end sends how the request went, with what is left of the response. An
// application that wants a fresh interpreter each time has it made at once.
func (a *attendant) end(err error) error {
	r := &a.reply
	if r.broken != nil {
		return r.broken
	}
	result := wire.Result{Outcome: outcomeOf(err), HasPiece: len(r.head) > 0 || r.last}
	result.Usable = a.instance.Usable()
	result.Stats = statsOf(a.instance.Stats())
	result.Piece = wire.Piece{Head: r.head, Last: r.last, Body: r.held}
	sent := a.conn.Send(wire.End, result.Append)
	if sent != nil || !a.fresh || !result.Usable {
		return sent
	}
	return a.tell(a.instance.Reset())
}

// reply is the Responder and Waiter of one request. A complete response of one
// small piece is held until the end, so that it needs one frame; everything
// else is sent at once and waits until the host has passed it on.
type reply struct {
	conn   *wire.Conn
	start  abi.ResponseHead
	head   []byte // start, encoded; nil when it was sent
	held   []byte // the only piece, not sent yet
	last   bool   // with it: no byte follows
	broken error  // the socket failed: the host has gone
}

// Start implements sandbox.Responder.
func (r *reply) Start(h abi.ResponseHead) (err error) {
	r.start = h
	r.head, err = h.Encode()
	return err
}

// announce puts the length of a body into the head that is only sent in pieces
// because it is large: whoever gets the first piece alone cannot know it. A
// response that has no body has no such header either (RFC 9110 section 8.6).
func (r *reply) announce(length int) {
	h := r.start
	named := slices.ContainsFunc(h.Headers, func(p abi.Pair) bool { return strings.EqualFold(p.Key, "Content-Length") })
	if named || h.Status == http.StatusNoContent || h.Status == http.StatusNotModified {
		return
	}
	h.Headers = append(slices.Clone(h.Headers), abi.Pair{Key: "Content-Length", Value: strconv.Itoa(length)})
	if head, err := h.Encode(); err == nil {
		r.head = head
	}
}

// Write implements sandbox.Responder.
func (r *reply) Write(p []byte, last bool) error {
	if last && len(p) <= wire.MaxPiece && len(r.head) > 0 {
		r.held, r.last = append(r.held, p...), true
		return nil
	}
	if last && len(r.head) > 0 {
		r.announce(len(p))
	}
	for {
		piece := p[:min(len(p), wire.MaxPiece)]
		p = p[len(piece):]
		err := r.pass(wire.Piece{Head: r.head, Body: piece, Last: last && len(p) == 0})
		r.head = nil // sent, whatever became of it
		if err != nil || len(p) == 0 {
			return err
		}
	}
}

func (r *reply) pass(p wire.Piece) error { return r.ask(wire.Write, p.Append) }

// ask sends a frame that the host answers with Ack.
func (r *reply) ask(t wire.Type, fill func([]byte) []byte) error {
	r.fail(r.conn.Send(t, fill))
	gone := r.ack()
	switch {
	case r.broken != nil:
		return r.broken
	case gone:
		return sandbox.ErrClientGone
	}
	return nil
}

// Flush implements sandbox.Flusher.
func (r *reply) Flush() error {
	if len(r.head) == 0 {
		return nil
	}
	head := r.head
	r.head = nil
	return r.pass(wire.Piece{Head: head})
}

// Gone implements sandbox.Presence.
func (r *reply) Gone() bool { return r.ask(wire.Ask, nil) != nil }

// Hints implements sandbox.Hinter.
func (r *reply) Hints(headers []abi.Pair) error {
	head, err := abi.ResponseHead{Status: abi.StatusHints, Headers: headers}.Encode()
	if err != nil {
		return err
	}
	return r.ask(wire.Hints, func(b []byte) []byte { return append(b, head...) })
}

// SendFile implements sandbox.FileSender: the host is given pieces, never a
// descriptor.
func (r *reply) SendFile(f wasi.Regular, offset, size int64) error {
	if size > wire.MaxPiece && len(r.head) > 0 {
		r.announce(int(size))
	}
	return sandbox.EachPiece(f, offset, size, r.Write)
}

// ack waits for the host; true says that the client has gone.
func (r *reply) ack() bool {
	if r.broken != nil {
		return true
	}
	kind, payload, err := r.conn.Read()
	if err == nil && kind != wire.Ack {
		err = wire.ErrMalformed
	}
	if r.fail(err); err != nil {
		return true
	}
	n, err := wire.DecodeNumber(payload)
	r.fail(err)
	return n != 0
}

func (r *reply) fail(err error) { r.broken = errors.Join(r.broken, err) }

// Log implements sandbox.Responder.
func (r *reply) Log(level abi.LogLevel, text string) {
	if r.broken == nil {
		r.fail(r.conn.Send(wire.Log, func(b []byte) []byte { return wire.AppendLog(b, level, text) }))
	}
}

// Print implements sandbox.Printer.
func (r *reply) Print(s sandbox.Stream, line string) {
	if r.broken == nil {
		r.fail(r.conn.Send(wire.Print, func(b []byte) []byte { return wire.AppendPrint(b, wire.LineSource(s), line) }))
	}
}

// Pause implements sandbox.Waiter.
func (r *reply) Pause() {
	if r.broken == nil {
		r.fail(r.conn.Send(wire.Pause, nil))
	}
}

// Resume implements sandbox.Waiter: it waits until the host has a processor to
// spare.
func (r *reply) Resume() {
	if r.broken == nil {
		r.fail(r.conn.Send(wire.Resume, nil))
	}
	r.ack()
}

// Yield implements sandbox.Yielder: it waits until it is the guest's turn again.
func (r *reply) Yield() {
	if r.broken == nil {
		r.fail(r.conn.Send(wire.Yield, nil))
	}
	r.ack()
}

// body asks the host for the request's body, piece by piece.
type body struct {
	conn *wire.Conn
	over bool
}

// Read implements io.Reader. A piece that is shorter than asked for is no end.
func (d *body) Read(p []byte) (int, error) {
	if d.over {
		return 0, io.EOF
	}
	want := uint32(min(len(p), wire.MaxPiece))
	if err := d.conn.Send(wire.Read, func(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, want) }); err != nil {
		return 0, err
	}
	kind, payload, err := d.conn.Read()
	if err != nil || kind != wire.Data {
		return 0, errors.Join(wire.ErrMalformed, err)
	}
	chunk, err := wire.DecodeChunk(payload)
	switch {
	case err != nil:
		return 0, err
	case chunk.Failed || len(chunk.Body) > len(p):
		return 0, io.ErrUnexpectedEOF
	case len(chunk.Body) == 0:
		d.over = true
		return 0, io.EOF
	}
	return copy(p, chunk.Body), nil
}

// timeLeft is for the wire: how long until a deadline, at least a nanosecond.
func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(time.Until(deadline), 1)
}
