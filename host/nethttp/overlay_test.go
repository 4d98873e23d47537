package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/patching"
)

// here is an overlay of the Go that runs this test.
func here(t *testing.T) overlay {
	t.Helper()
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("the program patch is missing; make build installs it")
	}
	root, version, err := toolchain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return overlay{root: root, version: version, patch: serverPatch, out: filepath.Join(t.TempDir(), "out")}
}

func replaced(t *testing.T, o overlay) map[string]string {
	t.Helper()
	b, err := os.ReadFile(o.json())
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Replace map[string]string }
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	return read.Replace
}

// TestPatchFitsGo: the one of go.mod, which is what runs this.
func TestPatchFitsGo(t *testing.T) {
	o := here(t)
	for range 2 {
		if err := o.make(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all := replaced(t, o)
	patched, err := os.ReadFile(all[filepath.Join(o.out, "go", "src", "net", "http", "server.go")])
	if err != nil || len(all) != 1 || !bytes.Contains(patched, []byte("backgroundReadDelay")) {
		t.Errorf("%v replaces %v", err, all)
	}
	if to, err := os.Readlink(o.link()); to != o.root || err != nil {
		t.Errorf("the link names %q, %v; want %s", to, err, o.root)
	}
	if left, _ := filepath.Glob(filepath.Join(o.out, "making-*")); left != nil {
		t.Errorf("left behind: %q", left)
	}
}

// TestWhatIsThereIsLeftAlone: another time would have Go build everything anew.
func TestWhatIsThereIsLeftAlone(t *testing.T) {
	o := here(t)
	var before os.FileInfo
	for range 2 {
		if err := o.make(t.Context()); err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(filepath.Join(o.out, "server.go"))
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !after.ModTime().Equal(before.ModTime()) {
			t.Error("the file was written again")
		}
		before = after
	}
}

// TestAnotherGo: one that the patch does not fit is used as it is, from where it
// is now.
func TestAnotherGo(t *testing.T) {
	o := here(t)
	if err := o.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.root, o.version = t.TempDir(), "go9.9"
	name := filepath.Join(o.root, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("package http\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := o.make(t.Context())
	var unfit patching.UnfitError
	if !errors.As(err, &unfit) || !strings.Contains(err.Error(), "net/http of go9.9 is used as it is") {
		t.Errorf("got %v", err)
	}
	if all := replaced(t, o); len(all) != 0 {
		t.Errorf("it replaces %v", all)
	}
	if to, _ := os.Readlink(o.link()); to != o.root {
		t.Errorf("the link names %s", to)
	}
}
