package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestProtocol sends what clients send beyond plain requests.
func TestProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve(t, launch{root: w.rootOf(t, "bare")}, "bare").site(t, "bare")
	t.Run("continue", func(t *testing.T) { protocolContinue(t, s) })
	t.Run("chunked", func(t *testing.T) { protocolChunked(t, s) })
	t.Run("head", func(t *testing.T) { protocolHead(t, s) })
	t.Run("pipeline", func(t *testing.T) { protocolPipeline(t, s) })
	t.Run("refused", func(t *testing.T) { protocolRefused(t, s) })
	t.Run("old", func(t *testing.T) { protocolOld(t, s) })
}

// protocolContinue waits for the word before it sends the body, and is spared
// a body that is too large.
func protocolContinue(t *testing.T, s site) {
	c := dial(t, s)
	c.send("POST /bare/echo HTTP/1.1\r\nHost: %s\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n", s.host())
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	c.send("hello\n")
	c.answers(http.MethodPost).status(200).text(hello)

	c = dial(t, s)
	c.send("POST /bare/echo HTTP/1.1\r\nHost: %s\r\nContent-Length: 70000000\r\nExpect: 100-continue\r\n\r\n", s.host())
	c.answers(http.MethodPost).status(413)
}

// protocolChunked sends bodies without a length, all on one connection.
func protocolChunked(t *testing.T, s site) {
	c := dial(t, s)
	for _, extra := range []string{"Trailer: X-End\r\n", "", "Expect: 100-continue\r\n"} {
		c.send("POST /bare/echo HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n%s\r\n", s.host(), extra)
		if strings.HasPrefix(extra, "Expect") {
			c.expect("HTTP/1.1 100 Continue\r\n\r\n")
		}
		c.send("3;note=x\r\nabc\r\n")
		c.send("4\r\ndefg\r\n0\r\nX-End: yes\r\n\r\n")
		c.answers(http.MethodPost).status(200).length(7).text("abcdefg")
	}
}

// protocolHead must find the connection in step after answers without a body.
func protocolHead(t *testing.T, s site) {
	c := dial(t, s)
	for _, path := range []string{"/bare/", "/bare/stream", "/bare/write", "/bare/status/418", "/bare/fail"} {
		c.send("HEAD %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, s.host())
		c.answers(http.MethodHead).text("")
	}
	for _, path := range []string{"/bare/status/204", "/bare/status/304"} {
		c.send("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, s.host())
		c.answers(http.MethodGet).text("")
	}
	c.send("GET /bare/ HTTP/1.1\r\nHost: %s\r\n\r\n", s.host())
	c.answers(http.MethodGet).status(200).text("Hello from WSGI!\n")
}

// protocolPipeline has an empty line before two of its requests (RFC 9112 section
// 2.2).
func protocolPipeline(t *testing.T, s site) {
	c := dial(t, s)
	c.send("\r\nGET /bare/status/418 HTTP/1.1\r\nHost: %[1]s\r\n\r\nPOST /bare/echo HTTP/1.1\r\nHost: %[1]s\r\nContent-Length: 3\r\n\r\nabc\r\nGET /bare/ HTTP/1.1\r\nHost: %[1]s\r\n\r\n", s.host())
	c.answers(http.MethodGet).status(418)
	c.answers(http.MethodPost).status(200).text("abc")
	c.answers(http.MethodGet).status(200).text("Hello from WSGI!\n")
}

func protocolRefused(t *testing.T, s site) {
	for _, c := range []struct {
		text   string
		status int
	}{
		{"GET /bare/ HTTP/1.1\r\n\r\n", 400},
		{"GET /bare/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"POST /bare/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"POST /bare/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
		{"POST /bare/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
		{"POST /bare/echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400},
		{"GET /bare/ HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", 400},
		{"GET /bare/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	} {
		w := dial(t, s)
		w.send("%s", c.text)
		a := w.answers(http.MethodGet)
		a.what = c.text
		a.status(c.status).lacks("Hello")
	}
}

// protocolOld speaks HTTP/1.0: the connection's end is the response's.
func protocolOld(t *testing.T, s site) {
	c := dial(t, s)
	c.send("GET /bare/stream HTTP/1.0\r\nHost: %s\r\n\r\n", s.host())
	a := c.answers(http.MethodGet).status(200).text(chunks)
	if len(a.resp.TransferEncoding) > 0 {
		t.Errorf("HTTP/1.0 was answered with Transfer-Encoding %v", a.resp.TransferEncoding)
	}
}
