package host

import (
	"os"
	"testing"
)

// TestRootAway: who looks while the folder of all applications is not there ends none.
func TestRootAway(t *testing.T) {
	r := start(t, setup{tenants: []string{"app", "b"}, edit: func(c *Config) { c.Watch = false }})
	r.ready("app", "b")
	if err := os.Rename(r.root, r.root+".old"); err != nil {
		t.Fatal(err)
	}
	r.host.fleet.look(t.Context(), []string{"app", "b"})
	if err := os.Rename(r.root+".old", r.root); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app", "b"} {
		if s := r.host.fleet.routes.Load().sites[name]; s == nil || s.live.Load() == nil {
			t.Errorf("%s does not serve any more", name)
		}
	}
}
