package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// spam is a module of one file, and a patch of it.
func spam(t *testing.T) copyOf {
	t.Helper()
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("the program patch is missing; make build installs it")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "spam.go"), "package spam\n\nconst Eggs = 1\n")
	const diff = "--- a/spam.go\n+++ b/spam.go\n@@ -1,3 +1,3 @@\n package spam\n \n-const Eggs = 1\n+const Eggs = 2\n"
	return copyOf{module: module{Version: "v1.0.0", Dir: dir, Sum: "h1:x"}, patches: []patch{{"spam.patch", []byte(diff)}}, out: filepath.Join(t.TempDir(), "out")}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o444); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCopyIsPatchedOnce makes a copy, leaves it alone, and makes it anew when
// the patch has changed.
func TestCopyIsPatchedOnce(t *testing.T) {
	c := spam(t)
	file := filepath.Join(c.src(), "spam.go")
	for _, step := range []struct{ from, to, want string }{
		{"", "", "= 2"},
		{"= 2", "= 7", "= 7"}, // a copy that is there is not looked at
	} {
		if err := c.make(t.Context()); err != nil {
			t.Fatal(err)
		}
		if step.from != "" {
			text := strings.Replace(read(t, file), step.from, step.to, 1)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := c.make(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(t, file); !strings.Contains(got, step.want) {
			t.Errorf("the copy says %q, want %q", got, step.want)
		}
	}
	c.patches[0].text = []byte(strings.Replace(string(c.patches[0].text), "Eggs = 2", "Eggs = 3", 1))
	if err := c.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, file); got != "package spam\n\nconst Eggs = 3\n" {
		t.Errorf("after a new patch the copy says %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(c.out, "making-*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

// TestPatchThatDoesNotFit leaves no copy and says what to do.
func TestPatchThatDoesNotFit(t *testing.T) {
	c := spam(t)
	c.patches[0].text = []byte(strings.ReplaceAll(string(c.patches[0].text), "Eggs", "Ham"))
	err := c.make(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a patch does not fit "+path+" v1.0.0: write host/sandbox/wazero/spam.patch anew for it") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(c.src()); !os.IsNotExist(err) {
		t.Errorf("a copy is there: %v", err)
	}
}

// TestPatchesFitWazero applies the patches, all that are there, to the release
// that go.mod names.
func TestPatchesFitWazero(t *testing.T) {
	c := spam(t)
	m, err := download(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.patches, err = patches(); err != nil {
		t.Fatal(err)
	}
	if here, _ := filepath.Glob("*.patch"); len(here) != len(c.patches) {
		t.Errorf("%d patches are applied, and %d are here", len(c.patches), len(here))
	}
	c.module = m
	if err := c.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(c.src(), "cache.go")); !strings.Contains(got, "-"+c.stamp()[:12]+"-") {
		t.Error("both kinds of compiled code would share a cache")
	}
}
