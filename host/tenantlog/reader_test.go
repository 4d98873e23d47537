package tenantlog

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// filed is a log with files of 2000 bytes.
func filed(t *testing.T, path, format string, keep int) *Log {
	t.Helper()
	f := NewFile(path, 2000, keep)
	t.Cleanup(func() { _ = f.Close() })
	opt := &slog.HandlerOptions{}
	var h slog.Handler = slog.NewTextHandler(Visible(f), opt)
	if format == "json" {
		h = slog.NewJSONHandler(Visible(f), opt)
	}
	return New(slog.New(slog.DiscardHandler), "shop", 1<<30, Options{File: h, Past: f})
}

func words(t *testing.T, r *Reader) (out []string) {
	t.Helper()
	if err := r.Next(func(l Line) error { out = append(out, l.Message); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// numbers are those from a to b.
func numbers(a, b int) (out []string) {
	for ; a <= b; a++ {
		out = append(out, fmt.Sprint(a))
	}
	return out
}

func say(l *Log, words []string) {
	for _, w := range words {
		l.Print("stdout", w, "")
	}
}

// TestReadBeyondMemory reads more than memory holds, from files that are turned
// over while the reader rests, each line once.
func TestReadBeyondMemory(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.log")
			l := filed(t, path, format, 1000)
			say(l, numbers(1, 3000))
			all, some := l.Read(-1, time.Time{}), l.Read(2500, time.Time{})
			same(t, words(t, all), numbers(1, 3000))
			same(t, words(t, some), numbers(501, 3000))
			same(t, words(t, l.Read(7, time.Time{})), numbers(2994, 3000))
			same(t, words(t, l.Read(0, time.Time{})), nil)
			same(t, words(t, all), nil)
			say(l, numbers(3001, 3002))
			l.Slog().Debug("not in the file")
			same(t, words(t, all), numbers(3001, 3002))
			say(l, numbers(3003, 6000))
			same(t, words(t, all), numbers(3003, 6000))
			// Another process has nothing in memory.
			l = filed(t, path, format, 1000)
			same(t, words(t, l.Read(5, time.Time{})), numbers(5996, 6000))
			say(l, numbers(6001, 6002))
			same(t, words(t, l.Read(5, time.Time{})), numbers(5998, 6002))
		})
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %d lines, want %d: %q", len(got), len(want), got[:min(len(got), 8)])
	}
}

func TestReadSince(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	hour := func(h int) time.Time { return time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC) }
	for h := range 24 { // a file for each eight
		name := fmt.Sprintf("%s.%d", path, 2-h/8)
		f, err := os.OpenFile(strings.TrimSuffix(name, ".0"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, "time=%s level=WARN msg=%d tenant=shop\n", hour(h).Format(time.RFC3339Nano), h)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l := filed(t, path, "text", 3)
	same(t, words(t, l.Read(-1, hour(0))), numbers(0, 23))
	same(t, words(t, l.Read(-1, hour(8))), numbers(8, 23))
	same(t, words(t, l.Read(-1, hour(21).Add(time.Second))), numbers(22, 23))
	same(t, words(t, l.Read(3, hour(8))), numbers(21, 23))
	same(t, words(t, l.Read(-1, hour(24))), nil)
	say(l, []string{"now"})
	same(t, words(t, l.Read(-1, hour(22))), []string{"22", "23", "now"})
	same(t, words(t, l.Read(1, hour(22))), []string{"now"})
	same(t, words(t, l.Read(-1, time.Now().Add(time.Hour))), nil)
}

// TestSlowReader: without files, what is lost is said.
func TestSlowReader(t *testing.T) {
	l := New(slog.New(slog.DiscardHandler), "shop", 1<<30, Options{})
	r := l.Read(10, time.Time{})
	same(t, words(t, r), nil)
	say(l, numbers(1, 1500))
	var first Line
	n := 0
	if err := r.Next(func(l Line) error {
		if n++; n == 1 {
			first = l
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if left := first.Fields["lines"]; !strings.HasPrefix(first.Message, "lines were left out") || left != fmt.Sprint(1500-(n-1)) {
		t.Errorf("%d lines, first %+v", n, first)
	}
}

// TestReadTornRecord: what a crash has left of a record is shown as it is.
func TestReadTornRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(path, []byte("time=2026-01-01T00:00:00Z level=INFO msg=whole\nel=INFO msg=\"to"), 0o600); err != nil {
		t.Fatal(err)
	}
	same(t, words(t, filed(t, path, "text", 1).Read(-1, time.Time{})), []string{"whole", `el=INFO msg="to`})
}

// FuzzRecord reads back what slog's handlers write.
func FuzzRecord(f *testing.F) {
	f.Add("a b=\"c\"\n", "k y", "v\x1b\u202e\\u0000")
	f.Add("", "", "=")
	f.Fuzz(func(t *testing.T, message, key, value string) {
		readRecord([]byte(message), time.Time{}) // must not panic
		message, key, value = clean(message), "k"+clean(key), clean(value)
		for _, handler := range []func(io.Writer) slog.Handler{
			func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
			func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
		} {
			var out strings.Builder
			now := time.Now()
			slog.New(handler(Visible(&out))).Warn(message, key, value)
			l := readRecord([]byte(strings.TrimSuffix(out.String(), "\n")), time.Time{})
			if l.Message != message || l.Level != slog.LevelWarn || l.Fields[key] != value || len(l.Fields) != 1 || now.Sub(l.Time) > time.Minute {
				t.Errorf("%q became %+v", out.String(), l)
			}
		}
	})
}

// clean leaves out what is not written in a way that can be read back: bytes that
// are no text, and Delete, which stands unquoted in slog's text.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x7f", "")
	return strings.ToValidUTF8(text[:min(len(text), 4000)], "?")
}
