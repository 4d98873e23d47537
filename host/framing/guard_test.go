package framing

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// between says whether the connection is between two requests.
func (g *Guard) between() bool { return g.err == nil && g.state == atStart && !g.blank }

// follow gives a stream to a guard in pieces of the given size and returns the
// bytes that passed, where requests ended, and the fault.
func follow(stream []byte, size int) (passed int, ends []int, fault error) {
	var g Guard
	for at := 0; at < len(stream); at += size {
		piece := stream[at:min(at+size, len(stream))]
		n := g.Pass(piece)
		if passed += n; g.Err() != nil {
			break
		}
		if size == 1 && n == 1 && g.between() {
			ends = append(ends, passed)
		}
	}
	return passed, ends, g.Err()
}

func TestGuard(t *testing.T) {
	for _, c := range cases() {
		_, ends, fault := follow([]byte(c.text), 1)
		if len(ends) != c.passes || !errors.Is(fault, c.fault) {
			t.Errorf("%s: %q\n%d requests and %v, want %d and %v", c.name, c.text, len(ends), fault, c.passes, c.fault)
		}
	}
	for _, c := range goodStreams() {
		if passed, _, _ := follow([]byte(c.text), 1); passed != len(c.text) {
			t.Errorf("%s: %d of %d bytes passed", c.name, passed, len(c.text))
		}
	}
}

// An empty line before a request does not pass, and all else does, whatever the
// pieces. RFC 9112 section 2.2.
func TestEmptyLinesDoNotPass(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"\r\n" + get, get},
		{get + "\r\n" + get, get + get},
		{post3 + "\r\n" + get + "\r\n" + post3 + "\r\n", post3 + get + post3},
	} {
		for _, size := range []int{1, 2, 3, 7, 1 << 20} {
			in := &conn{Conn: &source{rest: []byte(c.text), size: size}}
			if got, err := io.ReadAll(in); err != nil || string(got) != c.want {
				t.Errorf("%q in pieces of %d: %q, %v, want %q", c.text, size, got, err, c.want)
			}
		}
	}
}

// The pieces in which bytes come change nothing.
func TestPiecesDoNotMatter(t *testing.T) {
	for _, c := range cases() {
		passed, _, fault := follow([]byte(c.text), 1)
		for _, size := range []int{2, 3, 7, 64, 1 << 20} {
			if p, _, f := follow([]byte(c.text), size); p != passed || !errors.Is(f, fault) {
				t.Errorf("%s in pieces of %d: %d bytes and %v, want %d and %v", c.name, size, p, f, passed, fault)
			}
		}
	}
}

// A fault stays: nothing behind it passes, however sound.
func TestNothingPassesAfterAFault(t *testing.T) {
	for _, c := range cases() {
		if c.fault == nil {
			continue
		}
		var g Guard
		g.Pass([]byte(c.text))
		if n := g.Pass([]byte(get)); n != 0 || !errors.Is(g.Err(), c.fault) || g.between() {
			t.Errorf("%s: %d bytes passed, %v", c.name, n, g.Err())
		}
	}
}

// A request of 300 bytes, as a browser's, costs no allocation.
func BenchmarkGuard(b *testing.B) {
	request := browserRequest()
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	var g Guard
	for b.Loop() {
		if g.Pass(request); g.Err() != nil {
			b.Fatal(g.Err())
		}
	}
}

func browserRequest() []byte {
	return []byte("GET /articles/2026/10/some-title?page=2 HTTP/1.1\r\nHost: www.example.com\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n" +
		"Accept-Language: en-GB,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nCookie: sid=0123456789ab\r\n\r\n")
}

// What eight bytes at once say is what one after the other says.
func TestVisible(t *testing.T) {
	for at := range 24 {
		for c := range 256 {
			p := []byte(strings.Repeat("\t\x80~", 8))
			p[at] = byte(c)
			want := len(p)
			if c < ' ' && c != '\t' || c == 0x7f {
				want = at
			}
			if got := visible(p); got != want {
				t.Errorf("%q: %d, want %d", p, got, want)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	for c := range 256 {
		want := c < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", rune(c))
		if got := isToken(byte(c)); got != want {
			t.Errorf("%q: %v", byte(c), got)
		}
	}
}
