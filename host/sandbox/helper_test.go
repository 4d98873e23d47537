package sandbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/wasgi/wasgi/abi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newEngine compares all of memory after each reset.
func newEngine(t testing.TB, module []byte) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), EngineConfig{Module: module})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, e.Close(context.Background())) })
	e.verify = true
	return e
}

func build(t testing.TB, e *Engine, spec Spec) *Image {
	t.Helper()
	if spec.Grace == 0 {
		spec.Grace = -1 // most guests of the kit would not hear
	}
	im, err := e.Build(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, im.Close()) })
	return im
}

func restore(t testing.TB, im *Image) *Instance {
	t.Helper()
	in, err := im.Restore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, in.Close()) })
	return in
}

// instanceOf is an instance of a guest, with the default spec.
func instanceOf(t testing.TB, module []byte) *Instance {
	t.Helper()
	return restore(t, build(t, newEngine(t, module), Spec{Name: "tck"}))
}

func closed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("Close: %v", err)
	}
}

// recorder is a Responder that keeps everything.
type recorder struct {
	heads  []abi.ResponseHead
	body   []byte
	writes int
	last   bool
	logs   []logged

	onStart func() error
	onWrite func(p []byte) error
}

type logged struct {
	Level abi.LogLevel
	Text  string
}

func (r *recorder) Start(h abi.ResponseHead) error {
	r.heads = append(r.heads, h)
	if r.onStart != nil {
		return r.onStart()
	}
	return nil
}

func (r *recorder) Write(p []byte, last bool) error {
	r.body = append(r.body, p...)
	r.writes++
	r.last = last
	if r.onWrite != nil {
		return r.onWrite(p)
	}
	return nil
}

func (r *recorder) Log(level abi.LogLevel, text string) {
	r.logs = append(r.logs, logged{level, text})
}

// serve expects success.
func serve(t testing.TB, in *Instance, q *Request) *recorder {
	t.Helper()
	r := &recorder{}
	if err := in.Serve(t.Context(), q, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func emptyRequest() *Request { return &Request{Environ: []byte{0, 0, 0, 0}} }

// results splits a body into i32.
func results(t testing.TB, body []byte) []int32 {
	t.Helper()
	if len(body)%4 != 0 {
		t.Fatalf("a body of %d bytes", len(body))
	}
	var out []int32
	for ; len(body) > 0; body = body[4:] {
		out = append(out, int32(binary.LittleEndian.Uint32(body)))
	}
	return out
}

// wantKind expects an *Error of a kind and returns it.
func wantKind(t testing.TB, err error, kind Kind) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("got %v, want an error of kind %q", err, kind)
	}
	return e
}

// session drives an instance for tck.Check.
type session struct {
	t  testing.TB
	in *Instance
}

func (s session) Serve(environ, body []byte) (abi.ResponseHead, []byte, error) {
	r := &recorder{}
	err := s.in.Serve(s.t.Context(), &Request{Environ: environ, Body: bytes.NewReader(body)}, r)
	if err != nil || len(r.heads) != 1 {
		return abi.ResponseHead{}, nil, errors.Join(err, errors.New("no head, or more than one"))
	}
	return r.heads[0], r.body, nil
}
