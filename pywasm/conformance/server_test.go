package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pages is a server that needs no package: Python's own, of a folder's files.
func pages(t *testing.T) *server {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is missing: make tools installs it")
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return &server{
		program: python, user: me.Username, end: syscall.SIGTERM,
		prepare: func(dir, program string) *exec.Cmd { return exec.Command("touch", "prepared") },
		command: func(ctx context.Context, dir, program, port string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "-m", "http.server", "--bind", "127.0.0.1", port)
		},
		tell: func(u *unit, port string) { u.env = append(u.env, "PORT="+port) },
	}
}

func testWorld(t *testing.T) *world {
	t.Helper()
	return &world{options: options{cache: t.TempDir()}, tmp: t.TempDir()}
}

// TestServerEndsWithItsSuite looks for the process and the folder after a stop,
// and after the context of the run has ended as it does at Ctrl-C.
func TestServerEndsWithItsSuite(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		w, units := testWorld(t), make([]unit, 2)
		ctx, cancel := context.WithCancel(t.Context())
		stop, err := w.serve(ctx, suite{name: "pages", server: pages(t)}, units)
		if err != nil {
			t.Fatal(err)
		}
		port, _ := strings.CutPrefix(units[1].env[0], "PORT=")
		if got := units[0].allow; len(got) != 1 || got[0] != "127.0.0.1:"+port {
			t.Errorf("the unit may connect to %q, the server listens on %s", got, port)
		}
		dir := filepath.Join(w.tmp, "pages-server")
		if _, err := os.Stat(filepath.Join(dir, "prepared")); err != nil {
			t.Error(err)
		}
		if interrupted {
			cancel()
		}
		stop()
		cancel()
		if err := answers(t.Context(), port, closed()); err == nil || err.Error() != "it ended at once" {
			t.Errorf("interrupted %v: who asks port %s gets %v", interrupted, port, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("interrupted %v: the folder is still there: %v", interrupted, err)
		}
	}
}

func closed() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// TestServerThatDoesNotStart leaves no folder, and says why.
func TestServerThatDoesNotStart(t *testing.T) {
	s := pages(t)
	for _, c := range []struct {
		what, says string
		change     func()
	}{
		{"it ends", "its server: it ended at once", func() {
			s.command = func(ctx context.Context, dir, program, port string) *exec.Cmd {
				return exec.CommandContext(ctx, program, "-c", "raise SystemExit(3)")
			}
		}},
		{"it cannot be prepared", "its server: preparing it: exit status 1", func() {
			s.prepare = func(dir, program string) *exec.Cmd { return exec.Command("false") }
		}},
		{"it is missing", "its server: there is no /nowhere/*/postgres: make tools installs it", func() { s.program = "/nowhere/*/postgres" }},
	} {
		c.change()
		w := testWorld(t)
		_, err := w.serve(t.Context(), suite{name: "pages", server: s}, make([]unit, 1))
		if err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v", c.what, err)
		}
		if left, _ := filepath.Glob(filepath.Join(w.tmp, "*")); len(left) > 0 {
			t.Errorf("%s: %q is left", c.what, left)
		}
	}
}

// TestATestThatHangsIsEnded gives a unit a deadline that moves with its records.
func TestATestThatHangsIsEnded(t *testing.T) {
	records := filepath.Join(t.TempDir(), recordsFile)
	if err := os.WriteFile(records, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch(ctx, cancel, records, time.Millisecond)
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("the unit goes on: %v", ctx.Err())
	}
}
