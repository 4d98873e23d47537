package host

import (
	"fmt"
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
