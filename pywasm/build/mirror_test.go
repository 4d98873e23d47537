package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const osRelease = "PRETTY_NAME=\"Debian\"\nVERSION_CODENAME=bookworm\n"

// TestMachineMirror reads the forms that apt's configuration has.
func TestMachineMirror(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"one line", "sources.list", "# deb http://old.test/debian bookworm main\ndeb http://one.test/debian bookworm main contrib\n", "http://one.test/debian"},
		{"options", "sources.list", "deb [arch=amd64 signed-by=/k.gpg] http://two.test/debian/ bookworm main\n", "http://two.test/debian/"},
		{"security first", "sources.list.d/a.list", "deb http://sec.test/ bookworm-security main\ndeb-src http://src.test/ bookworm main\ndeb http://three.test/ bookworm main\n", "http://three.test/"},
		{"paragraphs", "sources.list.d/debian.sources",
			"Types: deb\nURIs: http://sec.test/\nSuites: bookworm-security\nComponents: main\n\n# a note\nTypes: deb deb-src\nURIs: http://four.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By:\n -----BEGIN\n Types: x\n", "http://four.test/debian"},
		{"disabled", "sources.list.d/debian.sources",
			"Types: deb\nURIs: http://off.test/\nSuites: bookworm\nComponents: main\nEnabled: no\n\nTypes: deb\nURIs: http://on.test/\nSuites: bookworm\nComponents: main\n", "http://on.test/"},
		{"several addresses", "sources.list.d/debian.sources",
			"Types: deb\nURIs: http://first.test/\n http://second.test/\nSuites: bookworm\nComponents: main\n", "http://first.test/"},
	} {
		etc := t.TempDir()
		write(t, filepath.Join(etc, "os-release"), osRelease)
		write(t, filepath.Join(etc, "apt", c.file), c.text)
		if got, err := machineMirror(etc); err != nil || got != c.want {
			t.Errorf("%s: machineMirror = %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// TestNoMirror says what is missing.
func TestNoMirror(t *testing.T) {
	etc := t.TempDir()
	write(t, filepath.Join(etc, "os-release"), osRelease)
	write(t, filepath.Join(etc, "apt", "sources.list"), "deb http://other.test/ubuntu jammy main\n")
	_, err := machineMirror(etc)
	if err == nil || !strings.Contains(err.Error(), "names no mirror for bookworm main") {
		t.Errorf("machineMirror: %v", err)
	}
}

// TestSourcesFor keeps what the private apt is told.
func TestSourcesFor(t *testing.T) {
	want := "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://one.test/debian trixie main\n" +
		"deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://one.test/debian trixie main\n"
	if got := sourcesFor("http://one.test/debian"); got != want {
		t.Errorf("sourcesFor = %q, want %q", got, want)
	}
}
