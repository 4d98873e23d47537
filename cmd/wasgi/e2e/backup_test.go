package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	var kept struct {
		File      string
		Bytes     int64
		Data, Key bool
	}
	other := filepath.Join(t.TempDir(), "other.tar.gz")
	must(t, json.Unmarshal([]byte(o.wasgi("backup", other, "--json", "--no-data").exited(0).stdout), &kept))
	if info, err := os.Stat(other); err != nil || kept.File != other || kept.Bytes != info.Size() || kept.Data || kept.Key {
		t.Errorf("%+v, %v", kept, err)
	}
	o.wasgi("backup", "-", "--json").exited(2).complained("standard output is the backup's")
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
	third.wasgi("restore", file, "--json", "--state-dir", third.state).wrote(0, "{\n  \"state_dir\": \""+third.state+"\",\n  \"key\": false\n}\n", "")
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
	lines := strings.Split(strings.TrimSpace(o.wasgi("top", "--json", "--times", "2", "--every", "100ms").exited(0).stdout), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2: %q", len(lines), lines)
	}
	for i, line := range lines {
		var look struct {
			Time    time.Time
			Tenants []struct {
				Name     string
				Requests int
				Rate     *float64 `json:"requests_per_second"`
			}
		}
		if err := json.Unmarshal([]byte(line), &look); err != nil || look.Time.IsZero() || len(look.Tenants) != 1 {
			t.Fatalf("%v: %s", err, line)
		}
		if got := look.Tenants[0]; got.Name != "shop" || got.Requests != 1 || (got.Rate == nil) != (i == 0) {
			t.Errorf("look %d: %s", i, line)
		}
	}
}
