package e2e

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, program{args: []string{"version"}}).exited(0).printed("wasgi ", "CPython 3.13.", "ABI ")
	o := w.run(t, program{args: []string{"version", "--json"}}).exited(0)
	var got struct {
		Wasgi, Go, Platform string
		ABI                 int
		Guest               map[string]any
	}
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil {
		t.Fatalf("%v: %s", err, o.stdout)
	}
	if got.Wasgi == "" || got.Go != runtime.Version() || got.Platform != runtime.GOOS+"/"+runtime.GOARCH || got.ABI == 0 {
		t.Errorf("wrote %+v", got)
	}
	if digests := regexp.MustCompile(`"[0-9a-f]{64}"`).FindAllString(o.stdout, -1); len(got.Guest) == 0 || len(digests) == 0 {
		t.Errorf("no digests of the guest's sources: %s", o.stdout)
	}
}

// TestDoctor asks what would be served, and why.
func TestDoctor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, parts := range map[string][]string{
		"bare":   {"wsgi:application", "wsgi.py"},
		"flask":  {"app:app", "app.py", "flask"},
		"django": {"mysite.wsgi:application", "manage.py", "django"},
		"bottle": {"app:app", "app.py", "bottle"},
	} {
		w.run(t, program{args: []string{"doctor", w.example(name)}}).exited(0).printed(parts...)
	}
	native := w.app(t, t.TempDir(), "noisy")
	write(t, native, "requirements.txt", "numpy==2.1.0\n")
	w.run(t, program{args: []string{"doctor", native}}).exited(1).printed("cannot work", "numpy")
	empty := t.TempDir()
	w.run(t, program{args: []string{"doctor", empty}}).exited(1)
	folder := w.app(t, t.TempDir(), "noisy")
	write(t, folder, "wasgi.toml", "isolation = \"fresh\"\n")
	w.run(t, program{args: []string{"doctor", folder}}).exited(0).printed("hint", `paths = ["/"]`)
	write(t, folder, "wasgi.toml", "\nisolatoin = \"fresh\"\n")
	o := w.run(t, program{args: []string{"doctor", folder}}).exited(1)
	o.stdout += o.stderr
	o.printed("wasgi.toml:2", "isolatoin", "isolation")
}

// TestCompletion writes a script for each shell.
func TestCompletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for shell, part := range map[string]string{
		"bash": "__start_wasgi", "zsh": "#compdef wasgi", "fish": "complete -c wasgi", "powershell": "Register-ArgumentCompleter",
	} {
		w.run(t, program{args: []string{"completion", shell}}).exited(0).printed(part)
	}
}

// TestUsage makes mistakes on the command line and in the configuration.
func TestUsage(t *testing.T) {
	t.Parallel()
	w, folder := newWorld(t), t.TempDir()
	w.run(t, program{args: []string{"--help"}}).exited(0).printed("serve", "dev", "python", "doctor", "version")
	w.run(t, program{args: []string{"sevre"}}).exited(2).complained(`unknown command "sevre"`, `did you mean "serve"?`)
	for _, args := range [][]string{{"serve", "extra"}, {"serve", "--no-such-flag"}, {"serve", "--slots", "0"}, {"serve", "--listen", "nowhere"}} {
		w.run(t, program{args: args}).exited(2).complained("wasgi")
	}
	file := filepath.Join(folder, "wasgi.toml")
	write(t, folder, "wasgi.toml", "listen = \"127.0.0.1:0\"\nslots = 2\nslot = 3\n")
	w.run(t, program{args: []string{"serve", "--config", file}}).exited(2).complained(file+":3", `unknown key "slot" (did you mean "slots"?)`)
	w.run(t, program{args: []string{"serve", "--root", filepath.Join(folder, "none"), "--listen", "127.0.0.1:0", "--admin-listen", ""}}).
		exited(1).complained("none")
}
