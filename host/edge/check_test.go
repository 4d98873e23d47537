package edge

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// parsed is a request as net/http makes it.
func parsed(t *testing.T, text string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

func TestCheck(t *testing.T) {
	limits := Limits{Headers: 4, Line: 60}
	for text, want := range map[string]int{
		"GET / HTTP/1.1\nHost: h":                                                 0,
		"GET / HTTP/1.0":                                                          0,
		"ODD-METHOD / HTTP/1.1\nHost: h":                                          0,
		"OPTIONS * HTTP/1.1\nHost: h":                                             0,
		"GET * HTTP/1.1\nHost: h":                                                 400,
		"CONNECT h:80 HTTP/1.1\nHost: h":                                          405,
		"CONNECT / HTTP/1.1\nHost: h":                                             405,
		"TRACE / HTTP/1.1\nHost: h":                                               405,
		"PRI * HTTP/2.0":                                                          505,
		"GET /" + strings.Repeat("x", 60) + " HTTP/1.1\nHost: h":                  414,
		"GET / HTTP/1.1\nHost: h\nX: " + strings.Repeat("x", 58):                  431,
		"GET / HTTP/1.1\nHost: h\nA: 1\nA: 2\nB: 3\nC: 4\nD: 5":                   431,
		"GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: websocket":        501,
		"GET / HTTP/1.1\nHost: h\nConnection: x, UPGRADE\nUpgrade: h2c,websocket": 501,
		"GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: h2c":              0,
		"GET / HTTP/1.1\nHost: h\nUpgrade: websocket":                             0,
		"GET / HTTP/1.1\nHost: h\nConnection: Upgrade":                            0,
		"GET / HTTP/1.1\nHost: a b":                                               400,
		"GET http://a,b/ HTTP/1.1\nHost: h":                                       400,
	} {
		got := 0
		if refused := Check(parsed(t, text), limits); refused != nil {
			got = refused.Status
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestValidHost(t *testing.T) {
	for _, host := range []string{"", ":", ":80", "h", "h:", "h:80", "A.b-c_d.e.", "xn--bcher-kva.example:65535", "127.0.0.1", "[::1]", "[2001:DB8::1]:80", "[::1]:"} {
		if !validHost(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{
		"a b", "a,b", "a/b", "a@b", "a?b", "a#b", "a\\b", "a%62", "b\xc3\xbccher", "b\xfccher", "*", "a;b", "a'b", "a\"b", "a\tb", "a\x00b",
		"h:x", "h:-1", "h:+1", "h:65536", "h:000080", "h:80:80", "::1", "[::1", "[]", "[]:80", "[::1]x", "[::1]80", "[::1]:x", "[127.0.0.1]", "[fe80::1%eth0]",
		strings.Repeat("a", 256),
	} {
		if validHost(host) {
			t.Errorf("%q passes", host)
		}
	}
}
