package tenants

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLoadDefaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"isolation = \"fresh\"\n":       "",
		"\nisolatoin = \"fresh\"\n":     "_defaults.toml:2: isolatoin: unknown key; did you mean \"isolation\"?",
		"entry = \"a:b\"\n":             "_defaults.toml:1: entry: is one application's own: write it into the application's wasgi.toml",
		"[limits]\nmemory = \"1MiB\"\n": "_defaults.toml:2: limits.memory: 1MiB is outside 32MiB to 4GiB",
	} {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, DefaultsFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := LoadDefaults(root, Defaults())
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != filepath.Join(root, want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	root := t.TempDir()
	m, err := LoadDefaults(root, Defaults())
	if err != nil || m.Isolation != Reuse {
		t.Errorf("without a file: %+v, %v", m, err)
	}
	text := "isolation = \"fresh\"\n[env]\nA = \"of all\"\nB = \"of all\"\n[limits]\nrequest_timeout = \"7s\"\n"
	if err := os.WriteFile(filepath.Join(root, DefaultsFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if m, err = LoadDefaults(root, Defaults()); err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(root, "app")
	if err := os.Mkdir(app, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, ManifestFile), []byte("[env]\nA = \"own\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	own, err := LoadManifestWith(app, m)
	if err != nil || own.Isolation != Fresh || own.Limits.RequestTimeout.Duration != 7*time.Second || own.Env["A"] != "own" || own.Env["B"] != "of all" || m.Env["A"] != "of all" {
		t.Errorf("%+v, %v", own, err)
	}
}
