package tenants

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func fingerprint(t *testing.T, dir string, skip ...string) Digest {
	t.Helper()
	d, err := Fingerprint(dir, skip...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFingerprintSeesContent(t *testing.T) {
	dir := t.TempDir()
	change := func(text string) func() { return func() { write(t, dir+"/pkg/a.py", text) } }
	change("one")()
	last := fingerprint(t, dir)
	seen := map[Digest]string{last: "start"}
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"content", change("two")},
		{"new file", func() { write(t, dir+"/b.py", "") }},
		{"rename", func() { _ = os.Rename(dir+"/b.py", dir+"/c.py") }},
		{"empty folder", func() { _ = os.Mkdir(dir+"/empty", 0o755) }},
		{"link", func() { _ = os.Symlink("c.py", dir+"/d.py") }},
		{"link elsewhere", func() { _ = os.Remove(dir + "/d.py"); _ = os.Symlink("/etc/passwd", dir+"/d.py") }},
		{"file and name moved", func() { write(t, dir+"/x", "ab"); write(t, dir+"/y", "c") }},
		{"same bytes, other border", func() { write(t, dir+"/x", "a"); write(t, dir+"/y", "bc") }},
	} {
		step.do()
		now := fingerprint(t, dir)
		if before, known := seen[now]; known {
			t.Errorf("%s: the same digest as after %q", step.name, before)
		}
		seen[now] = step.name
	}
}

func TestFingerprintPassesOver(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/app.py", "x")
	before := fingerprint(t, dir, "data", "db.sqlite3")
	for _, name := range []string{".git/HEAD", "__pycache__/a.pyc", "pkg.pyc", ".venv/x", "node_modules/x", "data/x", "db.sqlite3"} {
		write(t, dir+"/"+name, "y")
	}
	old := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(dir+"/app.py", old, old); err != nil {
		t.Fatal(err)
	}
	if after := fingerprint(t, dir, "data", "db.sqlite3"); after != before {
		t.Error("the digest changed with what is no part of the application")
	}
}

func TestStampChanged(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"same.py", "edited.py", "touched.py", "gone.py", "pkg/in.py", "__pycache__/x.pyc"} {
		write(t, dir+"/"+name, "1")
	}
	before, err := TakeStamp(dir)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/edited.py", "12")
	old := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(dir+"/touched.py", old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir + "/gone.py"); err != nil {
		t.Fatal(err)
	}
	write(t, dir+"/pkg/new.py", "")
	write(t, dir+"/__pycache__/y.pyc", "")
	after, err := TakeStamp(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"edited.py", "gone.py", "pkg/new.py", "touched.py"}
	if diff := cmp.Diff(want, before.Changed(after)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := after.Changed(after); again != nil {
		t.Errorf("changed without a change: %v", again)
	}
}
