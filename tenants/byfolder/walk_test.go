package byfolder

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func folder(t *testing.T) *os.Root {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a.py", "a/z.py", "a/b/c.py", "a-b/x", "skip/y", "skip/deep/z", "B", "empty/"} {
		if filepath.Base(name) == "empty" {
			must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	must(t, os.Symlink("a", filepath.Join(dir, "link")))
	must(t, os.Symlink("/etc", filepath.Join(dir, "out")))
	root, err := os.OpenRoot(dir)
	must(t, err)
	t.Cleanup(func() { _ = root.Close() })
	return root
}

// TestOrder: everything comes as fs.WalkDir has it.
func TestOrder(t *testing.T) {
	root := folder(t)
	var want, got []string
	must(t, fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if name == "skip" {
			return fs.SkipDir
		}
		if name != "." {
			want = append(want, name+" "+e.Type().String())
		}
		return err
	}))
	must(t, Walk(root, func(in *os.Root, name string, e fs.DirEntry) error {
		if name == "skip" {
			return fs.SkipDir
		}
		if e.Type().IsRegular() {
			text, err := in.ReadFile(path.Base(name))
			must(t, err)
			if string(text) != name {
				t.Errorf("%s is %q from its folder", name, text)
			}
		}
		got = append(got, name+" "+e.Type().String())
		return nil
	}))
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestErrorsEndIt, and a folder that goes meanwhile does not.
func TestErrorsEndIt(t *testing.T) {
	root, enough := folder(t), errors.New("enough")
	var seen []string
	err := Walk(root, func(_ *os.Root, name string, _ fs.DirEntry) error {
		seen = append(seen, name)
		if name == "a" {
			return root.RemoveAll("a")
		}
		if name == "a.py" {
			return enough
		}
		return nil
	})
	if want := []string{"B", "a", "a-b", "a-b/x", "a.py"}; !errors.Is(err, enough) || !slices.Equal(seen, want) {
		t.Errorf("%v, %q, want %q", err, seen, want)
	}
}
