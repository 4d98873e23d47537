package edge

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

func TestCheckHTTP2(t *testing.T) {
	request := func(path, host string, length int64, headers ...string) *http.Request {
		r := &http.Request{Method: "POST", ProtoMajor: 2, RequestURI: path, Host: host, ContentLength: length, Header: http.Header{}}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		return r
	}
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"plain":                {request("/a?b", "h", -1), 0},
		"above ASCII":          {request("/\xe4", "h", -1), 0},
		"empty":                {request("", "h", -1), 400},
		"absolute":             {request("http://h/", "h", -1), 400},
		"relative":             {request("a", "h", -1), 400},
		"a space":              {request("/a b", "h", -1), 400},
		"a tab":                {request("/a\tb", "h", -1), 400},
		"a line":               {request("/a\r\nb", "h", -1), 400},
		"DEL":                  {request("/a\x7f", "h", -1), 400},
		"no host":              {request("/", "", -1), 400},
		"an empty host":        {request("/", "", -1, "Host", ""), 0},
		"the host twice":       {request("/", "h:80", -1, "Host", "H:80"), 0},
		"another port":         {request("/", "h:80", -1, "Host", "h"), 400},
		"two Hosts":            {request("/", "h", -1, "Host", "h", "Host", "h"), 400},
		"a length":             {request("/", "h", 12, "Content-Length", "12"), 0},
		"zero":                 {request("/", "h", 0, "Content-Length", "0"), 0},
		"zeros":                {request("/", "h", 0, "Content-Length", "00"), 0},
		"a length, no body":    {request("/", "h", 0, "Content-Length", "12"), 400},
		"an empty length":      {request("/", "h", 0, "Content-Length", ""), 400},
		"a sign":               {request("/", "h", 0, "Content-Length", "+12"), 400},
		"two lengths":          {request("/", "h", 12, "Content-Length", "12", "Content-Length", "12"), 400},
		"a list":               {request("/", "h", 0, "Content-Length", "12, 12"), 400},
		"nineteen digits":      {request("/", "h", 1<<62, "Content-Length", "4611686018427387904"), 400},
		"HTTP/3 is not spoken": {&http.Request{Method: "GET", ProtoMajor: 3, RequestURI: "/", Host: "h"}, 505},
	} {
		got := 0
		if refused := Check(c.r, Limits{Headers: 10, Line: 100}); refused != nil {
			got = refused.Status
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// net/http leaves Content-Type and Content-Length of 304 out in HTTP/1 only.
func TestHeadsWithoutBody(t *testing.T) {
	for status, want := range map[int]http.Header{
		http.StatusOK:          {"Content-Type": {"text/x"}, "Content-Length": {"4"}, "Etag": {"x"}},
		http.StatusNoContent:   {"Content-Type": {"text/x"}, "Etag": {"x"}},
		http.StatusNotModified: {"Content-Type": nil, "Etag": {"x"}},
	} {
		w := httptest.NewRecorder()
		r := newResponse(w, &http.Request{Method: http.MethodHead, ProtoMajor: 2}, Options{})
		head := abi.ResponseHead{Status: status, Headers: []abi.Pair{{Key: "Content-Type", Value: "text/x"}, {Key: "Content-Length", Value: "4"}, {Key: "Etag", Value: "x"}}}
		if err := errors.Join(r.Start(head), r.Finish()); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		if diff := cmp.Diff(want, w.Header()); diff != "" {
			t.Errorf("%d: %s", status, diff)
		}
	}
}

func TestPortOfAProxy(t *testing.T) {
	for _, c := range []struct {
		host   string
		ports  []string
		scheme string
		want   string
	}{
		{"h", nil, "https", "443"},
		{"h", []string{"8443"}, "https", "8443"},
		{"h:99", []string{"8443"}, "https", "99"},
		{"h", []string{"1", "2, 8443 "}, "http", "8443"},
		{"h", []string{"x"}, "http", "80"},
		{"h", []string{"0"}, "http", "80"},
		{"h", []string{"65536"}, "http", "80"},
		{"h", []string{""}, "http", "80"},
		{"[::1]", []string{"8443"}, "https", "8443"},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{}}
		if c.ports != nil {
			r.Header["X-Forwarded-Port"] = c.ports
		}
		if _, got := serverName(r, c.scheme); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.host, c.ports, got, c.want)
		}
	}
}

func TestTLSVariables(t *testing.T) {
	got := map[string]string{}
	put := func(key, value string) { got[key] = value }
	putTLS(put, nil)
	if len(got) > 0 {
		t.Errorf("without TLS: %v", got)
	}
	putTLS(put, &tls.ConnectionState{Version: tls.VersionTLS12, CipherSuite: tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256})
	want := map[string]string{"SSL_PROTOCOL": "TLSv1.2", "SSL_CIPHER": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzCheckHTTP2: what passes is a path that HTTP/1 could have carried.
func FuzzCheckHTTP2(f *testing.F) {
	f.Add("/a?b", "h", "h", "12", int64(12))
	f.Add("http://h/", "h", "", "", int64(0))
	f.Add("*", "h:1", "h", "+1", int64(-1))
	f.Fuzz(func(t *testing.T, path, host, other, length string, body int64) {
		r := &http.Request{Method: "OPTIONS", ProtoMajor: 2, RequestURI: path, Host: host, ContentLength: body,
			Header: http.Header{"Host": {other}, "Content-Length": {length}}}
		if Check(r, Limits{Headers: 10, Line: 1000}) != nil {
			return
		}
		if path == "" || path[0] != '/' && path != "*" || length == "" {
			t.Fatalf("%q of %q, length %q, passes", path, host, length)
		}
		if path == "*" {
			return
		}
		if _, _, ok := SplitTarget(path); !ok {
			t.Fatalf("%q passes and cannot be taken apart", path)
		}
	})
}
