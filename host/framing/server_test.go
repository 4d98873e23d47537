package framing

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listening serves a handler behind a guarded listener and returns its address.
func listening(t *testing.T, handler http.Handler, report func(net.Addr, error)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute}
	done := make(chan error)
	go func() { done <- server.Serve(Listener(l, report)) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// client sends a stream and reads answers.
type client struct {
	*testing.T
	net.Conn
	in *bufio.Reader
}

func connect(t *testing.T, address, stream string) client {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, stream); err != nil {
		t.Fatal(err)
	}
	return client{t, c, bufio.NewReader(c)}
}

func (c client) status(want int) *http.Response {
	c.Helper()
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != want {
		c.Fatalf("status %d, %v, want %d", r.StatusCode, err, want)
	}
	return r
}

func (c client) ends() {
	c.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.Errorf("at the end: %q, %v", rest, err)
	}
}

// whole answers 200 to a request with a whole body, 400 to any other.
func whole(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
	}
}

// Every fault is answered by 400 and the end of the connection, after the
// requests before it and before any behind it.
func TestServerRefuses(t *testing.T) {
	address := listening(t, http.HandlerFunc(whole), nil)
	for _, c := range cases() {
		if c.fault == nil || c.name == "HTTP/3.0" || c.name == "HTTP/2 preface" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			s := connect(t, address, c.text+get)
			for range c.passes {
				s.status(200)
			}
			if r := s.status(400); !r.Close {
				t.Error("no Connection: close")
			}
			s.ends()
		})
	}
}

func TestServerRefusesOtherVersions(t *testing.T) {
	var seen []string
	address := listening(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Proto)
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusHTTPVersionNotSupported)
	}), nil)
	for _, text := range []string{"GET / HTTP/3.0\r\nHost: h\r\n\r\n" + get, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + get} {
		s := connect(t, address, text)
		s.status(505)
		s.ends()
	}
	if len(seen) != 1 || seen[0] != "HTTP/2.0" {
		t.Errorf("the handler saw %q", seen)
	}
}

func TestServerServesSoundStreams(t *testing.T) {
	address := listening(t, http.HandlerFunc(whole), nil)
	for _, c := range goodStreams() {
		s := connect(t, address, c.text)
		for range c.passes {
			s.status(200)
		}
		s.Close()
	}
}

// A fault does not disturb the request before it: its context lives on, though
// net/http reads ahead, and it is answered first.
func TestFaultWaitsForTheAnswerBeforeIt(t *testing.T) {
	reported := make(chan error, 1)
	address := listening(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// net/http reads one byte ahead at least, and that one is bad.
		if err := <-reported; !errors.Is(err, ErrRequestLine) {
			t.Errorf("reported %v", err)
		}
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request is over: %v", err)
		}
		w.WriteHeader(http.StatusAccepted)
	}), func(_ net.Addr, fault error) { reported <- fault })
	s := connect(t, address, get)
	if _, err := io.WriteString(s, "\x00"); err != nil {
		t.Fatal(err)
	}
	s.status(202)
	s.status(400)
	s.ends()
}

// A client that leaves is noticed while its request is answered.
func TestClientThatLeavesIsNoticed(t *testing.T) {
	over := make(chan error, 1)
	address := listening(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		over <- r.Context().Err()
	}), nil)
	connect(t, address, get).Close()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A fault in a body that the handler does not read ends the connection as well.
func TestFaultInABodyThatNobodyReads(t *testing.T) {
	address := listening(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for _, body := range []string{"1;x\nx\r\n0\r\n\r\n", "1\r\nxx\r\n0\r\n\r\n", "0\r\nX: y\n\r\n"} {
		s := connect(t, address, chunk+body+get)
		s.status(200)
		rest, err := io.ReadAll(s.in)
		if err != nil || len(rest) > 0 && string(rest[:12]) != "HTTP/1.1 400" {
			t.Errorf("%q: %q, %v", body, rest, err)
		}
	}
}
