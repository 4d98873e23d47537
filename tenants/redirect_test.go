package tenants

import (
	"net/url"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	table := Manifest{Redirects: map[string]string{
		"/old": "/new", "/for-ever": "301 /new?x=1", "/blog/*": "308 https://blog.example/*", "/blog/about": "303 /about",
		"/a/*": "/*", "/a/b/*": "/c/*/d", "/q/*": "https://q.example/?from=*", "/gone/*": "/",
	}}.RedirectTable()
	for _, c := range []struct {
		script, path, query string
		status              int
		location            string
	}{
		{"", "/old", "", 302, "/new"},
		{"/shop", "/old", "a=1&b", 302, "/shop/new?a=1&b"},
		{"/ä", "/old", "", 302, "/%C3%A4/new"},
		{"", "/old/", "", 0, ""},
		{"", "/older", "", 0, ""},
		{"", "/for-ever", "a=1", 301, "/new?x=1"},
		{"", "/blog/2024/a b", "", 308, "https://blog.example/2024/a%20b"},
		{"", "/blog/", "", 308, "https://blog.example/"},
		{"", "/blog", "", 0, ""},
		{"", "/blog/about", "", 303, "/about"},
		{"", "/a/b/x", "", 302, "/c/x/d"},
		{"", "/a//evil.example", "", 302, "/evil.example"},
		{"", "/a/\\evil.example", "", 302, "/evil.example"},
		{"", "/a//\\/evil.example", "", 302, "/evil.example"},
		{"", "/a/x\r\nSet-Cookie: a=b", "", 302, "/x%0D%0ASet-Cookie:%20a=b"},
		{"", "/q/a&b=c?d#e", "", 302, "https://q.example/?from=a&b=c%3Fd%23e"},
		{"", "/gone/x", "", 302, "/"},
		{"", "/", "", 0, ""},
		{"", "", "", 0, ""},
	} {
		status, location, ok := table.Find(c.script, c.path, c.query)
		if status != c.status || location != c.location || ok != (c.status != 0) {
			t.Errorf("%q%q: %d %q, want %d %q", c.script, c.path, status, location, c.status, c.location)
		}
	}
}

func TestParseRedirectRefuses(t *testing.T) {
	for from, to := range map[string]string{
		"old": "/new", "/old*": "/new", "/o*d/*": "/new", "/a?b": "/new", "/a\n": "/new",
		"/1": "", "/2": "new", "/3": "//evil.example", "/4": "ftp://x/", "/5": "https:///x", "/6": "/new*", "/7/*": "https://x.example*",
		"/8/*": "https://*.example/", "/9": "300 /new", "/10": "/a b", "/11": "/ä", "/12": "https://u:p@x.example/", "/13": "/a\\b", "/14/*": "/*/*",
		"/15": "javascript:alert(1)", "/16": "301  /new", "/17": "/%zz",
	} {
		if r, err := ParseRedirect(from, to); err == nil {
			t.Errorf("%q = %q was taken: %+v", from, to, r)
		}
	}
}

// FuzzRedirect: whatever a client asks for, it is sent to the host that the
// manifest names, and the header has no second line.
func FuzzRedirect(f *testing.F) {
	for _, s := range []string{"/a//evil.example", "/a/\\evil", "/w/@evil.example/", "/w/:80", "/w/\x00\n", "/a/%2f%2fevil"} {
		f.Add(s, "q=1")
	}
	table := Manifest{Redirects: map[string]string{"/a/*": "/*", "/w/*": "https://w.example/*"}}.RedirectTable()
	f.Fuzz(func(t *testing.T, path, query string) {
		_, location, ok := table.Find("", path, "")
		if !ok {
			return
		}
		u, err := url.Parse(location)
		if err != nil || strings.ContainsFunc(location, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' }) {
			t.Fatalf("%q leads to %q: %v", path, location, err)
		}
		if want := map[bool]string{true: "w.example"}[strings.HasPrefix(path, "/w/")]; u.Host != want {
			t.Errorf("%q leads to the host %q", path, u.Host)
		}
	})
}
