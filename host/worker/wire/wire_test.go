package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// readWriter is a socket whose other end has said everything already.
type readWriter struct {
	io.Reader
	io.Writer
}

func TestFrames(t *testing.T) {
	var line bytes.Buffer
	c := NewConn(readWriter{&line, &line}, 8)
	if err := c.Send(Serve, func(b []byte) []byte { return append(b, "abc"...) }); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(Ready, nil); err != nil {
		t.Fatal(err)
	}
	want := []byte{3, 0, 0, 0, byte(Serve), 'a', 'b', 'c', 0, 0, 0, 0, byte(Ready)}
	if diff := cmp.Diff(want, line.Bytes()); diff != "" {
		t.Error(diff)
	}
	if kind, payload, err := c.Read(); kind != Serve || string(payload) != "abc" || err != nil {
		t.Errorf("%d, %q, %v", kind, payload, err)
	}
	if kind, payload, err := c.Read(); kind != Ready || len(payload) != 0 || err != nil {
		t.Errorf("%d, %q, %v", kind, payload, err)
	}
	if _, _, err := c.Read(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestBrokenFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes []byte
		want  error
	}{
		{"cut in the head", []byte{1, 0}, io.ErrUnexpectedEOF},
		{"cut after the head", []byte{1, 0, 0, 0, 1}, io.ErrUnexpectedEOF},
		{"cut in the payload", []byte{2, 0, 0, 0, 1, 7}, io.ErrUnexpectedEOF},
		{"above the limit", []byte{9, 0, 0, 0, 1}, ErrMalformed},
		{"four gigabytes", []byte{255, 255, 255, 255, 1}, ErrMalformed},
	} {
		if _, _, err := NewConn(readWriter{bytes.NewReader(c.bytes), nil}, 8).Read(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A buffer that one large frame needed is not kept.
func TestBuffersShrink(t *testing.T) {
	var line bytes.Buffer
	c := NewConn(readWriter{&line, &line}, MaxReply)
	for _, size := range []int{MaxReply, 10} {
		if err := c.Send(Write, func(b []byte) []byte { return append(b, make([]byte, size)...) }); err != nil {
			t.Fatal(err)
		}
		if _, payload, err := c.Read(); err != nil || len(payload) != size {
			t.Fatalf("%d bytes, %v", len(payload), err)
		}
	}
	if cap(c.buf) > keep || cap(c.out) > keep {
		t.Errorf("%d and %d bytes are kept", cap(c.buf), cap(c.out))
	}
}

func TestMessages(t *testing.T) {
	call := Call{Timeout: 3 * time.Second, Body: true, Environ: []byte("env")}
	if got, err := DecodeCall(call.Append(nil)); err != nil || cmp.Diff(call, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	line := LogLine{Source: FromLogger, Level: -4, Text: "text", Attrs: []abi.Pair{{Key: "a", Value: "1"}}}
	if got, err := DecodeLogLine(line.Append(nil)); err != nil || cmp.Diff(line, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	result := Result{
		Outcome: Outcome{
			Kind: 2, Usable: true, Status: -1, Code: 7, Op: "request", Detail: "d", Traceback: "t", Text: "x",
			Stats: Stats{Fuel: 1, CPU: 2, Dirty: 3, Memory: 4},
		},
		HasPiece: true, Piece: Piece{Head: []byte("head"), Last: true, Body: []byte("body")},
	}
	if got, err := DecodeResult(result.Append(nil)); err != nil || cmp.Diff(result, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := DecodeOutcome(result.Outcome.Append(nil)); err != nil || cmp.Diff(result.Outcome, got) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if level, text, err := DecodeLog(AppendLog(nil, abi.LogGateway, "t\xff")); level != abi.LogGateway || text != "t\uFFFD" || err != nil {
		t.Errorf("%d, %q, %v", level, text, err)
	}
}

func TestMalformedMessages(t *testing.T) {
	long := binary.LittleEndian.AppendUint32(nil, 1<<31)
	for _, c := range []struct {
		name   string
		decode func() error
	}{
		{"a call without its flag", func() error { _, err := DecodeCall(make([]byte, 8)); return err }},
		{"a flag of 2", func() error { _, err := DecodeChunk([]byte{2}); return err }},
		{"a head of two gigabytes", func() error { _, err := DecodePiece(long); return err }},
		{"a head above its limit", func() error {
			_, err := DecodePiece(Piece{Head: make([]byte, abi.MaxResponseHead+1)}.Append(nil))
			return err
		}},
		{"a piece above its limit", func() error { _, err := DecodePiece(Piece{Body: make([]byte, MaxPiece+1)}.Append(nil)); return err }},
		{"a text above its limit", func() error {
			b := binary.LittleEndian.AppendUint32([]byte{0, 0, 0, 0, 0}, abi.MaxLog+1)
			_, err := DecodeLogLine(append(b, make([]byte, abi.MaxLog+2)...))
			return err
		}},
		{"an unknown source", func() error { _, err := DecodeLogLine(LogLine{Source: 3}.Append(nil)); return err }},
		{"five attributes", func() error {
			b := LogLine{}.Append(nil)
			b[len(b)-1] = 5
			_, err := DecodeLogLine(append(b, make([]byte, 40)...))
			return err
		}},
		{"an unknown level", func() error { _, _, err := DecodeLog([]byte{9, 0, 0, 0}); return err }},
		{"bytes after an outcome", func() error { _, err := DecodeOutcome(append(Outcome{}.Append(nil), 0)); return err }},
		{"bytes after a result", func() error { _, err := DecodeResult(append(Result{}.Append(nil), 0)); return err }},
		{"a number of three bytes", func() error { _, err := DecodeNumber(make([]byte, 3)); return err }},
	} {
		if err := c.decode(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The largest of every message fits a frame.
func TestLimitsFit(t *testing.T) {
	text := string(make([]byte, abi.MaxLog+1))
	o := Outcome{Op: text, Detail: text, Traceback: text, Text: text}
	piece := Piece{Head: make([]byte, abi.MaxResponseHead), Body: make([]byte, MaxPiece)}
	pair := abi.Pair{Key: text, Value: text}
	line := LogLine{Source: FromLogger, Text: text, Attrs: []abi.Pair{pair, pair, pair, pair, pair}}
	for name, n := range map[string]int{
		"result": len(Result{Outcome: o, HasPiece: true, Piece: piece}.Append(nil)),
		"line":   len(line.Append(nil)),
	} {
		if n > MaxReply {
			t.Errorf("a %s takes %d bytes, above %d", name, n, MaxReply)
		}
	}
	if n := len(Call{Environ: make([]byte, abi.MaxMessage)}.Append(nil)); n > MaxCall {
		t.Errorf("a call takes %d bytes, above %d", n, MaxCall)
	}
}
