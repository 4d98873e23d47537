package host

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestIdleConnectionsKeepNobodyWaiting: one slot, one instance for each tenant,
// and connections that have been answered and stay open, with and without more
// requests in them, that end, or whose body nobody has read.
func TestIdleConnectionsKeepNobodyWaiting(t *testing.T) {
	const get = "GET /app HTTP/1.1\nHost: a\n\n"
	for name, text := range map[string]string{
		"idle":          get,
		"pipelined":     get + get + get,
		"not a guest's": get + "GET /nobody HTTP/1.1\nHost: a\n\n",
		"another's":     get + "GET /other HTTP/1.1\nHost: a\n\n",
		"half a head":   get + "GET /app HT",
		"closing":       "GET /app HTTP/1.1\nHost: a\nConnection: close\n\n",
		"half a body":   "POST /app HTTP/1.1\nHost: a\nContent-Length: 9\n\nabc",
		"refused":       get + "GET /app HTTP/1.1\nHost: a\nHost: b\n\n",
	} {
		for _, isolation := range []string{"reuse", "fresh"} {
			t.Run(isolation+" "+name, func(t *testing.T) {
				r := start(t, setup{app: sayVersion, tenants: []string{"other", "app"}, edit: func(c *Config) {
					c.Slots, c.BodyTimeout = 1, 50*time.Millisecond
				}})
				r.ready("app", "other")
				r.manifest("app", fmt.Sprintf("isolation = %q\n[instances]\nmax = 1\n", isolation))
				r.write("app", "2")
				r.event(EventReady, "app")
				for range 3 {
					c := r.dial().send(text)
					for range strings.Count(text, "HTTP/1.1\n") {
						c.response("GET")
					}
				}
				r.want("/app", 200, "2")
				r.want("/other", 200, "1")
			})
		}
	}
}

// TestAClientThatBreaksOffLeavesNothing: it resets its connection in the middle
// of a response, with and without TLS, where only the first of two Closes gets
// below. One instance has to serve all, and the host has to end.
func TestAClientThatBreaksOffLeavesNothing(t *testing.T) {
	for _, isolation := range []string{"reuse", "fresh"} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(isolation, " secure ", secure), func(t *testing.T) {
				edit := func(c *Config) { c.Slots = 1 }
				if secure {
					edit = http2At(t, edit)
				}
				broken := errors.New("broken")
				r := start(t, setup{edit: edit, app: func(c fakeCall) error {
					if err := c.start(200); err != nil {
						return err
					}
					for {
						if c.to.Write(make([]byte, 64<<10), false) != nil {
							return broken
						}
					}
				}})
				r.ready("app")
				r.manifest("app", fmt.Sprintf("isolation = %q\n[instances]\nmax = 1\n", isolation))
				r.write("app", "2")
				r.event(EventReady, "app")
				for range 5 {
					breakOff(t, r, secure)
				}
			})
		}
	}
}

// breakOff reads the beginning of a response and resets the connection.
func breakOff(t *testing.T, r *running, secure bool) {
	t.Helper()
	var c io.ReadWriter
	var below net.Conn
	if secure {
		s := r.secure("a.example", "http/1.1")
		c, below = s, s.NetConn()
	} else {
		plain := r.dial()
		c, below = plain, plain.Conn
	}
	if _, err := io.WriteString(c, "GET /app HTTP/1.1\r\nHost: a.example\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1000)
	if n, err := io.ReadFull(c, b); err != nil || string(b[:15]) != "HTTP/1.1 200 OK" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	_ = below.(*net.TCPConn).SetLinger(0)
	below.Close()
}
