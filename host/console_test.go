package host

import (
	"net"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/admin/console"
	"github.com/wasgi/wasgi/host/edge"
)

func TestReadingsAreWhatWasCounted(t *testing.T) {
	r := start(t, setup{tenants: []string{"app", "idle"}, app: func(c fakeCall) error {
		if c.environ["PATH_INFO"] == "/bad" {
			return c.say(500, "bad")
		}
		return c.say(404, "none")
	}})
	r.ready("app", "idle")
	r.want("/app/", 404, "none")
	r.want("/app/bad", 500, "bad")
	r.stop() // requests are counted once their answers have ended
	found := map[string]bool{}
	for _, one := range (readings{r.host.fleet}).Read() {
		found[one.Tenant] = one.Counted
		if one.Tenant == "app" && (one.Requests != 2 || one.ClientErrors != 1 || one.ServerErrors != 1 || one.Latency[len(one.Latency)-1] != 2) {
			t.Errorf("%+v", one)
		}
	}
	if !found["app"] || len(readings{}.Bounds()) == 0 {
		t.Error(found)
	}
}

func TestLimitsAreThoseThatHold(t *testing.T) {
	r := start(t, setup{app: sayVersion})
	r.ready("app")
	r.manifest("app", "[limits]\nrequest_timeout = \"1h\"\nmemory = \"64MiB\"\n[data]\npersistent = false\n[network]\nallow = [\"a.example:443\", \"*:25\"]\n")
	r.ready("app")
	got := map[string]string{}
	for _, l := range r.host.fleet.limits("app") {
		got[l.Name] = strings.TrimSpace(l.Value + " " + l.Note)
	}
	for name, want := range map[string]string{
		"limits.request_timeout": "30s lowered by the host", "limits.memory": "64MiB", "limits.cpu_time": "none", "isolation": "reuse", "data.quota": "", "data.tmp": "64MiB",
		"network.allow": "a.example:443, *:25", "network.rate": "none",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
	if l := r.host.fleet.limits("nobody"); l != nil {
		t.Error(l)
	}
}

// A token must not go over a network in the clear.
func TestNear(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:0": true, "[::1]:0": true, "0.0.0.0:0": false, "[::]:0": false} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Log(err) // a machine without IPv6
			continue
		}
		if near(l) != want {
			t.Errorf("%s: %v", address, !want)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The cookies of the console are those that edge keeps from applications.
func TestCookies(t *testing.T) {
	for _, name := range console.Cookies() {
		if !strings.Contains(name, edge.OwnCookie) {
			t.Errorf("applications get the cookie %s", name)
		}
	}
}
