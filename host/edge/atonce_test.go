package edge

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// TestSmallBodiesArePassedOn: to net/http, where it keeps them, and only whole ones.
func TestSmallBodiesArePassedOn(t *testing.T) {
	same := func(w http.ResponseWriter) http.ResponseWriter { return w }
	for _, c := range []struct {
		name  string
		size  int
		edit  func(*http.Request)
		setup func(*Response)
		kept  int
	}{
		{"five bytes", 5, nil, nil, 0},
		{"no byte", 0, nil, nil, 0},
		{"as many as net/http holds back", heldBack, nil, nil, 0},
		{"one more", heldBack + 1, nil, nil, 1},
		{"HTTP/2", 5, func(q *http.Request) { q.ProtoMajor, q.ProtoMinor = 2, 0 }, nil, 1},
		{"something in between, a compressor", 5, nil, func(r *Response) { r.Through(same) }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, w, q := &keeper{}, httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			if c.edit != nil {
				c.edit(q)
			}
			r := newResponse(w, q, Options{Buffer: 1 << 20, Keep: k.keep})
			if c.setup != nil {
				c.setup(r)
			}
			body := strings.Repeat("x", c.size)
			err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte(body), true))
			if err := errors.Join(err, r.Finish(), r.Close()); err != nil || w.Body.String() != body || r.Bytes() != int64(c.size) {
				t.Errorf("%d bytes, counted %d, %v", w.Body.Len(), r.Bytes(), err)
			}
			if k.kept != c.kept {
				t.Errorf("kept %d times, want %d", k.kept, c.kept)
			}
		})
	}
}

// TestASmallBodyThatIsShortIsNotPassedOn: its request gets a page instead.
func TestASmallBodyThatIsShortIsNotPassedOn(t *testing.T) {
	w := httptest.NewRecorder()
	r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{Buffer: 1 << 20})
	head := abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: "Content-Length", Value: "6"}}}
	if err := errors.Join(r.Start(head), r.Write([]byte("short"), true)); err != nil || r.Sent() {
		t.Fatalf("sent %v, %v", r.Sent(), err)
	}
	if err := r.Finish(); !errors.Is(err, ErrShort) {
		t.Fatal(err)
	}
	r.Fail(Page{Status: 500, Text: "No."}, "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "short") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestASmallBodyWhoseClientLeft was never sent, and the access log says so.
func TestASmallBodyWhoseClientLeft(t *testing.T) {
	r := newResponse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Options{Buffer: 1 << 20})
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("small"), true)); err != nil || !r.Passed() || r.Bytes() != 5 {
		t.Fatalf("passed %v, %d bytes, %v", r.Passed(), r.Bytes(), err)
	}
	if err := r.Abandon(); !errors.Is(err, ErrClientGone) || r.Status() != 0 || r.Bytes() != 0 || r.Passed() {
		t.Errorf("%v, status %d, %d bytes, passed %v", err, r.Status(), r.Bytes(), r.Passed())
	}
	if err := r.Finish(); !errors.Is(err, ErrClientGone) {
		t.Error(err)
	}
}

// counted counts what is written to its connections.
type counted struct {
	net.Listener
	writes atomic.Int64
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countedConn{c, l}, err
}

type countedConn struct {
	net.Conn
	l *counted
}

func (c countedConn) Write(p []byte) (int, error) {
	c.l.writes.Add(1)
	return c.Conn.Write(p)
}

// TestHeldBack is what atOnce builds on: net/http writes nothing of so much while its
// handler runs.
func TestHeldBack(t *testing.T) {
	early := make(chan int64, 1)
	var l counted
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, heldBack))
		if err != nil {
			t.Error(err)
		}
		early <- l.writes.Load()
	}))
	l.Listener = s.Listener
	s.Listener = &l
	s.Start()
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || len(body) != heldBack {
		t.Errorf("%d bytes, %v", len(body), err)
	}
	if n := <-early; n != 0 {
		t.Errorf("%d writes while the handler ran", n)
	}
}
