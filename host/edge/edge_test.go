package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

func TestSplitTarget(t *testing.T) {
	for _, c := range []struct {
		uri, path, query string
		ok               bool
	}{
		{"/", "/", "", true},
		{"/a%2F//b?x=%3F?y#z", "/a%2F//b", "x=%3F?y#z", true},
		{"/?", "/", "", true},
		{"//host/x", "//host/x", "", true},
		{"http://h", "/", "", true},
		{"HTTPS://h?q", "/", "q", true},
		{"http://h/a?b", "/a", "b", true},
		{"ftp://h/", "", "", false},
		{"*", "", "", false},
		{"", "", "", false},
		{"h:80", "", "", false},
		{"http://", "", "", false},
		{"http:///a", "", "", false},
		{"http://?q", "", "", false},
		{"http://user@h/", "", "", false},
		{"http://user:pass@h/", "", "", false},
		{"http://h/@?@", "/@", "@", true},
	} {
		if path, query, ok := SplitTarget(c.uri); path != c.path || query != c.query || ok != c.ok {
			t.Errorf("%q: %q, %q, %v", c.uri, path, query, ok)
		}
	}
}

func FuzzSplitTarget(f *testing.F) {
	for _, s := range []string{"/a?b", "http://h/a?b", "*", "x://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		path, query, ok := SplitTarget(uri)
		if !ok {
			return
		}
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "?") {
			t.Fatalf("%q: path %q", uri, path)
		}
		if joined := path + "?" + query; !strings.Contains(uri+"?", strings.TrimPrefix(joined, "/")) {
			t.Fatalf("%q: %q and %q are not of it", uri, path, query)
		}
	})
}

// decode encodes a request and takes the message apart again.
func decode(t *testing.T, r *http.Request, c Call) map[string]string {
	t.Helper()
	message, err := NewEncoder().Encode(new(abi.Environ), r, c)
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := abi.DecodeEnviron(message)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range pairs {
		if _, twice := out[p.Key]; twice {
			t.Errorf("%s is there twice", p.Key)
		}
		out[p.Key] = p.Value
	}
	return out
}

func TestServerName(t *testing.T) {
	local := &net.TCPAddr{IP: net.ParseIP("10.0.0.1"), Port: 8000}
	for _, c := range []struct{ host, scheme, name, port string }{
		{"example.org", "http", "example.org", "80"},
		{"example.org", "https", "example.org", "443"},
		{"example.org:81", "http", "example.org", "81"},
		{"example.org:", "http", "example.org", "80"},
		{"[::1]", "http", "::1", "80"},
		{"[::1]:81", "http", "::1", "81"},
		{"", "http", "10.0.0.1", "8000"},
		{":", "http", "10.0.0.1", "8000"},
		{":80", "http", "10.0.0.1", "8000"},
		{"[]", "http", "10.0.0.1", "8000"},
		{"[]:", "http", "10.0.0.1", "8000"},
		{"[]:80", "http", "10.0.0.1", "8000"},
	} {
		r := &http.Request{Host: c.host}
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local))
		e := decode(t, r, Call{Scheme: c.scheme, Length: -1})
		if e["SERVER_NAME"] != c.name || e["SERVER_PORT"] != c.port || (e["HTTPS"] == "on") != (c.scheme == "https") {
			t.Errorf("%q: %q %q %q", c.host, e["SERVER_NAME"], e["SERVER_PORT"], e["HTTPS"])
		}
	}
	e := decode(t, &http.Request{}, Call{Scheme: "http", Length: -1})
	if e["SERVER_NAME"] != "localhost" || e["SERVER_PORT"] != "80" || e["REMOTE_ADDR"] != "" {
		t.Errorf("a UNIX socket: %v", e)
	}
}

func TestHeadersInTheEnviron(t *testing.T) {
	r := &http.Request{Header: http.Header{
		"Accept": {"a", "b"}, "X-Custom-1": {"v"}, "X_custom": {"forged"}, "Cookie": {"a=1", "b=2"}, "Proxy": {"evil"},
		"Content-Type": {"text/x"}, "Content-Length": {"99"}, "Te": {"trailers"}, "Upgrade": {"x"}, "Connection": {"close"}, "Expect": {"100-continue"},
		"Etag": {""}, "Authorization": {"Basic x"}, "X-Forwarded-For": {"1", "2"},
	}}
	e := decode(t, r, Call{Length: 5})
	for _, key := range []string{"SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO",
		"QUERY_STRING", "REQUEST_URI", "RAW_URI", "SERVER_PROTOCOL", "wsgi.url_scheme", "wsgi.request_id", "wasgi.request_id"} {
		delete(e, key)
	}
	want := map[string]string{
		"HTTP_ACCEPT": "a,b", "HTTP_X_CUSTOM_1": "v", "HTTP_COOKIE": "a=1; b=2", "CONTENT_TYPE": "text/x", "CONTENT_LENGTH": "5",
		"HTTP_ETAG": "", "HTTP_AUTHORIZATION": "Basic x", "HTTP_X_FORWARDED_FOR": "1,2",
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironThatIsTooLarge(t *testing.T) {
	r := &http.Request{Header: http.Header{"X": {strings.Repeat("x", abi.MaxMessage)}}}
	if _, err := NewEncoder().Encode(new(abi.Environ), r, Call{}); !errors.Is(err, abi.E2BIG) {
		t.Errorf("%v", err)
	}
}

func TestEveryWellKnownHeaderHasItsNumber(t *testing.T) {
	e := NewEncoder()
	for number, key := range abi.WellKnownKeys() {
		name, ok := strings.CutPrefix(key, "HTTP_")
		if !ok || key == "HTTP_HOST" || key == "HTTP_CONNECTION" {
			continue
		}
		header := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
		if got := e.headers[header]; int(got) != number {
			t.Errorf("%s is %d, want %d", header, got, number)
		}
	}
}

func TestPages(t *testing.T) {
	p := Page{Status: 503, Text: "Busy & <well>.", RequestID: "id", RetryAfter: 3, Traceback: "<b>boom</b>\n"}
	for _, c := range []struct{ accept, kind, want string }{
		{"*/*", "text/plain; charset=utf-8", "503 Service Unavailable\nBusy & <well>.\nRequest: id\n\n<b>boom</b>\n"},
		{"text/html", "text/html; charset=utf-8", "<h1>503 Service Unavailable</h1><p>Busy &amp; &lt;well&gt;.</p><pre>&lt;b&gt;boom&lt;/b&gt;\n</pre><p><small>Request id</small></p>"},
	} {
		w := httptest.NewRecorder()
		r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{})
		r.Fail(p, c.accept)
		if got := w.Body.String(); !strings.Contains(got, c.want) || w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s: %q", w.Header().Get("Content-Type"), got)
		}
		if w.Code != 503 || w.Header().Get("Retry-After") != "3" || w.Header().Get("X-Request-Id") != "id" || r.Bytes() != int64(w.Body.Len()) {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
}

// A page replaces everything that the application had said but not sent.
func TestPageAfterAStart(t *testing.T) {
	w := httptest.NewRecorder()
	r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{Buffer: 1 << 20})
	held := bytes.Repeat([]byte("held"), heldBack)
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200, Headers: []abi.Pair{{Key: "Secret", Value: "1"}}}), r.Write(held, true)); err != nil {
		t.Fatal(err)
	}
	r.Fail(Page{Status: 500, Text: "No."}, "")
	if w.Code != 500 || w.Header().Get("Secret") != "" || w.Body.String() != "500 Internal Server Error\nNo.\n" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestOrderOfCalls(t *testing.T) {
	r := newResponse(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), Options{})
	if err := r.Write([]byte("x"), false); !errors.Is(err, ErrOrder) {
		t.Errorf("Write before Start: %v", err)
	}
	if err := r.Finish(); !errors.Is(err, ErrNoStart) {
		t.Errorf("Finish before Start: %v", err)
	}
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Start(abi.ResponseHead{Status: 201}), r.Write([]byte("x"), false)); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(abi.ResponseHead{Status: 200}); !errors.Is(err, ErrOrder) || r.Status() != 201 {
		t.Errorf("Start after a byte: %v, status %d", err, r.Status())
	}
}

func TestContentLength(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   int64
		bad    bool
	}{
		{nil, unknown, false}, {[]string{"0"}, 0, false}, {[]string{"7", "7"}, 7, false},
		{[]string{"7", "8"}, 0, true}, {[]string{"-1"}, 0, true}, {[]string{"+1"}, 0, true}, {[]string{""}, 0, true},
		{[]string{"1 "}, 0, true}, {[]string{"9223372036854775808"}, 0, true},
	} {
		var headers []abi.Pair
		for _, v := range c.values {
			headers = append(headers, abi.Pair{Key: "content-LENGTH", Value: v})
		}
		got, err := contentLength(headers)
		if got != c.want || errors.Is(err, ErrLength) != c.bad {
			t.Errorf("%q: %d, %v", c.values, got, err)
		}
	}
}

// recorder counts what a Blocker is told.
type recorder struct{ paused, resumed chan struct{} }

func (r recorder) Pause()        { r.paused <- struct{}{} }
func (r recorder) Resume() error { r.resumed <- struct{}{}; return nil }

// waitingWriter blocks until the blocker was told.
type waitingWriter struct {
	*httptest.ResponseRecorder
	until chan struct{}
}

func (w waitingWriter) Write(p []byte) (int, error) {
	<-w.until
	return w.ResponseRecorder.Write(p)
}

func TestSlowWriteGivesTheSlotBack(t *testing.T) {
	b := recorder{make(chan struct{}), make(chan struct{}, 1)}
	r := newResponse(waitingWriter{httptest.NewRecorder(), b.paused}, httptest.NewRequest("GET", "/", nil), Options{})
	defer r.Bind(t.Context(), b)()
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("x"), false)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-b.resumed:
	default:
		t.Error("the slot was not taken again")
	}
}

// stuckWriter blocks every write until a deadline is set.
type stuckWriter struct {
	*httptest.ResponseRecorder
	entered   chan struct{}
	deadlines chan time.Time
}

func (w stuckWriter) Write([]byte) (int, error) {
	close(w.entered)
	<-w.deadlines
	return 0, os.ErrDeadlineExceeded
}

func (w stuckWriter) SetWriteDeadline(t time.Time) error {
	w.deadlines <- t
	return nil
}

// The end of a call ends its write; the connection gets its time back.
func TestWriteEndsWithTheCall(t *testing.T) {
	w := stuckWriter{httptest.NewRecorder(), make(chan struct{}), make(chan time.Time, 1)}
	r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	unbind := r.Bind(ctx, nil)
	go func() {
		<-w.entered
		cancel()
	}()
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("x"), true)); !errors.Is(err, ErrOver) || !errors.Is(err, ErrClientGone) {
		t.Errorf("Write: %v", err)
	}
	unbind()
	if lifted := <-w.deadlines; !lifted.IsZero() {
		t.Errorf("the deadline after the call is %v", lifted)
	}
	if r.Whole() || r.Finish() != ErrOver {
		t.Errorf("whole %v, Finish: %v", r.Whole(), r.Finish())
	}
}

// What a call has not begun to send before its end leaves room for a page.
func TestNoWriteBeginsAfterTheCall(t *testing.T) {
	w := httptest.NewRecorder()
	r := newResponse(w, httptest.NewRequest("GET", "/", nil), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer r.Bind(ctx, nil)()
	cancel()
	if err := errors.Join(r.Start(abi.ResponseHead{Status: 200}), r.Write([]byte("x"), false)); !errors.Is(err, ErrOver) {
		t.Errorf("Write: %v", err)
	}
	if r.Sent() || w.Body.Len() != 0 {
		t.Errorf("sent %v, %q", r.Sent(), w.Body)
	}
	r.Fail(Page{Status: 504, Text: "Late."}, "")
	if w.Code != 504 || w.Body.String() != "504 Gateway Timeout\nLate.\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// TestSetHeadersKeepsLinesApart: a name that comes again takes no other's value.
func TestSetHeadersKeepsLinesApart(t *testing.T) {
	h := http.Header{}
	setHeaders(h, []abi.Pair{{Key: "A", Value: "1"}, {Key: "B", Value: "2"}, {Key: "a", Value: "3"}, {Key: "C", Value: "4"}, {Key: "B", Value: "5"}})
	if got, want := fmt.Sprint(h), "map[A:[1 3] B:[2 5] C:[4] Content-Type:[]]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// newResponse answers q through w.
func newResponse(w http.ResponseWriter, q *http.Request, opts Options) *Response {
	out := new(Response)
	out.Init(w, q, opts)
	return out
}
