package e2e

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// protocol is one way to speak HTTP: a client that shows what came over the
// wire. Another one is added to ways and nowhere else.
type protocol interface {
	// name is what SERVER_PROTOCOL must say.
	name() string
	// keeps says whether a connection serves one request after the other.
	keeps() bool
	// chunks says whether the end of a body without a length can be told from
	// the end of the connection, and a body can be sent without a length.
	chunks() bool
	// dial makes a connection that ends with the test.
	dial(t *testing.T, s site) client
}

// client is one connection.
type client interface {
	// begin sends a request and returns when its final head has come.
	begin(q query) *reply
	// ask sends a request whose answer nobody reads.
	ask(q query)
	// leave drops the connection.
	leave()
}

// query is a request. A body whose length is not to be announced is chunked.
type query struct {
	method  string // "" is GET
	path    string // below the tenant's prefix, as it goes over the wire
	headers []string
	body    string
	chunked bool
}

// reply is a response whose body is being read.
type reply struct {
	t       *testing.T
	what    string
	interim []rawHead // before the final one
	rawHead
	body io.Reader // ends with io.EOF only when the response is whole
}

// rawHead is a head as it came.
type rawHead struct {
	status int
	reason string   // after the code, "" where the protocol has none
	lines  []string // "Name: value", in their order
}

// values are those of a header, in their order.
func (h rawHead) values(name string) (found []string) {
	for _, line := range h.lines {
		if key, value, _ := strings.Cut(line, ": "); strings.EqualFold(key, name) {
			found = append(found, value)
		}
	}
	return found
}

// code compares the status.
func (r *reply) code(want int) *reply {
	r.t.Helper()
	if r.status != want {
		r.t.Fatalf("%s: status %d, want %d; %q", r.what, r.status, want, r.lines)
	}
	return r
}

// header compares all values of a header; none means that there is none.
func (r *reply) header(name string, want ...string) *reply {
	r.t.Helper()
	if got := r.values(name); !slices.Equal(got, want) {
		r.t.Errorf("%s: %s is %q, want %q", r.what, name, got, want)
	}
	return r
}

// next reads the next bytes of the body: they must come while the application
// waits for the test.
func (r *reply) next(want string) *reply {
	r.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r.body, got); err != nil || string(got) != want {
		r.t.Fatalf("%s: read %q, %v, want %q", r.what, got[:n], err, want)
	}
	return r
}

// text compares what is left of a whole body.
func (r *reply) text(want string) *reply {
	r.t.Helper()
	if got, err := io.ReadAll(r.body); err != nil || string(got) != want {
		r.t.Errorf("%s: body %q, %v, want %q", r.what, head(string(got)), err, head(want))
	}
	return r
}

// rest reads what is left of a whole body.
func (r *reply) rest() string {
	r.t.Helper()
	got, err := io.ReadAll(r.body)
	if err != nil {
		r.t.Fatalf("%s: %q, %v", r.what, head(string(got)), err)
	}
	return string(got)
}

// breaks compares what is left of a body that must not end as if it were whole.
func (r *reply) breaks(want string) {
	r.t.Helper()
	if got, err := io.ReadAll(r.body); err == nil || string(got) != want {
		r.t.Errorf("%s: body %q, then %v, want %q and no end", r.what, head(string(got)), err, head(want))
	}
}

// http1 is a connection that speaks HTTP/1 by hand.
type http1 struct {
	wire
	site    site
	version string
}

type http10 struct{}

func (http10) name() string                     { return "HTTP/1.0" }
func (http10) keeps() bool                      { return false }
func (http10) chunks() bool                     { return false }
func (http10) dial(t *testing.T, s site) client { return http1{dial(t, s), s, "HTTP/1.0"} }

type http11 struct{ secure *tls.Config } // nil is without TLS

func (http11) name() string { return "HTTP/1.1" }
func (http11) keeps() bool  { return true }
func (http11) chunks() bool { return true }
func (h http11) dial(t *testing.T, s site) client {
	return http1{secured(dial(t, s), h.secure, "http/1.1"), s, "HTTP/1.1"}
}

func (c http1) leave() { c.conn.Close() }

func (c http1) begin(q query) *reply {
	c.t.Helper()
	if q.method == "" {
		q.method = "GET"
	}
	c.ask(q)
	r := &reply{t: c.t, what: c.version + " " + q.method + " " + q.path}
	for r.rawHead = c.head(); r.status < 200; r.rawHead = c.head() {
		r.interim = append(r.interim, r.rawHead)
	}
	r.body = c.content(r, q.method)
	return r
}

func (c http1) ask(q query) {
	c.t.Helper()
	if q.method == "" {
		q.method = "GET"
	}
	lines := []string{q.method + " " + c.site.prefix + q.path + " " + c.version, "Host: " + c.site.host()}
	lines = append(lines, q.headers...)
	switch {
	case q.chunked:
		lines = append(lines, "Transfer-Encoding: chunked")
		q.body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(q.body), q.body)
	case q.body != "":
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(q.body)))
	}
	c.send("%s\r\n\r\n%s", strings.Join(lines, "\r\n"), q.body)
}

func (c http1) head() rawHead {
	c.t.Helper()
	version, status, _ := strings.Cut(c.line(), " ")
	code, reason, _ := strings.Cut(status, " ")
	number, err := strconv.Atoi(code)
	if version != c.version || err != nil || len(code) != 3 {
		c.t.Fatalf("the status line is %q %q", version, status)
	}
	h := rawHead{status: number, reason: reason}
	for line := c.line(); line != ""; line = c.line() {
		h.lines = append(h.lines, line)
	}
	return h
}

func (c http1) line() string {
	c.t.Helper()
	text, err := c.in.ReadString('\n')
	if err != nil || !strings.HasSuffix(text, "\r\n") {
		c.t.Fatalf("read a line %q, %v", text, err)
	}
	return strings.TrimSuffix(text, "\r\n")
}

// content is the body as the head frames it (RFC 9112 section 6.3).
func (c http1) content(r *reply, method string) io.Reader {
	length, coding := r.values("Content-Length"), r.values("Transfer-Encoding")
	if len(length) > 1 || len(coding) > 1 || len(length)+len(coding) > 1 {
		c.t.Fatalf("%s: the framing is %q", r.what, r.lines)
	}
	switch {
	case method == "HEAD" || r.status == 204 || r.status == 304:
		return strings.NewReader("")
	case len(coding) == 1:
		return &chunkReader{in: c.in}
	case len(length) == 1:
		n, err := strconv.ParseInt(length[0], 10, 64)
		if err != nil {
			c.t.Fatalf("%s: %v", r.what, err)
		}
		return &exactly{c.in, n}
	}
	return c.in
}

// exactly is a body of a known length.
type exactly struct {
	in   io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.in.Read(p[:min(int64(len(p)), e.left)])
	if e.left -= int64(n); errors.Is(err, io.EOF) && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunkReader is a chunked body without trailers.
type chunkReader struct {
	in   *bufio.Reader
	left int
	over bool
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.left == 0 && !c.over {
		if err := c.open(); err != nil {
			return 0, err
		}
	}
	if c.over {
		return 0, io.EOF
	}
	n, err := c.in.Read(p[:min(len(p), c.left)])
	if c.left -= n; err == nil && c.left == 0 {
		err = c.end()
	}
	return n, broken(err)
}

func (c *chunkReader) open() error {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return broken(err)
	}
	size, err := strconv.ParseUint(strings.TrimSuffix(line, "\r\n"), 16, 31)
	if err != nil {
		return fmt.Errorf("the chunk begins with %q", line)
	}
	if c.left = int(size); size > 0 {
		return nil
	}
	c.over = true
	return c.end()
}

func (c *chunkReader) end() error {
	var end [2]byte
	if _, err := io.ReadFull(c.in, end[:]); err != nil {
		return broken(err)
	}
	if string(end[:]) != "\r\n" {
		return fmt.Errorf("the chunk ends with %q", end)
	}
	return nil
}

// broken is the error of a connection that ends within a body.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
