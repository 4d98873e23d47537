package framing

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestPhrases has a server answer with reason phrases of its own, on one
// connection.
func TestPhrases(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(w http.ResponseWriter, r *http.Request, code int, reason string, hints bool) {
		if hints {
			w.WriteHeader(http.StatusEarlyHints)
		}
		Phrase(r.Context(), code, reason)
		w.WriteHeader(299)
		_, _ = io.WriteString(w, strings.Repeat("x", 10000))
	}
	s := &http.Server{ConnContext: Context, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/custom":
			ask(w, r, 299, "Quite \xe9 Fine", false)
		case "/hints":
			ask(w, r, 299, "After Hints", true)
		case "/other": // asked for another code than the one that came
			ask(w, r, 200, "Wrong", false)
		default:
			w.WriteHeader(299)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(Listener(inner, nil)) }() // ends with Close
	defer func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, q := range []struct{ request, want string }{
		{"GET /custom HTTP/1.1\r\nHost: a\r\n\r\n", "299 Quite \xe9 Fine"},
		{"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n", "299 status code 299"},
		{"HEAD /custom HTTP/1.1\r\nHost: a\r\n\r\n", "299 Quite \xe9 Fine"},
		{"GET /other HTTP/1.1\r\nHost: a\r\n\r\n", "299 status code 299"},
		{"GET /hints HTTP/1.1\r\nHost: a\r\n\r\n", "103 Early Hints"},
		{"", "299 After Hints"},
		{"GET /custom HTTP/1.0\r\n\r\n", "299 Quite \xe9 Fine"},
	} {
		if _, err := io.WriteString(c, q.request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: strings.SplitN(q.request+" ", " ", 2)[0]})
		if err != nil {
			t.Fatal(err)
		}
		if resp.Status != q.want {
			t.Errorf("%q: %q, want %q", q.request, resp.Status, q.want)
		}
		if resp.StatusCode == 103 {
			continue
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
	}
}

// failing is a connection that takes some bytes of a write.
type failing struct {
	net.Conn
	takes int
}

func (f failing) Write(p []byte) (int, error) {
	if len(p) <= f.takes {
		return len(p), nil
	}
	return f.takes, io.ErrClosedPipe
}

// What a write reports is counted in the bytes of its caller.
func TestPhraseCountsTheCallersBytes(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
	for takes, want := range map[int]int{0: 0, 5: 0, 17: 15, 20: 18, 1000: len(head)} {
		c := &conn{Conn: failing{takes: takes}, phrase: phrase{200, "Fine"}}
		n, err := c.Write([]byte(head))
		if n != want || (err == nil) != (takes == 1000) {
			t.Errorf("with room for %d: %d, %v, want %d", takes, n, err, want)
		}
		if c.phrase.code != 0 {
			t.Error("the phrase is still there")
		}
	}
}
