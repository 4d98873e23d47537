package wiretest

import (
	"bytes"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Frames is a client of HTTP/2 that sends whatever it is told to.
type Frames struct {
	net.Conn
	*http2.Framer
	t       testing.TB
	text    bytes.Buffer
	encoder *hpack.Encoder
	next    uint32
}

// Speak begins HTTP/2 on a connection with these settings.
func Speak(t testing.TB, c net.Conn, settings ...http2.Setting) *Frames {
	t.Helper()
	f := &Frames{Conn: c, Framer: http2.NewFramer(c, c), t: t, next: 1}
	f.encoder = hpack.NewEncoder(&f.text)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f.Must(f.WriteSettings(settings...))
	return f
}

// Must fails the test for an error of a write.
func (f *Frames) Must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// Block encodes names and values, which stay until the next call.
func (f *Frames) Block(pairs ...string) []byte {
	f.text.Reset()
	for i := 0; i < len(pairs); i += 2 {
		_ = f.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) // into memory
	}
	return f.text.Bytes()
}

// Begin opens the next stream, whose number it returns.
func (f *Frames) Begin(end bool, pairs ...string) (uint32, error) {
	id := f.next
	f.next += 2
	return id, f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.Block(pairs...), EndStream: end, EndHeaders: true})
}

// Request is Begin that must succeed.
func (f *Frames) Request(end bool, pairs ...string) uint32 {
	f.t.Helper()
	id, err := f.Begin(end, pairs...)
	f.Must(err)
	return id
}

// Outcome is how a stream ended.
type Outcome struct {
	Status string
	Body   string
	Code   http2.ErrCode // of the reset, or of the connection's end
	Reset  bool
	Gone   bool // the connection ended before
}

// Outcome reads frames until a stream ends; those of others are passed over.
func (f *Frames) Outcome(id uint32) (out Outcome) {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			out.Gone = true
			return out
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck() // that the connection has gone is seen above
			}
		case *http2.GoAwayFrame:
			out.Code = frame.ErrCode
		case *http2.RSTStreamFrame:
			if frame.StreamID == id {
				out.Reset, out.Code = true, frame.ErrCode
				return out
			}
		case *http2.MetaHeadersFrame, *http2.DataFrame:
			if frame.Header().StreamID == id && out.take(frame) {
				return out
			}
		}
	}
}

// take adds a frame of the stream, and says whether it is the last.
func (o *Outcome) take(frame http2.Frame) bool {
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		o.Status = frame.PseudoValue("status")
		return frame.StreamEnded()
	case *http2.DataFrame:
		o.Body += string(frame.Data())
		return frame.StreamEnded()
	}
	return false
}
