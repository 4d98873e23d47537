package host

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/host/config"
)

func TestEnvironOfARequest(t *testing.T) {
	got := make(chan map[string]string, 1)
	r := start(t, setup{app: func(c fakeCall) error {
		got <- c.environ
		return c.say(200, "")
	}})
	r.event(EventReady, "app")
	r.ask("GET /app/a%2Fb//%E4%2e%2e/?q=%C3%A4&x=1+2?y HTTP/1.1\nHost: example.org:8080\nX-A: 1\nx-a: 2\nX_B: 3\n" +
		"Cookie: a=1\nCookie: b=2\nProxy: evil\nConnection: close, X-A\nKeep-Alive: 5\nTE: trailers\nUpgrade: h2c\n" +
		"Content-Type: text/plain\nAccept: \xe4\n\n")
	e := <-got
	if len(e["wasgi.request_id"]) != 16 || e["REMOTE_PORT"] == "" {
		t.Errorf("request id %q, port %q", e["wasgi.request_id"], e["REMOTE_PORT"])
	}
	delete(e, "wasgi.request_id")
	delete(e, "REMOTE_PORT")
	target := "/app/a%2Fb//%E4%2e%2e/?q=%C3%A4&x=1+2?y"
	want := map[string]string{
		"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app", "PATH_INFO": "/a/b//\xe4../", "QUERY_STRING": "q=%C3%A4&x=1+2?y",
		"REQUEST_URI": target, "RAW_URI": target, "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.org", "SERVER_PORT": "8080",
		"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "HTTP_HOST": "example.org:8080",
		"HTTP_X_A": "1,2", "HTTP_COOKIE": "a=1; b=2", "CONTENT_TYPE": "text/plain", "HTTP_ACCEPT": "\xe4",
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
}

// echoBody answers with the announced length and the body.
func echoBody(c fakeCall) error {
	body := []byte{}
	if c.body != nil {
		var err error
		if body, err = io.ReadAll(c.body); err != nil {
			return err
		}
	}
	length, announced := c.environ["CONTENT_LENGTH"]
	if !announced {
		length = "none"
	}
	return c.say(200, length+":"+string(body))
}

func TestRequestBodies(t *testing.T) {
	r := start(t, setup{app: echoBody, edit: func(c *Config) { c.MaxBody, c.SpoolMemory = 100, 10 }})
	r.event(EventReady, "app")
	long := strings.Repeat("x", 100)
	for _, c := range []struct{ name, request, want string }{
		{"none", "GET /app HTTP/1.1\nHost: a\nConnection: close\n\n", "none:"},
		{"empty", "POST /app HTTP/1.1\nHost: a\nContent-Length: 0\nConnection: close\n\n", "0:"},
		{"memory", "POST /app HTTP/1.1\nHost: a\nContent-Length: 3\nConnection: close\n\nabc", "3:abc"},
		{"file", "POST /app HTTP/1.1\nHost: a\nContent-Length: 100\nConnection: close\n\n" + long, "100:" + long},
		{"chunked", "POST /app HTTP/1.1\nHost: a\nConnection: close\nTransfer-Encoding: chunked\n\n3\nabc\n2\nde\n0\n\n", "5:abcde"},
		{"chunked and empty", "POST /app HTTP/1.1\nHost: a\nConnection: close\nTransfer-Encoding: chunked\n\n0\n\n", "0:"},
		{"1.0", "POST /app HTTP/1.0\nContent-Length: 2\n\nab", "2:ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := r.ask(c.request)
			if _, body, _ := strings.Cut(answer, "\r\n\r\n"); body != c.want {
				t.Errorf("body %q, want %q", body, c.want)
			}
		})
	}
}

func TestContinueIsSentOnlyForAWelcomeBody(t *testing.T) {
	r := start(t, setup{app: echoBody, edit: func(c *Config) { c.MaxBody = 100 }})
	r.event(EventReady, "app")
	c := r.dial().send("POST /app HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-continue\nConnection: close\n\n")
	line, err := c.r.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if got := c.send("abc").rest(); !strings.HasSuffix(got, "\r\n\r\n3:abc") {
		t.Errorf("answer %q", got)
	}
	got := r.ask("POST /app HTTP/1.1\nHost: a\nContent-Length: 101\nExpect: 100-continue\n\n")
	if !strings.HasPrefix(got, "HTTP/1.1 413 Request Entity Too Large\r\n") || !strings.Contains(got, "\r\nConnection: close\r\n") {
		t.Errorf("answer %q", got)
	}
}

func TestRefusals(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, "reached") }, edit: func(c *Config) {
		c.MaxBody, c.MaxLine, c.MaxHeaders, c.MaxHeaderBytes = 100, 300, 8, 8192
	}})
	r.event(EventReady, "app")
	for _, c := range []struct{ name, request, want string }{
		{"CONNECT", "CONNECT a:80 HTTP/1.1\nHost: a:80\n\n", "405 Method Not Allowed"},
		{"TRACE", "TRACE /app HTTP/1.1\nHost: a\n\n", "405 Method Not Allowed"},
		{"no host", "GET /app HTTP/1.1\n\n", "400 Bad Request"},
		{"two hosts", "GET /app HTTP/1.1\nHost: a\nHost: b\n\n", "400 Bad Request"},
		{"star", "GET * HTTP/1.1\nHost: a\n\n", "400 Bad Request"},
		{"escape", "GET /app/%zz HTTP/1.1\nHost: a\n\n", "400 Bad Request"},
		{"unknown", "GET /nobody HTTP/1.1\nHost: a\nConnection: close\n\n", "404 Not Found"},
		{"near miss", "GET /application HTTP/1.1\nHost: a\nConnection: close\n\n", "404 Not Found"},
		{"long target", "GET /app/" + strings.Repeat("a", 300) + " HTTP/1.1\nHost: a\n\n", "414 Request URI Too Long"},
		{"long header", "GET /app HTTP/1.1\nHost: a\nX: " + strings.Repeat("a", 300) + "\n\n", "431 Request Header Fields Too Large"},
		{"many headers", "GET /app HTTP/1.1\nHost: a\n" + strings.Repeat("X: 1\n", 9) + "\n", "431 Request Header Fields Too Large"},
		{"large head", "GET /app HTTP/1.1\nHost: a\n" + strings.Repeat("X: "+strings.Repeat("a", 250)+"\n", 40) + "\n", "431 Request Header Fields Too Large"},
		{"large body", "POST /app HTTP/1.1\nHost: a\nContent-Length: 101\n\n", "413 Request Entity Too Large"},
		{"large chunks", "POST /app HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n65\n" + strings.Repeat("a", 101) + "\n0\n\n", "413 Request Entity Too Large"},
		{"bad chunks", "POST /app HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\nzz\n", "400 Bad Request"},
		{"two lengths", "POST /app HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 2\n\nab", "400 Bad Request"},
		{"unknown coding", "POST /app HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n", "400 Bad Request"},
		{"websocket", "GET /app HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n", "501 Not Implemented"},
		{"host", "GET /app HTTP/1.1\nHost: a,b\n\n", "400 Bad Request"},
		{"user in the target", "GET http://u@a/app HTTP/1.1\nHost: a\n\n", "400 Bad Request"},
		{"HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", "505 HTTP Version Not Supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.ask(c.request)
			if status, _, _ := strings.Cut(strings.TrimPrefix(got, "HTTP/1.1 "), "\r\n"); status != c.want {
				t.Errorf("status %q, want %q; log:\n%s", status, c.want, r.log)
			}
		})
	}
}

// Who announces a body and sends none gets every answer that needs none, and
// holds no connection.
func TestAnswerDoesNotWaitForABodyThatNobodyWants(t *testing.T) {
	r := start(t, setup{
		tenants: []string{"app", "broken"},
		app:     echoBody,
		edit:    func(c *Config) { c.SpoolMemoryTotal, c.SpoolDiskTotal = 0, 0 },
		maker: func(m *fakeMaker) {
			m.building = func(a application, _ string) error {
				if a.tenant.Name == "broken" {
					return errors.New("broken")
				}
				return nil
			}
		},
	})
	cases := []struct{ name, target, sent, status string }{
		{"unknown", "POST /nobody", "", "404 Not Found"},
		{"path", "POST /app/%zz", "", "400 Bad Request"},
		{"not served", "POST /broken", "", "502 Bad Gateway"},
		{"spool full", "POST /app", "abc", "503 Service Unavailable"},
		{"server", "OPTIONS *", "", "200 OK"},
		{"refused", "TRACE /app", "", "405 Method Not Allowed"},
	}
	conns := make([]*conn, len(cases))
	for i, c := range cases {
		conns[i] = r.dial().send(c.target + " HTTP/1.1\nHost: a\nContent-Length: 10\n\n" + c.sent)
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := conns[i].rest()
			if status, _, _ := strings.Cut(strings.TrimPrefix(got, "HTTP/1.1 "), "\r\n"); status != c.status || !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("got %q, want %s and the end of the connection", got, c.status)
			}
		})
	}
}

// The deadline for a body that nobody wants is not one for the next request.
func TestConnectionOutlivesAnUnwantedBody(t *testing.T) {
	r := start(t, setup{app: echoBody})
	r.event(EventReady, "app")
	for _, target := range []string{"POST /nobody", "OPTIONS *"} {
		c := r.dial().send(target + " HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc")
		if res, _ := c.response("POST"); res.Close {
			t.Fatalf("%s: the connection is to be closed", target)
		}
		// This connection's deadline is later than that of c, and is awaited.
		r.ask("POST /nobody HTTP/1.1\nHost: a\nContent-Length: 3\n\n")
		if _, body := c.send("POST /app HTTP/1.1\nHost: a\nContent-Length: 2\n\nde").response("POST"); body != "2:de" {
			t.Errorf("%s: then %q", target, body)
		}
	}
}

func TestOptionsForTheServer(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, "reached") }})
	got := r.ask("OPTIONS * HTTP/1.1\nHost: a\nConnection: close\n\n")
	want := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: wasgi\r\nConnection: close\r\n\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAbsoluteForm(t *testing.T) {
	got := make(chan map[string]string, 1)
	r := start(t, setup{app: func(c fakeCall) error {
		got <- c.environ
		return c.say(200, "")
	}})
	r.event(EventReady, "app")
	r.ask("GET http://example.org/app/x?y HTTP/1.1\nHost: other\nConnection: close\n\n")
	e := <-got
	for key, want := range map[string]string{
		"HTTP_HOST": "example.org", "SERVER_NAME": "example.org", "SERVER_PORT": "80", "PATH_INFO": "/x", "QUERY_STRING": "y",
	} {
		if e[key] != want {
			t.Errorf("%s is %q, want %q", key, e[key], want)
		}
	}
}

// A body with both framings is refused, and so is what follows it: that could be
// another's idea of the body. What was asked before is answered.
func TestBothFramingsEndTheConnection(t *testing.T) {
	r := start(t, setup{app: echoBody})
	r.event(EventReady, "app")
	got := r.ask("POST /app HTTP/1.1\nHost: a\nContent-Length: 2\n\nab" +
		"POST /app HTTP/1.1\nHost: a\nContent-Length: 6\nTransfer-Encoding: chunked\n\n0\n\nGET /app HTTP/1.1\nHost: smuggled\n\n")
	want := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nServer: wasgi\r\n\r\n2:ab" +
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A sound chunked body leaves its connection open.
func TestConnectionOutlivesAChunkedBody(t *testing.T) {
	r := start(t, setup{app: echoBody})
	r.event(EventReady, "app")
	c := r.dial()
	for range 2 {
		c.send("POST /app HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nX-End: 1\n\n")
		if res, body := c.response("POST"); res.Close || body != "3:abc" {
			t.Errorf("%q, closed: %v", body, res.Close)
		}
	}
}

// A trusted proxy says who the client is, to the application and to the access
// log; nobody else does.
func TestTrustedProxy(t *testing.T) {
	for trusted, want := range map[string]string{"127.0.0.0/8": "192.0.2.1 https 192.0.2.1", "10.0.0.0/8": "127.0.0.1 http "} {
		r := start(t, setup{
			app: func(c fakeCall) error {
				return c.say(200, c.environ["REMOTE_ADDR"]+" "+c.environ["wsgi.url_scheme"]+" "+c.environ["HTTP_X_FORWARDED_FOR"])
			},
			edit: func(c *Config) {
				c.TrustedProxies, c.AccessLog = config.List(trusted), "combined"
			},
		})
		r.event(EventReady, "app")
		answer := r.ask("GET /app HTTP/1.1\nHost: a\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https\nConnection: close\n\n")
		if _, body, _ := strings.Cut(answer, "\r\n\r\n"); body != want {
			t.Errorf("%s: %q, want %q", trusted, body, want)
		}
		r.stop()
		line, err := os.ReadFile(r.access)
		if remote, _, _ := strings.Cut(want, " "); err != nil || !strings.HasPrefix(string(line), remote+" - ") {
			t.Errorf("%s: the access log has %q, %v", trusted, line, err)
		}
	}
}

func TestMethodsArriveUntouched(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, c.environ["REQUEST_METHOD"]+" "+c.environ["PATH_INFO"]) }})
	r.event(EventReady, "app")
	for _, method := range []string{"GET", "PROPFIND", "X-ANY", "get"} {
		for _, path := range []string{"", "/", "//", "/:id/*", "/a/../b"} {
			got := r.ask(method + " /app" + path + " HTTP/1.1\nHost: a\nConnection: close\n\n")
			if _, body, _ := strings.Cut(got, "\r\n\r\n"); body != method+" "+path {
				t.Errorf("%s %q arrived as %q", method, path, body)
			}
		}
	}
}

func TestHeadOfAResponse(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error {
		err := c.start(201, "X-B", "1", "x-a", "2", "Set-Cookie", "b=1", "set-cookie", "a=2", "ETag", `"x"`, "Connection", "upgrade")
		if err != nil {
			return err
		}
		return c.to.Write([]byte("abc"), true)
	}})
	r.event(EventReady, "app")
	got := r.ask("GET /app HTTP/1.1\nHost: a\nConnection: close\n\n")
	want := "HTTP/1.1 201 Created\r\nContent-Length: 3\r\nETag: \"x\"\r\nServer: wasgi\r\nSet-Cookie: b=1\r\nSet-Cookie: a=2\r\n" +
		"X-B: 1\r\nx-a: 2\r\nConnection: close\r\n\r\nabc"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
