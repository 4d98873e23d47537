package wasi

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLineWriter(t *testing.T) {
	for _, tc := range []struct {
		name   string
		writes []string
		max    int
		want   []string
	}{
		{"whole lines", []string{"a\nb\n"}, 10, []string{"a", "b"}},
		{"in parts", []string{"a", "b\nc", "\n"}, 10, []string{"ab", "c"}},
		{"carriage return", []string{"a\r\n\r\nb\rc\n"}, 10, []string{"a", "", "b\rc"}},
		{"empty lines", []string{"\n\n"}, 10, []string{"", ""}},
		{"no end", []string{"a\nb"}, 10, []string{"a", "b"}},
		{"just fits", []string{"0123456789\n"}, 10, []string{"0123456789"}},
		{"too long", []string{"0123456789ab\nc\n"}, 10, []string{"0123456789 [… 2 bytes more]", "c"}},
		{"too long in parts", []string{"012345", "6789", "a", "b"}, 10, []string{"0123456789 [… 2 bytes more]"}},
		{"cut within a character", []string{"12é4\n"}, 3, []string{"12 [… 3 bytes more]"}},
		{"not UTF-8", []string{"a\xff\xfeb\n"}, 10, []string{"a\uFFFDb"}},
		{"not UTF-8 at the cut", []string{"ab\x80\x80\x80\x80\x80\n"}, 6, []string{"ab\uFFFD [… 1 bytes more]"}},
		{"control characters stay", []string{"\x1b[31mred\x00\n"}, 20, []string{"\x1b[31mred\x00"}},
		{"a useless maximum", []string{"ab\n"}, 0, []string{"a [… 1 bytes more]"}},
		{"nothing", nil, 10, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			w := LineWriter(func(line string) { got = append(got, line) }, tc.max)
			for _, s := range tc.writes {
				n, err := w.Write([]byte(s))
				must(t, err)
				wantEqual(t, "bytes taken", n, len(s))
			}
			must(t, w.Close())
			must(t, w.Close())
			wantEqual(t, "lines", got, tc.want)
		})
	}
}

// TestLineWriterIsBounded is row 33 of the attacks: a line without an end must not grow in the host.
func TestLineWriterIsBounded(t *testing.T) {
	var got []string
	w := LineWriter(func(line string) { got = append(got, line) }, 100)
	chunk := []byte(strings.Repeat("x", 64<<10))
	for range 1024 {
		_, err := w.Write(chunk)
		must(t, err)
	}
	if cap(w.line) > 256 {
		t.Errorf("the writer holds %d bytes", cap(w.line))
	}
	must(t, w.Close())
	want := strings.Repeat("x", 100) + fmt.Sprintf(" [… %d bytes more]", 64<<20-100)
	wantEqual(t, "lines", got, []string{want})
}

func FuzzLineWriter(f *testing.F) {
	f.Add("a\nb\r\nc", 3, 2)
	f.Add("é\xffé\n", 2, 1)
	f.Fuzz(func(t *testing.T, data string, limit, step int) {
		limit, step = 1+abs(limit)%1000, 1+abs(step)%1000
		lines := 0
		w := LineWriter(func(line string) {
			lines++
			if !utf8.ValidString(line) || strings.Contains(line, "\n") || len(line) > 3*limit+60 {
				t.Fatalf("line %q", line)
			}
		}, limit)
		for rest := data; rest != ""; {
			n := min(step, len(rest))
			_, _ = w.Write([]byte(rest[:n]))
			rest = rest[n:]
		}
		_ = w.Close()
		want := strings.Count(data, "\n")
		if data != "" && !strings.HasSuffix(data, "\n") {
			want++
		}
		if lines != want {
			t.Fatalf("%d lines, want %d", lines, want)
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }
