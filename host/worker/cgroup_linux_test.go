package worker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hierarchy lays out files as the kernel does, below a folder.
func hierarchy(t *testing.T, own, controllers string) (proc, parent string) {
	t.Helper()
	dir := t.TempDir()
	mount := filepath.Join(dir, "cgroup")
	parent = filepath.Join(mount, "system.slice", "wasgi.service")
	for name, text := range map[string]string{
		"proc/mountinfo": "25 1 0:22 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
			"26 1 0:23 / " + mount + " rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
		"proc/cgroup": "3:cpu:/x\n0::" + own + "\n",
		"cgroup/system.slice/wasgi.service/cgroup.controllers":     controllers,
		"cgroup/system.slice/wasgi.service/cgroup.subtree_control": "",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "proc"), parent
}

func TestGroupParent(t *testing.T) {
	proc, parent := hierarchy(t, "/system.slice/wasgi.service/host", "cpu memory pids\n")
	got, err := groupParent(proc)
	if err != nil || got != parent {
		t.Fatalf("%q, %v, want %q", got, err, parent)
	}
	if b, _ := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control")); string(b) != "+memory +pids" {
		t.Errorf("wrote %q", b)
	}
}

func TestNoGroupParent(t *testing.T) {
	for _, c := range []struct{ name, own, controllers, want string }{
		{"root", "/", "memory pids", "the root of the control groups"},
		{"no controller", "/system.slice/wasgi.service/host", "cpu pids", `no controller "memory"`},
		{"elsewhere", "/user.slice/x/y", "memory pids", "no such file"},
	} {
		proc, _ := hierarchy(t, c.own, c.controllers)
		if got, err := groupParent(proc); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

// TestGroup writes the limits into a folder that stands for a group.
func TestGroup(t *testing.T) {
	want := map[string]string{"memory.max": "1073741824", "memory.swap.max": "0", "pids.max": "512"}
	g := &group{dir: t.TempDir(), fd: -1}
	for name := range want {
		if err := os.WriteFile(filepath.Join(g.dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.limit(1 << 30); err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		file := filepath.Join(g.dir, name)
		if b, err := os.ReadFile(file); err != nil || string(b) != text {
			t.Errorf("%s: %q, %v, want %q", name, b, err, text)
		}
		if err := os.Remove(file); err != nil { // the kernel's go with the folder
			t.Error(err)
		}
	}
	if err := g.limit(1 << 30); err == nil {
		t.Error("a group without a memory limit was taken")
	}
	for range 2 {
		if err := g.remove(); err != nil {
			t.Error(err)
		}
	}
}

// TestGroupThatCannotBeMade leaves nothing behind.
func TestGroupThatCannotBeMade(t *testing.T) {
	parent := t.TempDir() // its folders have no files of limits
	if g, err := newGroup(parent, "shop", 1<<30); err == nil {
		t.Fatal(g.dir)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
