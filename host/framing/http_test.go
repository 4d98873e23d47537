package framing

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// source is a connection that delivers a stream in pieces and counts.
type source struct {
	net.Conn
	rest []byte
	size int
}

func (s *source) RemoteAddr() net.Addr { return &net.TCPAddr{} }

func (s *source) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.size)], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// counter counts what a reader took.
type counter struct {
	io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// parse has net/http read a guarded stream as its server does. It returns where
// requests ended and why there was no other.
func parse(stream []byte, size int) (ends []int, err error) {
	in := &counter{Reader: &conn{Conn: &source{rest: stream, size: size}}}
	br := bufio.NewReader(in)
	last := ""
	for {
		if last == http.MethodPost { // conn.readRequest: tolerance for old clients
			peek, _ := br.Peek(4)
			_, _ = br.Discard(len(peek) - len(bytes.TrimLeft(peek, "\r\n")))
		}
		r, err := http.ReadRequest(br)
		if err != nil {
			return ends, err
		}
		if r.ProtoMajor != 1 {
			return ends, ErrVersion
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return ends, err
		}
		last = r.Method
		ends = append(ends, in.n-br.Buffered())
	}
}

// agree holds the invariant of the package for one stream.
func agree(t *testing.T, stream []byte, size int) {
	t.Helper()
	_, ends, fault := follow(stream, 1)
	got, err := parse(stream, size)
	if len(got) > len(ends) {
		t.Fatalf("%q\nnet/http read %d requests, the guard passed %d", stream, len(got), len(ends))
	}
	for i, end := range got {
		if end != ends[i] {
			t.Fatalf("%q\nrequest %d ends at %d for net/http, at %d for the guard", stream, i, end, ends[i])
		}
	}
	if silent := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); fault != nil && silent {
		t.Fatalf("%q\nthe guard found %v, and net/http believes that the client has gone: %v", stream, fault, err)
	}
}

func TestNetHTTPAgrees(t *testing.T) {
	for _, c := range cases() {
		agree(t, []byte(c.text), 1)
		agree(t, []byte(c.text), 1<<20)
	}
}

// net/http reads every sound stream to its end.
func TestNetHTTPReadsWhatPasses(t *testing.T) {
	for _, c := range append(goodStreams(), emptyLines()...) {
		if ends, err := parse([]byte(c.text), 5); len(ends) != c.passes {
			t.Errorf("%s: net/http read %d requests, want %d: %v", c.name, len(ends), c.passes, err)
		}
	}
}

func FuzzNetHTTPAgrees(f *testing.F) {
	for _, c := range cases() {
		f.Add([]byte(c.text), 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if len(stream) > 1<<16 {
			t.Skip()
		}
		size = max(1, size&0xfff)
		passed, _, fault := follow(stream, 1)
		if p, _, fa := follow(stream, size); p != passed || !errors.Is(fa, fault) {
			t.Fatalf("%q in pieces of %d: %d bytes and %v, want %d and %v", stream, size, p, fa, passed, fault)
		}
		agree(t, stream, 1)
		agree(t, stream, size)
		agree(t, stream, 1<<20)
	})
}
