package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackup takes the state of a server that serves, and starts another one from
// it.
func TestBackup(t *testing.T) {
	t.Parallel()
	o := operated(t)
	app := "import os\nopen('/data/kept', 'a').close()\n" + strings.Replace(source(""), "TEXT.encode()", `(os.environ.get("KEY", "-") + str(os.listdir("/data"))).encode()`, 1)
	o.input("hush-hush\n", "secret", "set", "shop", "KEY").exited(0)
	o.wasgi("deploy", o.app("", "wsgi.py", app)).exited(0)
	o.browser("shop").get("/").status(200).text("hush-hush['kept']")
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	o.wasgi("backup", file).wrote(0, "", file+" is written\n")
	o.wasgi("backup", "-", "--no-data", "--with-key").exited(0).printed("\x1f\x8b")
	o.wasgi("restore", file, "--state-dir", o.state).exited(1).complained("is not empty")
	key := read(t, filepath.Join(o.state, "secret.key"))

	second := &operator{T: t, world: o.world, root: t.TempDir(), state: filepath.Join(t.TempDir(), "s")}
	second.wasgi("restore", file, "--state-dir", second.state).exited(0).
		complained("the key of the secrets is not in it: put it at " + filepath.Join(second.state, "secret.key"))
	must(t, os.WriteFile(filepath.Join(second.state, "secret.key"), []byte(key), 0o600))
	second.serve()
	second.server.ready(t, "shop")
	second.browser("shop").get("/").status(200).text("hush-hush['kept']")

	third := &operator{T: t, world: o.world, root: t.TempDir(), state: filepath.Join(t.TempDir(), "s")}
	third.wasgi("restore", file, "--state-dir", third.state).exited(0)
	third.serve() // without the key
	third.server.logs(t, `msg="cannot be served" tenant=shop .*the secret KEY of shop cannot be opened with this key`, 0)
}

// TestTop writes tables where there is no terminal.
func TestTop(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("x\n")).exited(0)
	o.browser("shop").get("/").status(200)
	out := o.wasgi("top", "--times", "2", "--every", "100ms").exited(0).printed("1 tenants, 0 busy instances", "REQUESTS", "REQ/S")
	if n := strings.Count(out.stdout, "shop"); n != 2 {
		t.Errorf("%d lines of the tenant, want 2:\n%s", n, out.stdout)
	}
}
