package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// Each golden is a file, a line of dashes, the environment and flags, a line
// of dashes, and the error or the settings that differ from the defaults.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(text), "-----\n")
			if len(parts) != 3 {
				t.Fatalf("%d parts", len(parts))
			}
			if diff := cmp.Diff(parts[2], outcome(t, parts[0], parts[1])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func outcome(t *testing.T, toml, rest string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wasgi.toml", []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"HOME=/home/u"}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(fs)
	var args []string
	for _, word := range strings.Fields(rest) {
		if strings.HasPrefix(word, "--") {
			args = append(args, word)
		} else {
			environ = append(environ, word)
		}
	}
	if err := fs.Parse(args); err != nil {
		return err.Error() + "\n"
	}
	c, err := load("wasgi.toml", fs, environ, 1000)
	if err != nil {
		return err.Error() + "\n"
	}
	return difference(t, c)
}

func difference(t *testing.T, c Config) string {
	t.Helper()
	base, err := Default([]string{"HOME=/home/u"}, 1000).Absolute()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	was := fields(&base)
	for i, f := range fields(&c) {
		if now, then := f.value.Interface(), was[i].value.Interface(); now != then {
			fmt.Fprintf(&out, "%s = %v\n", f.key, now)
		}
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(&out, "warning: %s\n", w)
	}
	return out.String()
}

func TestDefaultIsValid(t *testing.T) {
	c := Default(nil, 0)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if c.StateDir != "/var/lib/wasgi" || c.CacheDir != "/var/cache/wasgi" {
		t.Errorf("root's folders: %s, %s", c.StateDir, c.CacheDir)
	}
}

func TestFoldersFollowXDG(t *testing.T) {
	for _, c := range []struct {
		environ      []string
		state, cache string
	}{
		{[]string{"HOME=/h"}, "/h/.local/state/wasgi", "/h/.cache/wasgi"},
		{[]string{"HOME=/h", "XDG_STATE_HOME=/s", "XDG_CACHE_HOME=relative"}, "/s/wasgi", "/h/.cache/wasgi"},
		{nil, ".wasgi", ".wasgi"},
	} {
		if state, cache := folders(c.environ, 1); state != c.state || cache != c.cache {
			t.Errorf("%q: %s, %s, want %s, %s", c.environ, state, cache, c.state, c.cache)
		}
	}
}

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "512": 512, "64KiB": 64 * KiB, "64 k": 64 * KiB, "1.5 MiB": 1536 * KiB, "1GB": 1e9, "3b": 3,
	} {
		if got, err := ParseBytes(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "1TiBs", "NaN", "Inf", "9999999999GiB", "1e30", "KiB"} {
		if got, err := ParseBytes(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"1", "64MiB", "1.5k", "-1", "1e400", "0x10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBytes(s)
		if err != nil {
			return
		}
		if b < 0 {
			t.Fatalf("%q is %d", s, b)
		}
		if again, err := ParseBytes(b.String()); err != nil || again != b {
			t.Fatalf("%q is %d, written %q, read %d, %v", s, b, b, again, err)
		}
	})
}

func FuzzLoadFile(f *testing.F) {
	f.Add("listen = \"a:1\"\n")
	f.Add("[x]\ny = 1\n")
	f.Add("a.b.c = 1\nslots = \"x\"")
	f.Add("slots = [1, 2]\nwatch = 1979-05-27")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "f.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := load(file, nil, nil, 0); err == nil && c.Validate() != nil {
			t.Fatalf("%q was taken and is not valid", text)
		}
	})
}

func TestEveryFieldHasAKeyAndHelp(t *testing.T) {
	var c Config
	for _, f := range fields(&c) {
		if f.key == "" || f.help == "" {
			t.Errorf("field of type %s: key %q, help %q", f.value.Type(), f.key, f.help)
		}
	}
}

func TestFlagDefaultsAreTheConfig(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(fs)
	if f := fs.Lookup("max-body"); f == nil || f.DefValue != "64MiB" || f.Value.Type() != "size" {
		t.Errorf("%+v", f)
	}
	if f := fs.Lookup("request-timeout"); f == nil || f.DefValue != (30*time.Second).String() {
		t.Errorf("%+v", f)
	}
}
