package host

import (
	"strings"
	"testing"
)

// TestOneTenantDoesNotFillTheSpool: bodies that wait for one application take a
// part of the room for bodies.
func TestOneTenantDoesNotFillTheSpool(t *testing.T) {
	release, busy := make(chan struct{}), make(chan struct{})
	r := start(t, setup{
		tenants: []string{"busy", "quiet"},
		app: func(c fakeCall) error {
			if c.environ["SCRIPT_NAME"] == "/busy" {
				close(busy)
				<-release
			}
			return echoBody(c)
		},
		edit: func(c *Config) {
			c.SpoolMemory, c.SpoolMemoryTotal, c.SpoolDiskTotal, c.MaxBody = 0, 0, 400, 100
		},
	})
	r.ready("busy", "quiet")
	post := func(tenant string) *conn {
		return r.dial().send("POST /" + tenant + " HTTP/1.1\nHost: a\nConnection: close\nContent-Length: 100\n\n" + strings.Repeat("x", 100))
	}
	held := post("busy")
	<-busy
	if res, _ := post("busy").response("POST"); res.StatusCode != 503 {
		t.Errorf("a second body of the busy one: %d, want 503", res.StatusCode)
	}
	for range 2 {
		if res, body := post("quiet").response("POST"); res.StatusCode != 200 {
			t.Errorf("the quiet one: %d %q", res.StatusCode, body)
		}
	}
	close(release)
	if res, _ := held.response("POST"); res.StatusCode != 200 {
		t.Errorf("the first body of the busy one: %d", res.StatusCode)
	}
}
