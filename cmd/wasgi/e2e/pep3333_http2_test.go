package e2e

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/wasgi/wasgi/host/wiretest"
)

// http20 speaks HTTP/2 frame by frame.
type http20 struct{ secure *tls.Config } // nil is prior knowledge, without TLS

func (http20) name() string { return "HTTP/2.0" }
func (http20) keeps() bool  { return true }
func (http20) chunks() bool { return true }

func (h http20) dial(t *testing.T, s site) client { return h.speak(t, s) }

func (h http20) speak(t *testing.T, s site) *http2Client {
	t.Helper()
	conn := secured(dial(t, s), h.secure, "h2").conn
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &http2Client{t: t, site: s, wire: wiretest.Speak(t, conn), scheme: s.scheme()}
}

// secured puts TLS, if there is a configuration, on a connection that is to speak
// the protocol.
func secured(w wire, c *tls.Config, protocol string) wire {
	w.t.Helper()
	if c == nil {
		return w
	}
	c = c.Clone()
	c.NextProtos = []string{protocol}
	conn := tls.Client(w.conn, c)
	if err := conn.HandshakeContext(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != protocol {
		w.t.Fatalf("TLS agreed on %q", got)
	}
	return wire{w.t, conn, bufio.NewReader(conn)}
}

// scheme is http or https.
func (s site) scheme() string {
	scheme, _, _ := strings.Cut(s.origin, "://")
	return scheme
}

// http2Client is a connection of which one stream is read at a time: what comes on
// others meanwhile is lost.
type http2Client struct {
	t      *testing.T
	site   site
	wire   *wiretest.Frames
	scheme string
	id     uint32 // of the stream
}

// leave resets the stream; a client behind TLS takes the connection with it, as
// browsers do that are closed.
func (c *http2Client) leave() {
	c.t.Helper()
	if c.scheme == "https" {
		c.wire.Close()
		return
	}
	c.reset()
}

func (c *http2Client) reset() {
	c.t.Helper()
	c.wire.Must(c.wire.WriteRSTStream(c.id, http2.ErrCodeCancel))
}

func (c *http2Client) begin(q query) *reply {
	c.t.Helper()
	c.ask(q)
	return c.answer(q)
}

// answer reads heads up to the final one.
func (c *http2Client) answer(q query) *reply {
	c.t.Helper()
	r := &reply{t: c.t, what: fmt.Sprintf("HTTP/2 %s %s", cmp.Or(q.method, "GET"), q.path)}
	b := &http2Body{client: c, id: c.id}
	for r.rawHead = b.head(); r.status < 200; r.rawHead = b.head() {
		r.interim = append(r.interim, r.rawHead)
	}
	r.body = b
	return r
}

// head is a request's header list: names are in small letters (RFC 9113 section
// 8.2).
func (c *http2Client) head(q query) []string {
	if q.method == "" {
		q.method = "GET"
	}
	pairs := []string{":method", q.method, ":scheme", c.scheme, ":authority", c.site.host(), ":path", c.site.prefix + q.path}
	for _, line := range q.headers {
		name, value, _ := strings.Cut(line, ":")
		pairs = append(pairs, strings.ToLower(name), strings.TrimPrefix(value, " "))
	}
	if !q.chunked && q.body != "" {
		pairs = append(pairs, "content-length", strconv.Itoa(len(q.body)))
	}
	return pairs
}

func (c *http2Client) ask(q query) {
	c.t.Helper()
	c.open(!q.chunked && q.body == "", q)
	if q.chunked || q.body != "" {
		c.send(q.body)
	}
}

// open begins a stream.
func (c *http2Client) open(end bool, q query) {
	c.t.Helper()
	c.id = c.wire.Request(end, c.head(q)...)
}

// send ends the stream with this body, which is within the window that every
// stream begins with.
func (c *http2Client) send(body string) {
	c.t.Helper()
	const frame = 16 << 10
	for ; len(body) > frame; body = body[frame:] {
		c.wire.Must(c.wire.WriteData(c.id, false, []byte(body[:frame])))
	}
	c.wire.Must(c.wire.WriteData(c.id, true, []byte(body)))
}

// http2Body is what comes on a stream. It ends with io.EOF only at END_STREAM.
type http2Body struct {
	client *http2Client
	id     uint32
	data   []byte
	end    error
}

// head reads the next head; no data may come before it.
func (b *http2Body) head() rawHead {
	b.client.t.Helper()
	frame, err := b.frame()
	fields, ok := frame.(*http2.MetaHeadersFrame)
	if !ok {
		b.client.t.Fatalf("stream %d: %v, %v instead of a head", b.id, frame, err)
	}
	code, err := strconv.Atoi(fields.PseudoValue("status"))
	if err != nil || len(fields.PseudoFields()) != 1 {
		b.client.t.Fatalf("a head has %v", fields.Fields)
	}
	h := rawHead{status: code}
	for _, f := range fields.RegularFields() {
		h.lines = append(h.lines, f.Name+": "+f.Value)
	}
	return h
}

// frame reads the next frame of the stream.
func (b *http2Body) frame() (http2.Frame, error) {
	for b.end == nil {
		frame, err := b.client.wire.ReadFrame()
		if err != nil {
			b.client.t.Fatalf("within stream %d the connection ended: %v", b.id, err)
		}
		if s, ok := frame.(*http2.SettingsFrame); ok && !s.IsAck() {
			b.client.wire.Must(b.client.wire.WriteSettingsAck())
		}
		if frame.Header().StreamID == b.id && b.note(frame) {
			return frame, nil
		}
	}
	return nil, b.end
}

// note keeps how the stream ends, and says whether the frame is one of the answer.
func (b *http2Body) note(frame http2.Frame) bool {
	switch frame := frame.(type) {
	case *http2.RSTStreamFrame: // what has come is not all
		if frame.ErrCode != http2.ErrCodeInternal {
			b.client.t.Errorf("stream %d was reset for %v", b.id, frame.ErrCode)
		}
		b.end = fmt.Errorf("the stream was reset: %v", frame.ErrCode)
	case *http2.MetaHeadersFrame:
		if frame.StreamEnded() {
			b.end = io.EOF
		}
		return true
	case *http2.DataFrame:
		if frame.StreamEnded() {
			b.end = io.EOF
		}
		return true
	}
	return false
}

// Read implements io.Reader.
func (b *http2Body) Read(p []byte) (int, error) {
	for len(b.data) == 0 {
		frame, err := b.frame()
		if err != nil {
			return 0, err
		}
		data, ok := frame.(*http2.DataFrame)
		if !ok {
			return 0, fmt.Errorf("a second head or a trailer: %v", frame)
		}
		b.data = append(b.data[:0], data.Data()...)
		b.grow(len(b.data))
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

// grow gives back what was taken of both windows.
func (b *http2Body) grow(n int) {
	if n == 0 {
		return
	}
	w := b.client.wire
	w.Must(w.WriteWindowUpdate(0, uint32(n)))
	if b.end == nil {
		w.Must(w.WriteWindowUpdate(b.id, uint32(n)))
	}
}

// refused sends a head, with a body if there is one, that must not be served, and
// compares the status, or the code of the reset.
func (h http20) refused(p pep, q query, want string, more ...string) {
	p.Helper()
	c := h.speak(p.T, p.site)
	c.refused(append(c.head(q), more...), q.body, want)
}

func (c *http2Client) refused(head []string, body, want string) {
	c.t.Helper()
	c.id = c.wire.Request(body == "", head...)
	if body != "" {
		c.send(body)
	}
	out := c.wire.Outcome(c.id)
	got := out.Status
	if out.Reset && want[0] > '9' { // whether a page came before is a matter of time
		got = out.Code.String()
	}
	if got != want || out.Gone {
		c.t.Errorf("%q: %+v, want %s", head, out, want)
	}
}

// hostNeeded: :authority is the Host header, which may say it again.
func (h http20) hostNeeded(p pep) {
	c := h.speak(p.T, p.site)
	bare := []string{":method", "GET", ":scheme", c.scheme, ":path", p.site.prefix + "/environ"}
	c.refused(bare, "", "400")
	c.refused(append(bare, "host", "a", "host", "a"), "", "400")
	c.refused(append(c.head(query{path: "/environ"}), "host", "other.example"), "", "400")
}

// oddFraming: a body whose headers say something else than its frames.
func (h http20) oddFraming(p pep) {
	q := query{method: "POST", path: "/input?i.read()", chunked: true, body: "12345"}
	h.refused(p, q, "400", "transfer-encoding", "chunked")
	h.refused(p, q, "400", "content-length", "5", "content-length", "5")
	h.refused(p, q, "400", "content-length", "6")
	h.refused(p, q, "PROTOCOL_ERROR", "content-length", "4")
	for _, connection := range []string{"connection", "keep-alive", "proxy-connection", "upgrade"} {
		h.refused(p, q, "400", connection, "x")
	}
	h.refused(p, q, "400", "te", "gzip")
	q.body, q.chunked = "", false // what comes for a stream that was no request ends the connection
	h.refused(p, q, "400", "content-length", "0x5")
	h.refused(p, q, "PROTOCOL_ERROR", "X-Upper", "1")
	h.refused(p, q, "PROTOCOL_ERROR", "x", "1\r\n folded")
}

// waitForContinue is a client that waits for the word.
func (h http20) waitForContinue(p pep) {
	c := h.speak(p.T, p.site)
	q := query{method: "POST", path: "/input?i.read()", headers: []string{"Expect: 100-continue", "Content-Length: 4"}}
	c.open(false, q)
	if word := (&http2Body{client: c, id: c.id}).head(); word.status != 100 || len(word.lines) > 0 {
		p.Errorf("the word is %+v", word)
	}
	c.send("body")
	c.answer(q).code(200).text("b'body'\n")
}

// sharedConnection: of the requests on a connection one waits, one is left by its
// client and one breaks, and none of that matters to another.
func sharedConnection(p pep) {
	c, from := p.proto.(http20).speak(p.T, p.site), p.mark()
	gate, left := p.gate("shared"), p.gate("left")
	waiting := c.begin(query{path: "/pieces?" + gate}).code(200).next("piece 1")
	c.begin(query{path: "/length?list"}).code(200).text("one")
	p.open(gate + "-2")
	waiting.next("piece 2")
	c.begin(query{path: "/close?leaves&" + left}).code(200).next("one")
	c.reset()
	p.open(left)
	p.once("closed leaves&"+left+" iter", from)
	c.begin(query{path: "/fails?late"}).code(200).breaks("half")
	p.open(gate + "-3")
	waiting.text("piece 3")
	c.begin(query{path: "/length?list"}).code(200).text("one")
}
