package main

import (
	"os"
	"path/filepath"
	"slices"
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

// TestOlderPinHolds takes an older tarball that the table knows too.
func TestOlderPinHolds(t *testing.T) {
	s := fetched(t, spam, "spam_1.1-9.dsc", "spam_1.1.orig.tar.gz")
	p := spam
	p.older = []tarball{{"1.1", s.Files[1].SHA256}}
	if err := checkPin(&s, p); err != nil || !s.Files[1].Pinned {
		t.Errorf("checkPin: %v, pinned %v", err, s.Files[1].Pinned)
	}
}

// TestSeriesHolds takes a newer version of the series, and says that it is
// not pinned; another series is refused.
func TestSeriesHolds(t *testing.T) {
	p := spam
	p.series = "1."
	s := fetched(t, p, "spam_1.9-1.dsc", "spam_1.9.orig.tar.gz")
	if err := checkPin(&s, p); err != nil || s.Files[1].Pinned {
		t.Errorf("checkPin: %v, pinned %v", err, s.Files[1].Pinned)
	}
	s = fetched(t, p, "spam_2.0-1.dsc", "spam_2.0.orig.tar.gz")
	if err := checkPin(&s, p); err == nil {
		t.Error("a version of another series was taken")
	}
}

// TestPreferred orders what the mirror offers: pinned tarballs in the order of
// the table, the newest revision of each first, then the rest of the series.
func TestPreferred(t *testing.T) {
	offered := []string{"2:2.0-1", "2:1.9-1", "2:1.2-3+deb13u1", "2:1.2-3", "2:1.1-9", "2:1.0-1"}
	p := spam
	p.older = []tarball{{"1.1", spam.sha256}}
	for series, want := range map[string][]string{
		"":   {"2:1.2-3+deb13u1", "2:1.2-3", "2:1.1-9"},
		"1.": {"2:1.2-3+deb13u1", "2:1.2-3", "2:1.1-9", "2:1.9-1", "2:1.0-1"},
	} {
		p.series = series
		if got := preferred(p, offered); !slices.Equal(got, want) {
			t.Errorf("series %q: %q, want %q", series, got, want)
		}
	}
}

// TestUpstream takes epoch and revision from a version.
func TestUpstream(t *testing.T) {
	for version, want := range map[string]string{
		"1:1.3.dfsg+really1.3.1-1+deb13u1": "1.3.dfsg+really1.3.1",
		"3.5.9-1~deb13u1":                  "3.5.9",
		"1.2":                              "1.2",
		"4:1-2-3":                          "1-2",
	} {
		if got := upstream(version); got != want {
			t.Errorf("upstream(%q) = %q, want %q", version, got, want)
		}
	}
}

// TestSourceVersions reads what apt-cache showsrc prints.
func TestSourceVersions(t *testing.T) {
	text := "Package: spam\nVersion: 1:1.2-3\nStandards-Version: 4.7\n\nPackage: spam\nVersion: 1:1.2-3+deb13u1\n"
	if got, want := sourceVersions(text), []string{"1:1.2-3", "1:1.2-3+deb13u1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
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
