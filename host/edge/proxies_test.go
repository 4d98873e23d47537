package edge

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func networks(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// admitted is what Admit makes of a request from 10.0.0.1: "REMOTE:PORT scheme",
// or the status of a refusal.
func admitted(t *testing.T, p *Proxies, text string) string {
	t.Helper()
	r := parsed(t, "GET / HTTP/1.1\nHost: h\n"+text)
	r.RemoteAddr = "10.0.0.1:4711"
	scheme, refused := p.Admit(r)
	if refused != nil {
		return http.StatusText(refused.Status)
	}
	return r.RemoteAddr + " " + scheme
}

func TestXForwarded(t *testing.T) {
	p := NewProxies(networks(t, "10.0.0.0/8", "2001:db8::/32"), false, false)
	for text, want := range map[string]string{
		"X: y": "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https": "192.0.2.1: https",
		"X-Forwarded-For: 192.0.2.1:80":                        "192.0.2.1:80 http",
		"X-Forwarded-For: 2001:DB9::1":                         "[2001:db9::1]: http",
		"X-Forwarded-For: [2001:db9::1]":                       "[2001:db9::1]: http",
		"X-Forwarded-For: [2001:db9::1]:80":                    "[2001:db9::1]:80 http",
		"X-Forwarded-For: ::ffff:192.0.2.1":                    "192.0.2.1: http",
		// The rightmost that is no proxy, over all lines; what is left of it is anybody's.
		"X-Forwarded-For: 203.0.113.9, 192.0.2.1":                              "192.0.2.1: http",
		"X-Forwarded-For: 203.0.113.9, 192.0.2.1 ,10.2.3.4,2001:db8::7":        "192.0.2.1: http",
		"X-Forwarded-For: 203.0.113.9, 192.0.2.1\nX-Forwarded-For: 10.2.3.4":   "192.0.2.1: http",
		"X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: 10.2.3.4\nX-Other: a":    "192.0.2.1: http",
		"X-Forwarded-For: <script>, 127.0.0.1, 192.0.2.1":                      "192.0.2.1: http",
		"X-Forwarded-For: ::ffff:10.2.3.4\nX-Forwarded-For: ::ffff:10.2.3.5":   "10.2.3.4: http",
		"X-Forwarded-For: 10.9.9.9, 10.2.3.4":                                  "10.9.9.9: http",
		"X-Forwarded-For: 192.0.2.1,, 10.2.3.4,":                               "192.0.2.1: http",
		"X-Forwarded-For:":                                                     "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1, unknown":                                  "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1, unknown, 10.2.3.4":                        "10.2.3.4: http",
		"X-Forwarded-For: 192.0.2.1, unix:":                                    "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1, unix:, 10.2.3.4":                          "10.2.3.4: http",
		"X-Forwarded-For: 192.0.2.1, unix":                                     "Bad Request",
		"X-Forwarded-For: 192.0.2.1, x":                                        "Bad Request",
		"X-Forwarded-For: 192.0.2.1, x, 10.2.3.4":                              "Bad Request",
		"X-Forwarded-For: 192.0.2.1:":                                          "Bad Request",
		"X-Forwarded-For: 192.0.2.1:65536":                                     "Bad Request",
		"X-Forwarded-For: 192.0.2.1:+1":                                        "Bad Request",
		"X-Forwarded-For: [192.0.2.1]":                                         "Bad Request",
		"X-Forwarded-For: [::1":                                                "Bad Request",
		"X-Forwarded-For: fe80::1%eth0":                                        "Bad Request",
		"X-Forwarded-For: 0x7f.1":                                              "Bad Request",
		"X-Forwarded-For: 192.0.2.01":                                          "Bad Request",
		"X-Forwarded-For: 192.0.2.1 10.2.3.4":                                  "Bad Request",
		"X-Forwarded-Proto: HTTPS":                                             "10.0.0.1:4711 https",
		"X-Forwarded-Proto: https, http":                                       "10.0.0.1:4711 http",
		"X-Forwarded-Proto: http\nX-Forwarded-Proto: https":                    "10.0.0.1:4711 https",
		"X-Forwarded-Proto: javascript":                                        "10.0.0.1:4711 http",
		"Forwarded: for=192.0.2.1;proto=https":                                 "10.0.0.1:4711 http",
		"X_Forwarded_For: 192.0.2.1\nX-Real-IP: 192.0.2.2\nClient-IP: 1.1.1.1": "10.0.0.1:4711 http",
	} {
		if got := admitted(t, p, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestForwarded(t *testing.T) {
	p := NewProxies(networks(t, "10.0.0.0/8"), false, true)
	for text, want := range map[string]string{
		"Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1":                                          "192.0.2.1: https",
		"Forwarded: FOR=192.0.2.1;Proto=HTTPS":                                                      "192.0.2.1: https",
		"Forwarded: for=\"192.0.2.1:80\"; host=\"a;b,\\\"c\"":                                       "192.0.2.1:80 http",
		"Forwarded: For=\"[2001:db8::1]:4711\"":                                                     "[2001:db8::1]:4711 http",
		"Forwarded: for=\"[2001:db8::1]\"":                                                          "[2001:db8::1]: http",
		"Forwarded: for=\"192.0.2.1:_x\"":                                                           "192.0.2.1: http",
		"Forwarded: for=203.0.113.9;proto=https, for=192.0.2.1;proto=http":                          "192.0.2.1: http",
		"Forwarded: for=203.0.113.9;proto=http, for=192.0.2.1;proto=https, for=10.2.3.4;proto=http": "192.0.2.1: https",
		"Forwarded: for=203.0.113.9\nForwarded: for=192.0.2.1;proto=https\nForwarded: for=10.2.3.4": "192.0.2.1: https",
		"Forwarded: for=\"\nForwarded: for=192.0.2.1":                                               "192.0.2.1: http", // a client's line, and a proxy's
		"Forwarded: for=unknown;proto=https":                                                        "10.0.0.1:4711 https",
		"Forwarded: for=192.0.2.1, for=_hidden":                                                     "10.0.0.1:4711 http",
		"Forwarded: for=192.0.2.1, proto=https":                                                     "10.0.0.1:4711 https",
		"Forwarded: ,; for=192.0.2.1 ; proto=https ,;":                                              "192.0.2.1: https",
		"Forwarded:": "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https": "10.0.0.1:4711 http",
		"Forwarded: for=\", for=192.0.2.1":                     "Bad Request",
		"Forwarded: for=192.0.2.1;for=192.0.2.2":               "Bad Request",
		"Forwarded: for=192.0.2.1 proto=https":                 "Bad Request",
		"Forwarded: for = 192.0.2.1":                           "Bad Request",
		"Forwarded: for=":                                      "Bad Request",
		"Forwarded: for":                                       "Bad Request",
		"Forwarded: =1":                                        "Bad Request",
		"Forwarded: for=[::1]":                                 "Bad Request",
		"Forwarded: for=192.0.2.1:80":                          "Bad Request",
		"Forwarded: for=\"192.0.2.1\\":                         "Bad Request",
		"Forwarded: for=\"192.0.2.1\"x":                        "Bad Request",
		"Forwarded: for=localhost":                             "Bad Request",
		"Forwarded: for=\xe9":                                  "Bad Request",
	} {
		if got := admitted(t, p, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// Nobody else than a proxy is believed, and applications do not see the attempt.
func TestNobodyElseIsBelieved(t *testing.T) {
	spoofed := "X-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https\nX-Forwarded-Host: a\nX-Forwarded-Port: 1\nX-Forwarded-Prefix: /p\nX-Forwarded: x\n" +
		"Forwarded: for=192.0.2.1\nX-Real-IP: 192.0.2.1\nX-Client-IP: 1\nX-Cluster-Client-IP: 1\nTrue-Client-IP: 1\nClient-IP: 1\nCF-Connecting-IP: 1\n" +
		"X-Original-URL: /admin\nX-Original-Host: a\nX-Rewrite-URL: /admin\nX-Scheme: https\nX-URL-Scheme: https\nFront-End-HTTPS: on\nX-Host: a\n" +
		"X-Forwarded-For: (malformed)\nForwarded: \"\nX-Kept: yes\nCf-Kept: yes"
	for _, p := range []*Proxies{{}, NewProxies(networks(t, "10.0.0.2/32", "::/0"), true, false), NewProxies(networks(t, "11.0.0.0/8"), true, true)} {
		r := parsed(t, "GET / HTTP/1.1\nHost: h\n"+spoofed)
		r.RemoteAddr = "10.0.0.1:4711"
		scheme, refused := p.Admit(r)
		if refused != nil || scheme != "http" || r.RemoteAddr != "10.0.0.1:4711" {
			t.Errorf("%v %s %s", refused, scheme, r.RemoteAddr)
		}
		if diff := cmp.Diff(http.Header{"X-Kept": {"yes"}, "Cf-Kept": {"yes"}}, r.Header); diff != "" {
			t.Error(diff)
		}
	}
}

// What a proxy wrote goes on to the application, but for the header that it
// does not write.
func TestApplicationsSeeWhatAProxyWrote(t *testing.T) {
	const text = "GET / HTTP/1.1\nHost: h\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Host: a\nForwarded: for=192.0.2.1\nX-Real-IP: 192.0.2.1"
	for standard, want := range map[bool][]string{false: {"X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip"}, true: {"Forwarded", "X-Real-Ip"}} {
		r := parsed(t, text)
		r.RemoteAddr = "[::ffff:10.0.0.1]:4711"
		if _, refused := NewProxies(networks(t, "10.0.0.0/8"), false, standard).Admit(r); refused != nil || r.RemoteAddr != "192.0.2.1:" {
			t.Fatalf("%v, %s", refused, r.RemoteAddr)
		}
		var got []string
		for name := range r.Header {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		e := decode(t, r, Call{Length: -1})
		if e["REMOTE_ADDR"] != "192.0.2.1" || e["REMOTE_PORT"] != "" {
			t.Errorf("REMOTE_ADDR %q, REMOTE_PORT %q", e["REMOTE_ADDR"], e["REMOTE_PORT"])
		}
	}
}

func TestUnixPeers(t *testing.T) {
	for trusted, want := range map[bool]string{true: "192.0.2.1:", false: "@"} {
		r := parsed(t, "GET / HTTP/1.1\nHost: h\nX-Forwarded-For: 192.0.2.1")
		r = r.WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Net: "unix"})))
		r.RemoteAddr = "@"
		if _, refused := NewProxies(networks(t, "0.0.0.0/0"), trusted, false).Admit(r); refused != nil || r.RemoteAddr != want {
			t.Errorf("trusted %v: %v, %s", trusted, refused, r.RemoteAddr)
		}
	}
}

func TestSchemeOfTheConnection(t *testing.T) {
	r := parsed(t, "GET / HTTP/1.1\nHost: h")
	r.TLS = new(tls.ConnectionState)
	if scheme, refused := new(Proxies).Admit(r); scheme != "https" || refused != nil {
		t.Errorf("%s, %v", scheme, refused)
	}
}

// Whatever is in the headers, an address of the network comes out, and one of a
// proxy only if no other was named.
// Where clients of Unix sockets are proxies, one of them in the middle is passed
// over, and none that a client wrote is.
func TestUnixHops(t *testing.T) {
	p := NewProxies(networks(t, "10.0.0.0/8"), true, false)
	for text, want := range map[string]string{
		"X-Forwarded-For: 192.0.2.1, unix:":                         "192.0.2.1: http",
		"X-Forwarded-For: 192.0.2.1, unix:, 10.2.3.4, unix:":        "192.0.2.1: http",
		"X-Forwarded-For: 203.0.113.9, unix:, 192.0.2.1":            "192.0.2.1: http",
		"X-Forwarded-For: unix:":                                    "10.0.0.1:4711 http",
		"X-Forwarded-For: 192.0.2.1\nX-Forwarded-For: unix:, unix:": "192.0.2.1: http",
	} {
		if got := admitted(t, p, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzAdmit(f *testing.F) {
	f.Add("203.0.113.9, 192.0.2.1, 10.0.0.2", "https", "for=192.0.2.1;proto=https, for=\"[::1]:80\"")
	f.Add("[2001:db8::1]:80,unknown", "a,b", "for=\"\\\"\";by=_x")
	f.Fuzz(func(t *testing.T, xff, proto, forwarded string) {
		for _, standard := range []bool{false, true} {
			p := NewProxies(networks(t, "10.0.0.0/8"), false, standard)
			r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{
				"X-Forwarded-For": strings.Split(xff, "\n"), "X-Forwarded-Proto": strings.Split(proto, "\n"), "Forwarded": strings.Split(forwarded, "\n"),
			}}
			scheme, refused := p.Admit(r)
			host, port, err := net.SplitHostPort(r.RemoteAddr)
			if err != nil || port != "" && !isPort(port) || scheme != "http" && scheme != "https" {
				t.Fatalf("%q %q: %v", r.RemoteAddr, scheme, err)
			}
			if a, err := netip.ParseAddr(host); err != nil || a.Zone() != "" || a.String() != host || refused != nil && host != "10.0.0.1" {
				t.Fatalf("%q: %v, refused: %v", host, err, refused)
			}
		}
	})
}

// What a request of a browser costs when nobody is trusted.
func BenchmarkAdmit(b *testing.B) {
	r := &http.Request{RemoteAddr: "192.0.2.1:4711", Header: http.Header{
		"User-Agent": {"x"}, "Accept": {"x"}, "Accept-Language": {"x"}, "Accept-Encoding": {"x"}, "Cookie": {"x"}, "Referer": {"x"}, "X-Requested-With": {"x"},
	}}
	p := new(Proxies)
	b.ReportAllocs()
	for b.Loop() {
		if _, refused := p.Admit(r); refused != nil {
			b.Fatal(refused)
		}
	}
}
