package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseMount(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		spec string
		want Mount
	}{
		{dir + ":/work", Mount{dir, "/work", false}},
		{dir + ":/work:ro", Mount{dir, "/work", false}},
		{dir + ":/work:rw", Mount{dir, "/work", true}},
	} {
		got, err := ParseMount(c.spec)
		if err != nil || got != c.want {
			t.Errorf("ParseMount(%q) = %+v, %v, want %+v", c.spec, got, err, c.want)
		}
	}
}

func TestParseMountRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ spec, want string }{
		{dir, "want HOST:GUEST"},
		{":/work", "want HOST:GUEST"},
		{dir + ":work", "want an absolute path"},
		{dir + ":/", "want an absolute path"},
		{dir + ":/work/..", "want an absolute path"},
		{dir + ":/work:x", `the mode is "x"`},
		{file + ":/work", "is not a folder"},
		{filepath.Join(dir, "none") + ":/work", "no such file"},
	} {
		_, err := ParseMount(c.spec)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseMount(%q) = %v, want an error with %q", c.spec, err, c.want)
		}
	}
}
