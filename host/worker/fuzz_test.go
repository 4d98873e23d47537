//go:build linux

package worker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// strict is a Responder that says when the order of its calls is broken.
type strict struct {
	t             *testing.T
	started, last bool
}

func (s *strict) Start(h abi.ResponseHead) error {
	if s.started || h.Status < 200 || h.Status > 999 {
		s.t.Errorf("Start with %d, started %v", h.Status, s.started)
	}
	for _, p := range h.Headers {
		if !abi.ValidName(p.Key) || !abi.ValidValue(p.Value) {
			s.t.Errorf("Start with the header %q: %q", p.Key, p.Value)
		}
	}
	s.started = true
	return nil
}

func (s *strict) Write(p []byte, last bool) error {
	if !s.started || s.last || len(p) > wire.MaxPiece {
		s.t.Errorf("Write of %d bytes, started %v, last %v", len(p), s.started, s.last)
	}
	s.last = last
	return nil
}

func (s *strict) Log(level abi.LogLevel, text string) {
	if !level.Valid() || strings.ToValidUTF8(text, "") != text || len(text) > 2*abi.MaxLog {
		s.t.Errorf("Log at %d with %d bytes", level, len(text))
	}
}

// said is what a worker says: the fuzzer's bytes, whatever it is answered.
type said struct{ io.Reader }

func (said) Write(p []byte) (int, error) { return len(p), nil }

func frames(f *testing.F, add func(c *wire.Conn) error) {
	f.Helper()
	var b bytes.Buffer
	if err := add(wire.NewConn(&b, wire.MaxReply)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
}

// FuzzExchange lets a worker say anything during a request. The Responder sees
// what it was promised or nothing.
func FuzzExchange(f *testing.F) {
	head, err := abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: "A", Value: "b"}}}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	frames(f, func(c *wire.Conn) error {
		return errors.Join(
			c.Send(wire.Pause, nil), c.Send(wire.Resume, nil),
			c.Send(wire.Log, func(b []byte) []byte { return wire.AppendLog(b, abi.LogErrors, "text") }),
			c.Send(wire.Read, func(b []byte) []byte { return append(b, 9, 0, 0, 0) }),
			c.Send(wire.Write, wire.Piece{Head: head, Body: []byte("body")}.Append),
			c.Send(wire.Write, wire.Piece{Last: true}.Append),
			c.Send(wire.End, wire.Result{}.Append))
	})
	frames(f, func(c *wire.Conn) error {
		return c.Send(wire.End, wire.Result{HasPiece: true, Piece: wire.Piece{Head: head, Last: true, Body: []byte("b")}}.Append)
	})
	read, write, err := os.Pipe() // for its deadlines
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { read.Close(); write.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &session{process: &process{cfg: &Config{}}, socket: read, conn: wire.NewConn(said{bytes.NewReader(b)}, wire.MaxReply)}
		x := &exchange{session: s, ctx: context.Background(), to: &strict{t: t}, body: strings.NewReader("body of the request")}
		for {
			kind, payload, err := x.conn.Read()
			if err == nil && kind == wire.End {
				if o, err := x.over(payload); err == nil && o.Kind == 0 && !x.started {
					t.Error("success without a response")
				}
				return
			}
			if err != nil || x.step(kind, payload) != nil {
				return
			}
		}
	})
}

// FuzzControl lets a worker say anything outside of requests.
func FuzzControl(f *testing.F) {
	frames(f, func(c *wire.Conn) error {
		return errors.Join(
			c.Send(wire.Jailed, func(b []byte) []byte { return append(b, `{"no_new_privs":true}`...) }),
			c.Send(wire.Line, wire.LogLine{Source: wire.FromLogger, Text: "t", Attrs: []abi.Pair{{Key: "tenant", Value: "victim"}}}.Append),
			c.Send(wire.Built, func(b []byte) []byte { return append(b, `{"Stored":true}`...) }))
	})
	frames(f, func(c *wire.Conn) error { return c.Send(wire.Failed, wire.Outcome{Kind: 1}.Append) })
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		p := &process{
			cfg:   &Config{Log: tenantlog.New(slog.New(slog.NewJSONHandler(&out, nil)), "tck", 1<<20, tenantlog.Options{})},
			cmd:   &exec.Cmd{Process: &os.Process{Pid: 1}},
			built: make(chan error, 1), wire: wire.NewConn(said{bytes.NewReader(b)}, wire.MaxReply),
		}
		for {
			kind, payload, err := p.wire.Read()
			if err != nil || p.hear(kind, payload) != nil {
				break
			}
		}
		for line := range strings.Lines(out.String()) {
			if strings.Count(line, `"tenant":"tck"`) != 1 {
				t.Errorf("a line without the tenant's name: %s", line)
			}
		}
	})
}
