package edge

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/abi"
)

// testFile is a File that counts what becomes of it.
type testFile struct {
	*strings.Reader
	lasts        bool
	kept, closed int
}

func (f *testFile) Keep() (KeptFile, error) {
	if !f.lasts {
		return nil, errors.ErrUnsupported
	}
	f.kept++
	return f, nil
}

func (f *testFile) Section(offset, size int64) io.Reader { return io.NewSectionReader(f, offset, size) }

func (f *testFile) Close() error {
	f.closed++
	return nil
}

func newFile(size int, lasts bool) *testFile {
	return &testFile{Reader: strings.NewReader(strings.Repeat("x", size)), lasts: lasts}
}

// sent gives a response the file from offset 1 on and returns what is on the wire
// before Finish.
func sent(t *testing.T, method string, f *testFile, size int64, headers ...abi.Pair) (*Response, *httptest.ResponseRecorder, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := newResponse(w, httptest.NewRequest(method, "/", nil), Options{Buffer: 1 << 20})
	err := errors.Join(r.Start(abi.ResponseHead{Status: 200, Headers: headers}), r.WriteFile(f, 1, size, func(write func([]byte, bool) error) error {
		half := make([]byte, size/2)
		if _, err := f.ReadAt(half, 1); err != nil {
			return err
		}
		return errors.Join(write(half, false), write(make([]byte, size-size/2), true))
	}))
	if err != nil {
		t.Fatal(err)
	}
	return r, w, w.Body.String()
}

func TestFiles(t *testing.T) {
	const large = 2 << 20
	for _, c := range []struct {
		name         string
		method       string
		size         int
		lasts        bool
		before, body int // bytes on the wire before Finish and after it
		kept         int
	}{
		{"nothing", "GET", 1, true, 0, 0, 0},
		{"a small one is read", "GET", smallFile + 1, true, 0, smallFile, 0},
		{"a larger one waits for its guest", "GET", smallFile + 2, true, 0, smallFile + 1, 1},
		{"one that does not last is read", "GET", smallFile + 2, false, 0, smallFile + 1, 0},
		{"a large one that does not last is sent at once", "GET", large, false, large - 1, large - 1, 0},
		{"HEAD", "HEAD", large, true, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFile(c.size, c.lasts)
			r, w, before := sent(t, c.method, f, int64(c.size-1))
			if err := errors.Join(r.Finish(), r.Close(), r.Close()); err != nil {
				t.Fatal(err)
			}
			if len(before) != c.before || w.Body.Len() != c.body || f.kept != c.kept || f.closed != c.kept {
				t.Errorf("%d bytes before Finish, %d in all, kept %d, closed %d", len(before), w.Body.Len(), f.kept, f.closed)
			}
			if got := w.Header().Get("Content-Length"); got != strconv.Itoa(c.size-1) {
				t.Errorf("Content-Length %s", got)
			}
		})
	}
}

// A file that was cut while it waited breaks the response.
func TestFileThatBecomesShorter(t *testing.T) {
	f := newFile(smallFile*2, true)
	r, _, _ := sent(t, "GET", f, smallFile*2-1)
	f.Reset("short")
	if err := r.Finish(); !errors.Is(err, ErrFileShort) || !r.Sent() {
		t.Errorf("Finish: %v, sent %v", err, r.Sent())
	}
	r = newResponse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Options{Buffer: 10})
	err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.WriteFile(newFile(3, true), 0, 4, nil))
	if !errors.Is(err, ErrFileShort) || r.Sent() {
		t.Errorf("a small one: %v, sent %v", err, r.Sent())
	}
}

func TestFileOutOfOrder(t *testing.T) {
	r := newResponse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Options{Buffer: 10})
	if err := r.WriteFile(newFile(3, true), 0, 3, nil); !errors.Is(err, ErrOrder) {
		t.Errorf("before Start: %v", err)
	}
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("all"), true)); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteFile(newFile(3, true), 0, 3, nil); !errors.Is(err, ErrClientGone) || !r.Overrun() {
		t.Errorf("after the last byte: %v", err)
	}
}

// leaving is a response to a client that leaves when leave is called.
func leaving(t *testing.T, proto string) (r *Response, w *httptest.ResponseRecorder, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	q := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	q.Proto, q.ProtoMajor, q.ProtoMinor = proto, int(proto[5]-'0'), int(proto[7]-'0')
	w = httptest.NewRecorder()
	return newResponse(w, q, Options{}), w, cancel
}

func TestClientThatLeaves(t *testing.T) {
	r, w, leave := leaving(t, "HTTP/1.1")
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("one"), false)); err != nil || r.Left() {
		t.Fatal(err, r.Left())
	}
	leave()
	if err := r.Write([]byte("two"), false); !errors.Is(err, ErrClientGone) || !r.Left() || w.Body.String() != "one" {
		t.Errorf("Write: %v, left %v, sent %q", err, r.Left(), w.Body)
	}
	if err := r.Flush(); !errors.Is(err, ErrClientGone) {
		t.Errorf("Flush: %v", err)
	}
}

func TestFlushSendsTheHead(t *testing.T) {
	r, w, _ := leaving(t, "HTTP/1.1")
	if err := r.Flush(); !errors.Is(err, ErrOrder) {
		t.Errorf("before Start: %v", err)
	}
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 201}), r.Flush(), r.Flush()); err != nil || w.Code != 201 || !w.Flushed || !r.Sent() {
		t.Errorf("%v, status %d, flushed %v", err, w.Code, w.Flushed)
	}
}

// interim writes down the heads that a server would send.
type interim struct {
	*httptest.ResponseRecorder
	heads []http.Header
}

func (w *interim) WriteHeader(code int) {
	if code < 200 {
		w.heads = append(w.heads, w.Header().Clone())
		return
	}
	w.ResponseRecorder.WriteHeader(code)
}

func TestHints(t *testing.T) {
	hints := []abi.Pair{{Key: "Link", Value: "a"}, {Key: "Link", Value: "b"}, {Key: "Connection", Value: "close"}, {Key: "content-length", Value: "5"}}
	for _, c := range []struct {
		proto string
		heads int
	}{{"HTTP/1.0", 0}, {"HTTP/1.1", 1}, {"HTTP/2.0", 1}} {
		r, rec, leave := leaving(t, c.proto)
		w := &interim{ResponseRecorder: rec}
		r.w = w
		if err := r.Hints(hints); err != nil || len(w.heads) != c.heads || len(w.Header()) != 0 {
			t.Fatalf("%s: %v, %v, then %v", c.proto, err, w.heads, w.Header())
		}
		if c.heads == 0 {
			continue
		}
		if h := w.heads[0]; len(h) != 1 || strings.Join(h["Link"], " ") != "a b" {
			t.Errorf("%s: %v", c.proto, h)
		}
		if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Flush()); err != nil {
			t.Fatal(err)
		}
		if err := r.Hints(hints); !errors.Is(err, ErrOrder) {
			t.Errorf("%s: after the head: %v", c.proto, err)
		}
		leave()
		r, _, leave = leaving(t, c.proto)
		leave()
		if err := r.Hints(hints); !errors.Is(err, ErrClientGone) {
			t.Errorf("%s: to nobody: %v", c.proto, err)
		}
	}
}

func TestPhrases(t *testing.T) {
	for _, c := range []struct {
		proto  string
		code   int
		reason string
		want   string
	}{
		{"HTTP/1.1", 299, "Custom", "Custom"}, {"HTTP/1.0", 200, "Fine", "Fine"}, {"HTTP/1.1", 200, "OK", ""}, {"HTTP/1.1", 200, "", ""}, {"HTTP/2.0", 299, "Custom", ""},
	} {
		r, _, _ := leaving(t, c.proto)
		got := ""
		r.opts.Phrase = func(_ context.Context, code int, reason string) {
			if code != c.code {
				t.Errorf("asked for status %d", code)
			}
			got = reason
		}
		if err := errors.Join(r.Start(abi.ResponseHead{Status: c.code, Reason: c.reason}), r.Flush()); err != nil || got != c.want {
			t.Errorf("%s %d %q: %q, %v, want %q", c.proto, c.code, c.reason, got, err, c.want)
		}
	}
}

func TestTraceID(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for value, want := range map[string]string{
		"00-" + id + "-00f067aa0ba902b7-01":                      id,
		"cc-" + id + "-00f067aa0ba902b7-01-more":                 id,
		"00-" + id + "-00f067aa0ba902b7-01-more":                 "",
		"ff-" + id + "-00f067aa0ba902b7-01":                      "",
		"00-" + strings.ToUpper(id) + "-00f067aa0ba902b7-01":     "",
		"00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01": "",
		"00-" + id + "-0000000000000000-01":                      "",
		"00-" + id + "-00f067aa0ba902b7":                         "",
		"00_" + id + "-00f067aa0ba902b7-01":                      "",
		"":                                                       "",
	} {
		if got := TraceID(http.Header{"Traceparent": {value}}); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
	valid := "00-" + id + "-00f067aa0ba902b7-01"
	if got := TraceID(http.Header{"Traceparent": {valid, valid}}) + TraceID(http.Header{}); got != "" {
		t.Errorf("twice or never: %q", got)
	}
}
