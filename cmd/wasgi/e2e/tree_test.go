package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// copyTree copies a folder of an application, with the times of its files,
// which static file servers make entity tags of.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if entry.IsDir() {
			if entry.Name() == "__pycache__" {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o755)
		}
		return copyFile(path, target)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// write replaces a file below a folder, and makes the folders in between.
func write(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prepend puts lines in front of a tenant's manifest: keys before its tables.
func prepend(t *testing.T, folder, lines string) {
	t.Helper()
	path := filepath.Join(folder, "wasgi.toml")
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	write(t, folder, "wasgi.toml", lines+string(text))
}

// app copies an application of testdata/apps into a root.
func (w world) app(t *testing.T, root, name string) string {
	t.Helper()
	folder := filepath.Join(root, name)
	copyTree(t, filepath.Join("testdata", "apps", name), folder)
	return folder
}
