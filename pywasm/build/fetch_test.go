package main

import (
	"os"
	"path/filepath"
	"testing"
)

// fetched makes a folder as apt leaves it, and describes it.
func fetched(t *testing.T, p pin, names ...string) source {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := listSource(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spam is a pin whose upstream tarball holds its own name.
var spam = pin{name: "spam", version: "1.2", licence: "MIT",
	sha256: "4ccef33e14fe2ed2d0fd1baf2ffe4b72c0ba17a39d0dfb5b8ca0bd1a5d3a5f6e"}

// TestPinHolds marks the file that the pin is about.
func TestPinHolds(t *testing.T) {
	names := []string{"spam_1.2-3.debian.tar.xz", "spam_1.2-3.dsc", "spam_1.2.orig.tar.xz", "spam_1.2.orig.tar.xz.asc"}
	p := spam
	s := fetched(t, p, names...)
	p.sha256 = s.Files[2].SHA256
	if err := checkPin(&s, p); err != nil {
		t.Fatal(err)
	}
	for i, f := range s.Files {
		if f.Pinned != (i == 2) {
			t.Errorf("%s: pinned is %v", f.Name, f.Pinned)
		}
	}
	if s.Version != "1.2-3" {
		t.Errorf("version %q, want 1.2-3", s.Version)
	}
}

// TestPinMismatch says what was expected, what came, and what to do.
func TestPinMismatch(t *testing.T) {
	s := fetched(t, spam, "spam_1.2-3.dsc", "spam_1.2.orig.tar.gz")
	want := "spam_1.2.orig.tar.gz has the SHA-256 " + string(s.Files[1].SHA256) +
		", but the table in pywasm/build/pins.go expects " + string(spam.sha256) +
		": do not build from it; find out why the mirror serves other bytes, and change the table only when you trust them"
	if err := checkPin(&s, spam); err == nil || err.Error() != want {
		t.Errorf("checkPin: %v\nwant %s", err, want)
	}
}

// TestPinMoved names the table to edit.
func TestPinMoved(t *testing.T) {
	s := fetched(t, spam, "spam_1.3-1.dsc", "spam_1.3.orig.tar.gz")
	want := "spam has moved on to version 1.3-1, but the table in pywasm/build/pins.go expects 1.2: " +
		"edit its version and its SHA-256 there, and look whether the recipe still fits"
	if err := checkPin(&s, spam); err == nil || err.Error() != want {
		t.Errorf("checkPin: %v\nwant %s", err, want)
	}
}

// TestPins looks over the table.
func TestPins(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range pins() {
		if seen[p.name] || p.licence == "" {
			t.Errorf("pin %s is there twice or has no licence", p.name)
		}
		if !p.binary && (len(p.sha256) != 64 || p.version == "") {
			t.Errorf("pin %s has no version or no SHA-256", p.name)
		}
		seen[p.name] = true
	}
}
