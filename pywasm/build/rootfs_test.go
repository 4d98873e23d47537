package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestZipTree gives the same bytes for the same files, whatever their times.
func TestZipTree(t *testing.T) {
	pack := func(age time.Duration) []byte {
		root := t.TempDir()
		p := write(t, filepath.Join(root, "usr", "lib", "a.py"), "pass\n")
		if err := os.Mkdir(filepath.Join(root, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := zipTree(&b, root); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	one := pack(0)
	if !bytes.Equal(one, pack(time.Hour)) {
		t.Error("equal trees make different archives")
	}
	z, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if want := []string{"tmp/", "usr/", "usr/lib/", "usr/lib/a.py"}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}
