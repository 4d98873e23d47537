package host

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
)

func TestResponses(t *testing.T) {
	exception := &sandbox.Error{Kind: sandbox.KindException, Op: "request", Traceback: "Traceback\nValueError: secret\n"}
	write := func(c fakeCall, pieces ...string) error {
		for _, p := range pieces {
			if err := c.to.Write([]byte(p), false); err != nil {
				return err
			}
		}
		return nil
	}
	apps := map[string]fakeApp{
		"/none": func(c fakeCall) error { return c.start(200, "X", "1") },
		"/pieces": func(c fakeCall) error {
			return errors.Join(c.start(200), write(c, "ab", "", "c"))
		},
		"/known": func(c fakeCall) error {
			return errors.Join(c.start(200, "Content-Length", "3"), write(c, "ab", "c"))
		},
		"/one": func(c fakeCall) error {
			return errors.Join(c.start(200, "Content-Length", "3"), write(c, "abc"))
		},
		"/more": func(c fakeCall) error {
			return errors.Join(c.start(200, "Content-Length", "3"), write(c, "abcd"))
		},
		"/short": func(c fakeCall) error {
			return errors.Join(c.start(200, "Content-Length", "4"), write(c, "abc"))
		},
		"/shorter": func(c fakeCall) error {
			return errors.Join(c.start(200, "Content-Length", "4"), c.to.Write([]byte("abc"), true))
		},
		"/length": func(c fakeCall) error {
			if err := c.start(200, "Content-Length", "x"); err == nil {
				return errors.New("the length was taken")
			}
			return nil
		},
		"/204":    func(c fakeCall) error { return c.say(204, "abc", "Content-Length", "3") },
		"/304":    func(c fakeCall) error { return c.say(304, "abc", "Content-Length", "3", "ETag", "x") },
		"/again":  func(c fakeCall) error { return errors.Join(c.start(200, "A", "1"), c.say(500, "x", "B", "2")) },
		"/date":   func(c fakeCall) error { return c.say(200, "x", "Date", "now", "Server", "me") },
		"/html":   func(c fakeCall) error { return c.say(200, "<html>") },
		"/empty":  func(c fakeCall) error { return c.say(200, "") },
		"/silent": func(fakeCall) error { return nil },
		"/raise":  func(fakeCall) error { return exception },
		"/raised": func(c fakeCall) error { return errors.Join(c.start(200), write(c, "ab"), exception) },
		"/close":  func(c fakeCall) error { return errors.Join(c.say(200, "whole"), exception) },
		"/big":    func(c fakeCall) error { return c.say(200, strings.Repeat("x", 5000)) },
	}
	r := start(t, setup{
		app:  func(c fakeCall) error { return apps[c.environ["PATH_INFO"]](c) },
		edit: func(c *Config) { c.ResponseBuffer = 4096 },
	})
	r.event(EventReady, "app")
	page := "HTTP/1.1 500 Internal Server Error\r\nCache-Control: no-store\r\nContent-Length: "
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/none", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: wasgi\r\nX: 1\r\nConnection: close\r\n\r\n"},
		{"GET", "/pieces", "HTTP/1.1 200 OK\r\nServer: wasgi\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"},
		{"GET", "/known", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: wasgi\r\nConnection: close\r\n\r\nabc"},
		{"GET", "/one", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: wasgi\r\nConnection: close\r\n\r\nabc"},
		{"GET", "/more", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: wasgi\r\nConnection: close\r\n\r\nabc"},
		{"GET", "/short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nServer: wasgi\r\nConnection: close\r\n\r\nabc"},
		{"GET", "/shorter", page},
		{"GET", "/length", page},
		{"GET", "/204", "HTTP/1.1 204 No Content\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"GET", "/304", "HTTP/1.1 304 Not Modified\r\nETag: x\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"GET", "/again", "HTTP/1.1 500 Internal Server Error\r\nB: 2\r\nContent-Length: 1\r\nServer: wasgi\r\nConnection: close\r\n\r\nx"},
		{"GET", "/date", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nServer: me\r\nConnection: close\r\n\r\nx"},
		{"GET", "/html", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nServer: wasgi\r\nConnection: close\r\n\r\n<html>"},
		{"GET", "/silent", page},
		{"GET", "/raise", page},
		{"GET", "/raised", "HTTP/1.1 200 OK\r\nServer: wasgi\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"},
		{"GET", "/close", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: wasgi\r\nConnection: close\r\n\r\nwhole"},
		{"GET", "/big", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nServer: wasgi\r\nConnection: close\r\n\r\n" + strings.Repeat("x", 5000)},
		{"GET", "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/empty", "HTTP/1.1 200 OK\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/none", "HTTP/1.1 200 OK\r\nServer: wasgi\r\nX: 1\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/pieces", "HTTP/1.1 200 OK\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/known", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/html", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
		{"HEAD", "/short", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nServer: wasgi\r\nConnection: close\r\n\r\n"},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			got := r.ask(c.method + " /app" + c.path + " HTTP/1.1\nHost: a\nConnection: close\n\n")
			if c.want == page {
				if !strings.HasPrefix(got, page) || strings.Contains(got, "secret") {
					t.Errorf("got %q", got)
				}
				return
			}
			if got != c.want {
				t.Errorf("\ngot  %q\nwant %q\nlog:\n%s", got, c.want, r.log)
			}
		})
	}
}

func TestPageNamesTheRequest(t *testing.T) {
	r := start(t, setup{app: func(fakeCall) error { return &sandbox.Error{Kind: sandbox.KindTrap} }})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\nAccept: text/html,*/*\n\n")
	res, body := c.response("GET")
	id := res.Header.Get("X-Request-Id")
	if res.StatusCode != http.StatusBadGateway || len(id) != 16 || !strings.Contains(body, "<small>Request "+id+"</small>") ||
		res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, body)
	}
	if !strings.Contains(r.log.String(), "request_id="+id) {
		t.Errorf("the log does not name %s:\n%s", id, r.log)
	}
	// The connection is as good as before.
	c.send("GET /app HTTP/1.1\nHost: a\n\n")
	if res, body := c.response("GET"); body != "502 Bad Gateway\nThis application ended while it handled the request.\nRequest: "+res.Header.Get("X-Request-Id")+"\n" {
		t.Errorf("body %q", body)
	}
}

func TestStatusOfFaults(t *testing.T) {
	kinds := map[string]sandbox.Kind{
		"/exception": sandbox.KindException, "/exit": sandbox.KindExit, "/trap": sandbox.KindTrap, "/timeout": sandbox.KindTimeout,
		"/canceled": sandbox.KindCanceled, "/memory": sandbox.KindMemory, "/invalid": sandbox.KindInvalid, "/host": sandbox.KindHost,
	}
	r := start(t, setup{app: func(c fakeCall) error {
		switch c.environ["PATH_INFO"] {
		case "/late":
			return errors.Join(c.say(200, "whole"), &sandbox.Error{Kind: sandbox.KindException})
		case "/later":
			if err := c.say(200, "whole"); err != nil {
				return err
			}
			panic("a fault of the host, after the answer")
		case "/panic":
			panic("a fault of the host")
		}
		return &sandbox.Error{Kind: kinds[c.environ["PATH_INFO"]]}
	}})
	r.event(EventReady, "app")
	for path, want := range map[string]int{
		"/exception": 500, "/exit": 502, "/trap": 502, "/timeout": 504, "/canceled": 503, "/memory": 500, "/invalid": 502, "/host": 500, "/panic": 500,
		"/late": 200, "/later": 200,
	} {
		res, body := r.dial().send("GET /app" + path + " HTTP/1.1\nHost: a\n\n").response("GET")
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
		if want == 200 && body != "whole" {
			t.Errorf("%s: %q", path, body)
		}
	}
	r.ask("GET /app/panic HTTP/1.1\nHost: a\nConnection: close\n\n")
	if !strings.Contains(r.log.String(), `error="a fault of the host"`) {
		t.Errorf("the panic is not in the log:\n%s", r.log)
	}
	r.ask("GET /app/later HTTP/1.1\nHost: a\nConnection: close\n\n")
	if !strings.Contains(r.log.String(), `error="a fault of the host, after the answer"`) {
		t.Errorf("the panic after an answer is not in the log:\n%s", r.log)
	}
}

// Each piece is with the client before the application is asked for the next.
func TestStreaming(t *testing.T) {
	next := make(chan struct{})
	r := start(t, setup{app: func(c fakeCall) error {
		if err := c.start(200); err != nil {
			return err
		}
		for _, p := range []string{"one", "two", "three"} {
			if err := c.to.Write([]byte(p), false); err != nil {
				return err
			}
			<-next
		}
		return nil
	}})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two", "three"} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
			t.Fatalf("%q, %v, want %q", got, err, want)
		}
		next <- struct{}{}
	}
	if n, err := res.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

func TestClientGone(t *testing.T) {
	told := make(chan error, 1)
	r := start(t, setup{app: func(c fakeCall) error {
		if err := c.start(200); err != nil {
			return err
		}
		for {
			if err := c.to.Write(make([]byte, 64<<10), false); err != nil {
				told <- err
				return nil
			}
		}
	}})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	if _, err := c.r.ReadByte(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case err := <-told:
		if !errors.Is(err, sandbox.ErrClientGone) {
			t.Errorf("told %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the application was not told")
	}
}

// A client that reads nothing holds an instance until the write fails, and no
// CPU slot: another application is served meanwhile.
func TestSlowClientHoldsNoSlot(t *testing.T) {
	writing := make(chan struct{}, 1)
	r := start(t, setup{
		tenants: []string{"slow", "quick"},
		app: func(c fakeCall) error {
			if c.environ["SCRIPT_NAME"] == "/quick" {
				return c.say(200, "quick")
			}
			if err := c.start(200); err != nil {
				return err
			}
			for {
				if err := c.to.Write(make([]byte, 1<<20), false); err != nil {
					return nil
				}
				select {
				case writing <- struct{}{}:
				default:
				}
			}
		},
		edit: func(c *Config) { c.Slots = 1 },
	})
	r.ready("slow", "quick")
	slow := r.dial().send("GET /slow HTTP/1.1\nHost: a\n\n")
	<-writing
	for range 10 {
		res, body := r.dial().send("GET /quick HTTP/1.1\nHost: a\n\n").response("GET")
		if res.StatusCode != 200 || body != "quick" {
			t.Fatalf("%d %q", res.StatusCode, body)
		}
	}
	slow.Close()
}

// flood sends without end and says what ended it, as a guest does that is
// killed with its context.
func flood(c fakeCall, told chan<- error) error {
	if err := c.start(200); err != nil {
		return err
	}
	for {
		if err := c.to.Write(make([]byte, 1<<20), false); err != nil {
			told <- err
			<-c.ctx.Done()
			kind := sandbox.KindCanceled
			if errors.Is(c.ctx.Err(), context.DeadlineExceeded) {
				kind = sandbox.KindTimeout
			}
			return &sandbox.Error{Kind: kind, Err: c.ctx.Err()}
		}
	}
}

// broken reads a response that must not pass for whole.
func (c *conn) broken() {
	c.t.Helper()
	if got := c.rest(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || strings.HasSuffix(got, "\r\n0\r\n\r\n") {
		c.t.Errorf("got %d bytes that begin with %.100q", len(got), got)
	}
}

func wantClientGone(t *testing.T, told <-chan error) {
	t.Helper()
	select {
	case err := <-told:
		if !errors.Is(err, sandbox.ErrClientGone) {
			t.Errorf("told %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the write does not end")
	}
}

// A client that does not read holds an instance no longer than its request may
// last, though its connection has more time for each write.
func TestRequestTimeoutEndsAWrite(t *testing.T) {
	told := make(chan error, 1)
	r := start(t, setup{
		app: func(c fakeCall) error {
			if c.environ["PATH_INFO"] == "/quick" {
				return c.say(200, "quick")
			}
			return flood(c, told)
		},
		edit: func(c *Config) {
			c.MaxInstances, c.RequestTimeout, c.WriteTimeout = 1, 100*time.Millisecond, time.Hour
		},
	})
	r.event(EventReady, "app")
	slow := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	wantClientGone(t, told)
	r.want("/app/quick", 200, "quick")
	slow.broken()
	if !strings.Contains(r.log.String(), "fault=timeout") {
		t.Errorf("the timeout is not in the log:\n%s", r.log)
	}
}

// A release that retires is freed, whoever does not read its responses: a host
// that leaves an image open does not end well.
func TestReloadEndsAWrite(t *testing.T) {
	told, writing := make(chan error, 1), make(chan struct{})
	r := start(t, setup{
		app: func(c fakeCall) error {
			if c.version == "2" {
				return c.say(200, "2")
			}
			close(writing)
			return flood(c, told)
		},
		edit: func(c *Config) { c.DrainTimeout, c.WriteTimeout = 10*time.Millisecond, time.Hour },
	})
	r.event(EventReady, "app")
	slow := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	<-writing
	if _, err := slow.r.ReadByte(); err != nil || slow.r.UnreadByte() != nil {
		t.Fatal(err)
	}
	r.write("app", "2")
	r.event(EventReady, "app")
	r.want("/app", 200, "2")
	wantClientGone(t, told)
	slow.broken()
}

func TestGuestLogs(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error {
		c.to.Log(abi.LogErrors, "one\ntwo level=ERROR msg=forged\n")
		c.to.Log(abi.LogTraceback, "Traceback:\n  boom\n")
		return c.say(200, "")
	}})
	r.event(EventReady, "app")
	r.ask("GET /app HTTP/1.1\nHost: a\nConnection: close\n\n")
	for _, want := range []string{
		`level=WARN msg=one tenant=app source=errors request_id=`,
		`level=WARN msg="two level=ERROR msg=forged" tenant=app source=errors request_id=`,
		`level=ERROR msg="Traceback:\n  boom" tenant=app source=traceback request_id=`,
	} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("not in the log: %s\n%s", want, r.log)
		}
	}
}
