package tenantlog

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// files is what lies in a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(text)
	}
	return out
}

func TestFileTurnsOver(t *testing.T) {
	for _, c := range []struct {
		name    string
		keep    int
		records string
		want    map[string]string
	}{
		{"fits", 2, "1234 5678", map[string]string{"a": "12345678"}},
		{"one too many", 2, "1234 5678 9", map[string]string{"a": "9", "a.1": "12345678"}},
		{"oldest goes", 2, "aaaaaaaa bbbbbbbb cccccccc d", map[string]string{"a": "d", "a.1": "cccccccc", "a.2": "bbbbbbbb"}},
		{"none kept", 0, "aaaaaaaa b", map[string]string{"a": "b"}},
		{"larger than the file", 1, "a bbbbbbbbbbbb c", map[string]string{"a": "c", "a.1": "bbbbbbbbbbbb"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := NewFile(filepath.Join(dir, "a"), 8, c.keep)
			for record := range strings.FieldsSeq(c.records) {
				if n, err := f.Write([]byte(record)); n != len(record) || err != nil {
					t.Fatal(n, err)
				}
			}
			if diff := cmp.Diff(c.want, files(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What others do to the file is no trouble: after a restart it goes on, and one
// that was moved away is made anew. What is no file is not written to.
func TestFileOfOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, record := range []string{"1", "2"} {
		f := NewFile(path, 8, 1)
		if _, err := f.Write([]byte(record)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(path, filepath.Join(dir, "moved")); err != nil {
		t.Fatal(err)
	}
	if _, err := NewFile(path, 8, 1).Write([]byte("3")); err != nil {
		t.Fatal(err)
	}
	if got, want := files(t, dir), map[string]string{"moved": "12", "a": "3"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := NewFile(os.DevNull, 8, 1).Write([]byte("3")); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a device: %v", err)
	}
	if _, err := NewFile(dir, 8, 1).Write([]byte("3")); err == nil {
		t.Error("a folder was written to")
	}
}

// A record goes to the host's log and to the tenant's file, each with its own
// level, and names the tenant and the request in both.
func TestBothLogs(t *testing.T) {
	var host, own strings.Builder
	plain := func(level slog.Level, out *strings.Builder) slog.Handler {
		return slog.NewTextHandler(Visible(out), &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})
	}
	l := New(slog.New(plain(slog.LevelWarn, &host)), "shop", 1<<20, Options{File: plain(slog.LevelInfo, &own)})
	l.Print("stdout", "a\x1b[31m\u202e\nlevel=ERROR msg=forged", "id1")
	l.Print("stdout", "", "id1")
	l.Slog().Warn("slow")
	l.Slog().Debug("nobody wants it")
	if got, want := host.String(), "level=WARN msg=slow tenant=shop\n"; got != want {
		t.Errorf("the host's log: %q, want %q", got, want)
	}
	want := `level=INFO msg="a\x1b[31m\u202e\nlevel=ERROR msg=forged" tenant=shop source=stdout request_id=id1` + "\nlevel=WARN msg=slow tenant=shop\n"
	if got := own.String(); got != want {
		t.Errorf("the tenant's: %q, want %q", got, want)
	}
}

func TestDroppedAreTold(t *testing.T) {
	var told []int
	c := &testClock{}
	l := newLog(slog.New(slog.DiscardHandler), "shop", 1024, Options{Dropped: func(n int) { told = append(told, n) }}, c.clock())
	for range 20 {
		l.Print("stdout", strings.Repeat("x", 100), "")
	}
	c.pass(0)
	if len(told) != 1 || told[0] != 16 {
		t.Errorf("told %v, want once that 16 of 20 were dropped", told)
	}
}

func BenchmarkFile(b *testing.B) {
	f := NewFile(filepath.Join(b.TempDir(), "a"), 1<<20, 3)
	record := []byte(strings.Repeat("x", 150) + "\n")
	for b.Loop() {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
	}
}
