package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhoHasARouteKeepsIt against one whose name comes first, and over a restart.
func TestWhoHasARouteKeepsIt(t *testing.T) {
	state := t.TempDir()
	claim := "hosts = [\"a\"]\n"
	edit := func(c *Config) { c.StateDir = state }
	r := start(t, setup{app: sayVersion, tenants: []string{"shop", "zoo"}, edit: edit})
	r.ready("shop", "zoo")
	r.manifest("shop", claim)
	r.event(EventReady, "shop")
	r.write("shop", "the shop's")
	r.event(EventReady, "shop")
	r.manifest("aaa", claim)
	r.write("aaa", "a thief's")
	r.event(EventReady, "aaa")
	r.want("/", 200, "the shop's")
	r.manifest("zoo", claim) // it was there as long
	r.event(EventReady, "zoo")
	r.want("/", 200, "the shop's")
	r.stop()

	again := start(t, setup{app: sayVersion, edit: func(c *Config) { edit(c); c.Root = r.root }})
	again.ready("aaa", "shop", "zoo")
	again.want("/", 200, "the shop's")

	if err := os.RemoveAll(filepath.Join(r.root, "shop")); err != nil {
		t.Fatal(err)
	}
	again.event(EventStopped, "shop")
	again.want("/", 200, "a thief's")
}

func TestABrokenLedgerIsNoReasonNotToServe(t *testing.T) {
	state := t.TempDir()
	if err := os.WriteFile(filepath.Join(state, "routes.json"), []byte("[{"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, setup{app: sayVersion, edit: func(c *Config) { c.StateDir = state }})
	r.ready("app")
	r.want("/app", 200, "1")
	if !strings.Contains(r.log.String(), "reading who has which route") {
		t.Errorf("the log does not say so:\n%s", r.log)
	}
}
