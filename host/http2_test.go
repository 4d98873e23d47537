package host

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/wiretest"
)

func http2At(t *testing.T, edit func(*Config)) func(*Config) {
	t.Helper()
	secure := secureAt(t, "a.example", "b.example")
	return func(c *Config) {
		secure(c)
		if edit != nil {
			edit(c)
		}
	}
}

func TestEnvironOverHTTP2(t *testing.T) {
	seen := make(chan map[string]string, 1)
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error {
		seen <- c.environ
		return c.say(200, "hello", "X-A", "1", "Connection", "close", "Keep-Alive", "x", "Transfer-Encoding", "chunked", "Set-Cookie", "a=1", "set-cookie", "b=2")
	}})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	id := f.Request(true, get("/app/x%2Fy//?q=1", "cookie", "a=1", "cookie", "b=2", "te", "trailers", "x-a", "1", "x-a", "2", "x_b", "3", "proxy", "evil")...)
	var got *http2.MetaHeadersFrame
	for got == nil {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := frame.(*http2.MetaHeadersFrame); ok && h.StreamID == id {
			got = h
		}
	}
	var names []string
	for _, h := range got.Fields {
		if h.Name != "date" {
			names = append(names, h.Name+": "+h.Value)
		}
	}
	slices.Sort(names)
	want := []string{":status: 200", "content-length: 5", "server: wasgi", "set-cookie: a=1", "set-cookie: b=2", "x-a: 1"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	e := <-seen
	for _, key := range []string{"wasgi.request_id", "REMOTE_PORT"} {
		if e[key] == "" {
			t.Errorf("no %s", key)
		}
		delete(e, key)
	}
	if diff := cmp.Diff(map[string]string{
		"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app", "PATH_INFO": "/x/y//", "QUERY_STRING": "q=1", "REQUEST_URI": "/app/x%2Fy//?q=1",
		"RAW_URI": "/app/x%2Fy//?q=1", "SERVER_PROTOCOL": "HTTP/2.0", "SERVER_NAME": "a.example", "SERVER_PORT": "443",
		"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "https", "HTTPS": "on", "HTTP_HOST": "a.example",
		"SSL_PROTOCOL": "TLSv1.3", "SSL_CIPHER": "TLS_AES_128_GCM_SHA256", "SSL_TLS_SNI": "a.example",
		"HTTP_COOKIE": "a=1; b=2", "HTTP_X_A": "1,2",
	}, e); diff != "" {
		t.Error(diff)
	}
}

// The scheme is that of the connection, whatever the client calls it.
func TestSchemeIsTheConnections(t *testing.T) {
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error {
		return c.say(200, c.environ["wsgi.url_scheme"]+" "+c.environ["HTTPS"]+" "+c.environ["SSL_PROTOCOL"])
	}})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	id := f.Request(true, ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/app")
	if got := f.Outcome(id); got.Body != "https on TLSv1.3" {
		t.Errorf("%+v", got)
	}
}

func TestBodiesOverHTTP2(t *testing.T) {
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.MaxBody = 100 }), app: echoBody})
	r.event(EventReady, "app")
	post := func(more ...string) []string {
		return append([]string{":method", "POST", ":scheme", "https", ":authority", "a.example", ":path", "/app"}, more...)
	}
	for name, c := range map[string]struct {
		head []string
		data string
		end  bool // with the head
		want wiretest.Outcome
	}{
		"none":             {get("/app"), "", true, wiretest.Outcome{Status: "200", Body: "none:"}},
		"none, announced":  {post("content-length", "0"), "", true, wiretest.Outcome{Status: "200", Body: "0:"}},
		"empty":            {post(), "", false, wiretest.Outcome{Status: "200", Body: "0:"}},
		"unannounced":      {post(), "abc", false, wiretest.Outcome{Status: "200", Body: "3:abc"}},
		"announced":        {post("content-length", "3"), "abc", false, wiretest.Outcome{Status: "200", Body: "3:abc"}},
		"too large":        {post("content-length", "101"), "", false, wiretest.Outcome{Status: "413"}},
		"grows too large":  {post(), strings.Repeat("x", 101), false, wiretest.Outcome{Status: "413"}},
		"too short":        {post("content-length", "4"), "abc", false, wiretest.Outcome{Status: "400"}},
		"too long":         {post("content-length", "2"), "abc", false, wiretest.Outcome{Reset: true, Code: http2.ErrCodeProtocol}},
		"announced, none":  {post("content-length", "3"), "", true, wiretest.Outcome{Status: "400"}},
		"two lengths":      {post("content-length", "3", "content-length", "3"), "abc", false, wiretest.Outcome{Status: "400"}},
		"no length":        {post("content-length", "x"), "", false, wiretest.Outcome{Status: "400"}},
		"a signed length":  {post("content-length", "+0"), "", false, wiretest.Outcome{Status: "400"}},
		"continue":         {post("expect", "100-continue", "content-length", "3"), "abc", false, wiretest.Outcome{Status: "200", Body: "3:abc"}},
		"chunked":          {post("transfer-encoding", "chunked"), "abc", false, wiretest.Outcome{Status: "400"}},
		"a closing client": {get("/app", "connection", "close"), "", true, wiretest.Outcome{Status: "400"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := wiretest.Speak(t, r.secure("a.example", "h2"))
			id := f.Request(c.end, c.head...)
			if !c.end {
				f.Must(f.WriteData(id, true, []byte(c.data)))
			}
			got := f.Outcome(id)
			if c.want.Body == "" {
				got.Body = ""
			}
			if c.want.Reset { // whether a page came before is a matter of time
				got.Status = ""
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What HTTP/1 refuses HTTP/2 refuses, and the connection serves others.
func TestRefusedOverHTTP2(t *testing.T) {
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.MaxHeaders, c.MaxLine, c.MaxHeaderBytes = 20, 1024, 8<<10 }),
		app: func(c fakeCall) error { return c.say(200, "served") }})
	r.event(EventReady, "app")
	many := get("/app")
	for i := range 21 {
		many = append(many, "x-"+strconv.Itoa(i), "1")
	}
	var large []string
	for i := range 5 {
		large = append(large, "x-"+strconv.Itoa(i), strings.Repeat("x", 1000))
	}
	head := func(method, authority, path string, more ...string) []string {
		return append([]string{":method", method, ":scheme", "https", ":authority", authority, ":path", path}, more...)
	}
	f := wiretest.Speak(t, r.secure("", "h2"))
	for name, c := range map[string]struct {
		head []string
		want string
	}{
		"many headers":        {many, "431"},
		"a long header":       {get("/app", "x", strings.Repeat("x", 1024)), "431"},
		"large headers":       {get("/app", large...), "431"},
		"a long path":         {get("/app?" + strings.Repeat("x", 1024)), "414"},
		"TRACE":               {head("TRACE", "a.example", "/app"), "405"},
		"CONNECT":             {[]string{":method", "CONNECT", ":authority", "a.example:443"}, "405"},
		"PRI":                 {head("PRI", "a.example", "/app"), "505"},
		"another host":        {get("/app", "host", "b.example"), "400"},
		"the host again":      {get("/app", "host", "A.example"), "200"},
		"two hosts":           {[]string{":method", "GET", ":scheme", "https", ":path", "/app", "host", "a.example", "host", "b.example"}, "400"},
		"a host alone":        {[]string{":method", "GET", ":scheme", "https", ":path", "/app", "host", "a.example"}, "200"},
		"no host":             {[]string{":method", "GET", ":scheme", "https", ":path", "/app"}, "400"},
		"an empty host":       {[]string{":method", "GET", ":scheme", "https", ":path", "/app", "host", ""}, "200"},
		"a host that is none": {head("GET", "a/b", "/app"), "400"},
		"an absolute path":    {get("https://a.example/app"), "400"},
		"a space":             {get("/app/a b"), "400"},
		"a star":              {get("*"), "400"},
		"OPTIONS *":           {head("OPTIONS", "a.example", "*"), "200"},
		"a web socket":        {head("CONNECT", "a.example", "/app", ":protocol", "websocket"), ""},
		"no path":             {[]string{":method", "GET", ":scheme", "https", ":authority", "a.example"}, ""},
		"user and password":   {head("GET", "u:p@a.example", "/app"), ""},
		"a bad escape":        {get("/app/%zz"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := f.Outcome(f.Request(true, c.head...))
			if got.Status != c.want || got.Gone || got.Reset != (c.want == "") {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
	if got := f.Outcome(f.Request(true, get("/app")...)); got.Body != "served" {
		t.Errorf("afterwards: %+v", got)
	}
}

func TestStreamingOverHTTP2(t *testing.T) {
	next := make(chan struct{})
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error {
		if err := c.start(200); err != nil {
			return err
		}
		for _, p := range []string{"one", "two", "three"} {
			if err := c.to.Write([]byte(p), false); err != nil {
				return err
			}
			<-next
		}
		if c.environ["QUERY_STRING"] == "fail" {
			return errors.New("no more")
		}
		return nil
	}})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	for query, want := range map[string]wiretest.Outcome{
		"":     {Status: "200", Body: ""},
		"fail": {Status: "200", Reset: true, Code: http2.ErrCodeInternal},
	} {
		id := f.Request(true, get("/app?"+query)...)
		for _, want := range []string{"one", "two", "three"} {
			for got := ""; got != want; {
				frame, err := f.ReadFrame()
				if err != nil {
					t.Fatal(err)
				}
				if data, ok := frame.(*http2.DataFrame); ok && data.StreamID == id {
					got += string(data.Data())
				}
			}
			next <- struct{}{}
		}
		got := f.Outcome(id)
		got.Status = want.Status
		if got != want {
			t.Errorf("%q ends with %+v, want %+v", query, got, want)
		}
	}
}

// A client that opens no window for a stream holds its instance until a write
// has taken too long, and nothing else: others on its connection are served.
func TestStalledStream(t *testing.T) {
	told := make(chan error, 1)
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.WriteTimeout = 50 * time.Millisecond }), app: func(c fakeCall) error {
		if c.environ["QUERY_STRING"] == "quick" {
			return c.say(200, "")
		}
		if n, err := strconv.Atoi(c.environ["QUERY_STRING"]); err == nil { // sent after the instance is free
			return c.say(200, strings.Repeat("x", n))
		}
		if err := c.start(200); err != nil {
			return err
		}
		err := c.to.Write(make([]byte, 200<<10), false)
		told <- err
		return err
	}})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1000})
	stalled := f.Request(true, get("/app")...)
	wantClientGone(t, told)
	if got := f.Outcome(stalled); !got.Reset || got.Code != http2.ErrCodeInternal || len(got.Body) != 1000 {
		t.Errorf("the stalled stream: reset %v, %v, %d bytes", got.Reset, got.Code, len(got.Body))
	}
	for _, size := range []string{"5000", "3000"} { // the latter from net/http's buffer, when the handler has returned
		held := f.Request(true, get("/app?"+size)...)
		if got := f.Outcome(held); !got.Reset || got.Code != http2.ErrCodeInternal || len(got.Body) != 1000 {
			t.Errorf("the stream with %s bytes: reset %v, %v, %d bytes", size, got.Reset, got.Code, len(got.Body))
		}
	}
	if got := f.Outcome(f.Request(true, get("/app?quick")...)); got.Status != "200" {
		t.Errorf("the next: %+v", got)
	}
}

// Pieces that come seldom are no stall.
func TestSlowApplicationOverHTTP2(t *testing.T) {
	next := make(chan struct{})
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.WriteTimeout = 30 * time.Millisecond }), app: func(c fakeCall) error {
		if err := c.start(200); err != nil {
			return err
		}
		for range 2 {
			if err := c.to.Write([]byte("x"), false); err != nil {
				return err
			}
			<-next
		}
		return nil
	}})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	id := f.Request(true, get("/app")...)
	for range 2 {
		time.Sleep(60 * time.Millisecond) // twice what a write may take
		next <- struct{}{}
	}
	if got := f.Outcome(id); got.Body != "xx" || got.Reset {
		t.Errorf("%+v", got)
	}
}

// A request that is over ends a stream as it ends a connection of HTTP/1.
func TestRequestTimeoutEndsAStream(t *testing.T) {
	told := make(chan error, 1)
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.RequestTimeout = 50 * time.Millisecond }),
		app: func(c fakeCall) error { return flood(c, told) }})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	id := f.Request(true, get("/app")...)
	wantClientGone(t, told)
	if got := f.Outcome(id); !got.Reset || got.Code != http2.ErrCodeInternal {
		t.Errorf("reset %v, %v, after %d bytes", got.Reset, got.Code, len(got.Body))
	}
}

func TestSlowBodyOverHTTP2(t *testing.T) {
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.BodyTimeout = 50 * time.Millisecond }), app: echoBody})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	id := f.Request(false, ":method", "POST", ":scheme", "https", ":authority", "a.example", ":path", "/app")
	f.Must(f.WriteData(id, false, []byte("a")))
	if got := f.Outcome(id); got.Status != "408" {
		t.Errorf("%+v", got)
	}
	if got := f.Outcome(f.Request(true, get("/app")...)); got.Body != "none:" {
		t.Errorf("the next: %+v", got)
	}
}

// More streams than max_streams are refused by the protocol; more requests than
// an address may have connections, on however many of them, get 503.
func TestStreamsAreBounded(t *testing.T) {
	running, release := make(chan struct{}, 100), make(chan struct{})
	r := start(t, setup{
		edit: http2At(t, func(c *Config) { c.MaxStreams, c.MaxConnectionsPerAddress, c.MaxInstances, c.Slots = 4, 5, 10, 10 }),
		app: func(c fakeCall) error {
			running <- struct{}{}
			<-release
			return c.say(200, "")
		},
	})
	r.event(EventReady, "app")
	first := wiretest.Speak(t, r.secure("a.example", "h2"))
	var ids []uint32
	for range 4 {
		ids = append(ids, first.Request(true, get("/app")...))
	}
	for range 4 {
		<-running
	}
	if got := first.Outcome(first.Request(true, get("/app")...)); !got.Reset || got.Code != http2.ErrCodeRefusedStream {
		t.Errorf("the fifth of a connection: %+v", got)
	}
	second := wiretest.Speak(t, r.secure("a.example", "h2"))
	fifth := second.Request(true, get("/app")...)
	<-running
	if got := second.Outcome(second.Request(true, get("/app")...)); got.Status != "503" {
		t.Errorf("the sixth of an address: %+v", got)
	}
	close(release)
	if got := first.Outcome(ids[0]); got.Status != "200" {
		t.Errorf("the first: %+v", got)
	}
	if got := second.Outcome(fifth); got.Status != "200" {
		t.Errorf("the fifth: %+v", got)
	}
}

// Streams that are reset as soon as they begin (CVE-2023-44487) reach the
// application as often as streams may run at once, and the rest never.
func TestRapidReset(t *testing.T) {
	var calls, most atomic.Int32
	entered := make(chan struct{}, 1)
	release := make(chan struct{})
	r := start(t, setup{
		edit: http2At(t, func(c *Config) { c.MaxStreams, c.MaxInstances, c.Slots = 4, 64, 64 }),
		app: func(c fakeCall) error {
			if c.environ["QUERY_STRING"] == "other" {
				return c.say(200, "")
			}
			most.Store(max(most.Load(), calls.Add(1)))
			select {
			case entered <- struct{}{}:
			default:
			}
			<-release
			calls.Add(-1)
			return c.say(200, "")
		},
	})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	go func() { _, _ = io.Copy(io.Discard, f.Conn) }() // ends with the connection
	f.Request(true, get("/app")...)
	<-entered // whether one that is reset gets that far is a matter of time
	for range 1000 {
		id, err := f.Begin(true, get("/app")...)
		if err == nil {
			err = f.WriteRSTStream(id, http2.ErrCodeCancel)
		}
		if err != nil {
			break // the connection was ended, which is the other safe answer
		}
	}
	other := wiretest.Speak(t, r.secure("a.example", "h2"))
	if got := other.Outcome(other.Request(true, get("/app?other")...)); got.Status != "200" {
		t.Errorf("another client: %+v", got)
	}
	close(release)
	if n := most.Load(); n > 4 {
		t.Errorf("%d calls ran at once", n)
	}
}

// Floods of frames that cost a server more than a client end the connection.
// SETTINGS are not among them: however many come, one acknowledgement waits.
func TestFloodsOfFrames(t *testing.T) {
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error { return c.say(200, "") }})
	r.event(EventReady, "app")
	for name, flood := range map[string]func(f *wiretest.Frames, i int) error{
		// CVE-2023-45288
		"CONTINUATION": func(f *wiretest.Frames, i int) error {
			if i == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.Block(get("/app")...), EndStream: true})
			}
			return f.WriteContinuation(1, false, f.Block("x-"+strconv.Itoa(i), strings.Repeat("x", 4000)))
		},
		"PING": func(f *wiretest.Frames, i int) error { return f.WritePing(false, [8]byte{byte(i)}) },
		"a frame that is too large": func(f *wiretest.Frames, _ int) error {
			return f.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16<<10+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := r.secure("a.example", "h2")
			f := wiretest.Speak(t, c)
			var err error
			for i := 0; err == nil && i < 1<<20; i++ { // nobody reads what comes back
				err = flood(f, i)
			}
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the flood ended with %v", err)
			}
		})
	}
	f := wiretest.Speak(t, r.secure("a.example", "h2"))
	if got := f.Outcome(f.Request(true, get("/app")...)); got.Status != "200" {
		t.Errorf("afterwards: %+v", got)
	}
}

func TestConnectionForAnotherHost(t *testing.T) {
	r := start(t, setup{tenants: []string{"a", "b", "c"}, edit: http2At(t, nil), app: func(c fakeCall) error { return c.say(200, "") }})
	r.ready("a", "b", "c")
	r.manifest("a", "hosts = [\"a.example\"]\n")
	r.ready("a")
	r.manifest("b", "hosts = [\"b.example\"]\n")
	r.ready("b")
	for _, c := range []struct{ name, host, path, want string }{
		{"a.example", "a.example", "/", "200"},
		{"a.example", "b.example", "/", "421"},
		{"b.example", "a.example", "/", "421"},
		{"a.example", "c.example", "/c", "421"},
		{"c.example", "a.example", "/", "200"}, // a name of nobody's
		{"", "a.example", "/", "200"},
	} {
		f := wiretest.Speak(t, r.secure(c.name, "h2"))
		if got := f.Outcome(f.Request(true, ":method", "GET", ":scheme", "http", ":authority", c.host, ":path", c.path)); got.Status != c.want {
			t.Errorf("HTTP/2 for %q to %s: %+v, want %s", c.name, c.host, got, c.want)
		}
		h1 := r.secure(c.name, "http/1.1")
		fmt.Fprintf(h1, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", c.path, c.host)
		b, err := io.ReadAll(h1)
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 "+c.want) {
			t.Errorf("HTTP/1 for %q to %s: %.40q, %v, want %s", c.name, c.host, b, err, c.want)
		}
	}
}

// HTTP/1 behind TLS is guarded as it is without.
func TestFramingBehindTLS(t *testing.T) {
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error {
		return c.say(200, c.environ["SERVER_PROTOCOL"]+" "+c.environ["wsgi.url_scheme"]+" "+c.environ["SSL_PROTOCOL"])
	}})
	r.event(EventReady, "app")
	for sent, want := range map[string]string{
		"GET /app HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n":                                 "200 OK\r\n",
		"GET /app HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":                                                   "400 Bad Request\r\n",
		"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "400 Bad Request\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00":                              "505 HTTP Version Not Supported\r\n",
	} {
		c := r.secure("a.example", "http/1.1")
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 "+want) {
			t.Errorf("%q: %q, %v", sent, b, err)
		}
		if strings.HasPrefix(want, "200") && !strings.HasSuffix(string(b), "\r\n\r\nHTTP/1.1 https TLSv1.3") {
			t.Errorf("%q: %q", sent, b)
		}
	}
	if _, err := tls.Dial("tcp", r.addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestTLSSettings(t *testing.T) {
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.TLSMinVersion, c.HTTP2 = "1.3", false }), app: func(c fakeCall) error { return c.say(200, "") }})
	r.event(EventReady, "app")
	if _, err := tls.Dial("tcp", r.addr, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 is spoken")
	}
	if got := r.secure("a.example", "h2", "http/1.1").ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("%q was chosen", got)
	}
}

// New files count for the next connection, and the log tells of them.
func TestCertificatesAreRenewed(t *testing.T) {
	var cert, key string
	at := secureAt(t, "old.example")
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, "") }, edit: func(c *Config) {
		at(c)
		cert, key = string(c.TLSCert), string(c.TLSKey)
	}})
	shown := func() string {
		return r.secure("x.example").ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "old.example" {
		t.Errorf("shown %s", got)
	}
	wiretest.Issue(t, cert, key, nextMonth(), "new.example")
	if got := shown(); got != "new.example" {
		t.Errorf("shown %s", got)
	}
	wiretest.Issue(t, cert, filepath.Join(t.TempDir(), "k"), nextMonth(), "torn.example")
	if got := shown(); got != "new.example" {
		t.Errorf("shown %s", got)
	}
	for _, want := range []string{"a certificate was renewed", "a certificate has changed and cannot be used"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, r.log)
		}
	}
}

// HTTP/2 without TLS is for those who begin with it, where it is allowed.
func TestPriorKnowledge(t *testing.T) {
	app := func(c fakeCall) error {
		return c.say(200, c.environ["SERVER_PROTOCOL"]+" "+c.environ["wsgi.url_scheme"])
	}
	r := start(t, setup{app: app, edit: func(c *Config) { c.H2C = true }})
	r.event(EventReady, "app")
	f := wiretest.Speak(t, r.dial().Conn)
	if got := f.Outcome(f.Request(true, get("/app")...)); got.Body != "HTTP/2.0 http" {
		t.Errorf("prior knowledge: %+v", got)
	}
	// An upgrade is not one, and what follows the request is the next.
	const upgrade = "GET /app HTTP/1.1\nHost: a\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAAP__\n\n"
	if got := r.ask(upgrade + "GET /app HTTP/1.1\nHost: a\nConnection: close\n\n"); strings.Count(got, "HTTP/1.1 200 OK") != 2 {
		t.Errorf("an upgrade: %q", got)
	}
	if got := r.ask("GET /app HTTP/1.1\nHost: a\nHost: b\n\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("HTTP/1 is not guarded: %q", got)
	}
	off := start(t, setup{app: app})
	off.event(EventReady, "app")
	if got := off.ask("PRI * HTTP/2.0\n\nSM\n\n"); !strings.HasPrefix(got, "HTTP/1.1 505 ") {
		t.Errorf("where it is off: %q", got)
	}
}

// Several addresses serve the same, under limits that are one.
func TestSeveralListeners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	at := secureAt(t, "a.example")
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, c.environ["wsgi.url_scheme"]+c.environ["REMOTE_ADDR"]) },
		edit: func(c *Config) {
			at(c)
			c.Listen = "127.0.0.1:0," + config.List("unix:"+path+"?mode=0600") + "," + c.Listen
		}})
	r.event(EventListening, "")
	secure := r.event(EventListening, "")
	r.event(EventReady, "app")
	const request = "GET /app HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	read := func(c net.Conn, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b), "\r\n\r\n")
		return body
	}
	if got := read(net.Dial("tcp", r.addr)); got != "http127.0.0.1" {
		t.Errorf("TCP: %q", got)
	}
	if got := read(net.Dial("unix", path)); got != "http" {
		t.Errorf("Unix: %q", got)
	}
	address, found := strings.CutPrefix(secure.URL, "https://")
	if c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}); !found || read(c, err) != "https127.0.0.1" {
		t.Errorf("TLS at %s", secure.URL)
	}
}

// The client of a PROXY header is the client: in the environ, for the trust in
// other headers, and in the log.
func TestClientOfAPROXYHeader(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error {
		return c.say(200, strings.Join([]string{c.environ["REMOTE_ADDR"], c.environ["REMOTE_PORT"], c.environ["SERVER_PORT"], c.environ["HTTP_X_FORWARDED_FOR"]}, " "))
	}, edit: func(c *Config) {
		c.TrustedProxies, c.ProxyProtocol = "127.0.0.1, 192.0.2.99", "optional"
	}})
	r.event(EventReady, "app")
	const request = "GET /app HTTP/1.1\nHost:\nX-Forwarded-For: 203.0.113.1\nConnection: close\n\n"
	for header, want := range map[string]string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 40000 8443\n":  "192.0.2.7 40000 8443 ",
		"PROXY TCP4 192.0.2.99 198.51.100.1 40000 8443\n": "203.0.113.1  8443 203.0.113.1", // a proxy before the proxy
		"PROXY UNKNOWN\n": "  80 ",
		"":                "203.0.113.1  " + portOf(r.addr) + " 203.0.113.1",
	} {
		got := r.ask(header + request)
		if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
	if got := r.ask("PROXY TCP4 192.0.2.7\n" + request); got != "" {
		t.Errorf("a broken header: %q", got)
	}
	if want := "connections were closed for their PROXY header"; !strings.Contains(r.log.String(), want) {
		t.Errorf("the log lacks %q", want)
	}
	if got := r.ask("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\nGET / HTTP/1.1\nHost: a\nHost: b\n\n"); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("what is behind the header is not guarded: %q", got)
	}
	c := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	other, err := c.DialContext(t.Context(), "tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	fmt.Fprint(other, "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\nGET /app HTTP/1.1\r\nHost: a\r\n\r\n")
	if b, err := io.ReadAll(other); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400 ") {
		t.Errorf("from somebody else: %q, %v", b, err)
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// A connection that asks for nothing ends, however it fills its time: with
// silence, or with headers that do not end.
func TestIdleConnectionsOfHTTP2End(t *testing.T) {
	r := start(t, setup{edit: http2At(t, func(c *Config) { c.IdleTimeout = 50 * time.Millisecond }), app: func(c fakeCall) error { return c.say(200, "") }})
	r.event(EventReady, "app")
	for name, begin := range map[string]func(f *wiretest.Frames) error{
		"silence": func(*wiretest.Frames) error { return nil },
		"headers": func(f *wiretest.Frames) error {
			return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.Block(get("/app")...), EndStream: true})
		},
		"after a request": func(f *wiretest.Frames) error {
			if got := f.Outcome(f.Request(true, get("/app")...)); got.Status != "200" {
				return fmt.Errorf("%+v", got)
			}
			return nil
		},
	} {
		c := r.secure("a.example", "h2")
		f := wiretest.Speak(t, c)
		if err := begin(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection does not end", name)
		}
	}
}

// A host that ends lets streams end, and waits neither for idle connections nor
// for handshakes.
func TestEndOfAHostWithHTTP2(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, setup{edit: http2At(t, nil), app: func(c fakeCall) error {
		close(entered)
		<-release
		return c.say(200, "served")
	}})
	r.event(EventReady, "app")
	busy, idle, raw := wiretest.Speak(t, r.secure("a.example", "h2")), wiretest.Speak(t, r.secure("a.example", "h2")), r.dial()
	id := busy.Request(true, get("/app")...)
	<-entered
	r.cancel()
	if _, err := io.Copy(io.Discard, raw); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("a handshake: %v", err)
	}
	close(release)
	if got := busy.Outcome(id); got.Body != "served" {
		t.Errorf("%+v", got)
	}
	if err := <-r.ended; err != nil {
		t.Errorf("the host ended with %v", err)
	}
	r.ended <- nil // for stop
	if _, err := io.Copy(io.Discard, idle.Conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("an idle connection is left open")
	}
}
