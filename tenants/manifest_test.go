package tenants

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

func TestLoadManifest(t *testing.T) {
	golden(t, "manifest", func(t *testing.T, dir string) string {
		m, err := LoadManifest(dir)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return differences(t, m)
	})
}

// differences writes the keys that are not as Defaults has them.
func differences(t *testing.T, m Manifest) string {
	t.Helper()
	usual := strings.Split(asTOML(t, Defaults()), "\n")
	var b strings.Builder
	for _, f := range m.Files {
		b.WriteString("# read from " + f + "\n")
	}
	old := map[string]bool{}
	table := ""
	for _, line := range usual {
		if strings.HasPrefix(line, "[") {
			table = line
		}
		old[table+line] = true
	}
	table = ""
	for line := range strings.Lines(asTOML(t, m)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "[") {
			table = line
		} else if !old[table+line] {
			b.WriteString(strings.TrimSpace(table + " " + line))
			b.WriteString("\n")
		}
	}
	return b.String()
}

func asTOML(t *testing.T, m Manifest) string {
	t.Helper()
	out, err := toml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestDefaultsAreValidAndReadBack(t *testing.T) {
	d := Defaults()
	if err := d.check(manifestText{}); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	write(t, dir+"/"+ManifestFile, asTOML(t, d))
	got, err := LoadManifestWith(dir, Manifest{})
	if err != nil {
		t.Fatal(err)
	}
	d.Files = []string{ManifestFile}
	clear := cmp.Transformer("empty", func(s []string) []string { return append([]string{}, s...) })
	env := cmp.Transformer("empty", func(m map[string]string) int { return len(m) })
	if diff := cmp.Diff(d, got, clear, env); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadManifestLeavesTheDefaultsAlone(t *testing.T) {
	defaults := Defaults()
	defaults.Env = map[string]string{"A": "1"}
	defaults.Hosts = []string{"a.example", "b.example"}
	dir := t.TempDir()
	write(t, dir+"/"+ManifestFile, "hosts = ['c.example']\n[env]\nB = '2'\n")
	m, err := LoadManifestWith(dir, defaults)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "2"}, m.Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c.example"}, m.Hosts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"A": "1"}, defaults.Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a.example", "b.example"}, defaults.Hosts); diff != "" {
		t.Error(diff)
	}
}

func TestManifestErrorHasItsPlace(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/"+ManifestFile, "\n[limits]\nmemroy = '1GiB'\n")
	_, err := LoadManifest(dir)
	var e *ManifestError
	if !errors.As(err, &e) {
		t.Fatalf("%T %v", err, err)
	}
	want := ManifestError{dir + "/" + ManifestFile, 3, "limits.memroy", `unknown key; did you mean "limits.memory"?`}
	if *e != want {
		t.Errorf("%+v, want %+v", *e, want)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "512": 512, "1B": 1, "64MB": 64_000_000, "64MiB": 64 << 20, "1 GiB": 1 << 30, "2k": 2048, "3TB": 3e12, "8gib": 8 << 30,
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5GB", "1XB", "99999999999TiB", "9223372036854775808"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, s)
		}
	}
	for s, want := range map[Size]string{0: "0B", 1: "1B", 1 << 10: "1KiB", 3 << 20: "3MiB", 1000: "1000B", 5 << 40: "5TiB"} {
		if s.String() != want {
			t.Errorf("%d is written %q, want %q", int64(s), s, want)
		}
	}
}

func TestDurationText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", 2 * time.Hour: "2h", 250 * time.Millisecond: "250ms",
	} {
		got, err := Duration{d}.MarshalText()
		if err != nil || string(got) != want {
			t.Errorf("%s is written %q, want %q", d, got, want)
		}
		var back Duration
		if err := back.UnmarshalText(got); err != nil || back.Duration != d {
			t.Errorf("%q is read as %s, %v", got, back, err)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"64MiB", "1", "k", "9223372036854775807", " 3 GB "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, back Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s || s < 0 {
			t.Errorf("%q is %d, written %q, read back as %d, %v", text, int64(s), s, int64(back), err)
		}
	})
}

func FuzzManifest(f *testing.F) {
	for _, s := range []string{"entry = 'a:b'", "[limits]\nmemory='1GiB'", "[env]\nA='1'", "x = [", "[[warmup]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := Defaults()
		if decodeManifest("wasgi.toml", []byte(text), nil, &m) == nil {
			_ = m.check(manifestText{data: []byte(text)}) // must not panic
		}
		p := Defaults()
		_ = decodeManifest("pyproject.toml", []byte(text), []string{"tool", "wasgi"}, &p)
	})
}
