package tenants

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Redirect is a line of the table [redirects].
type Redirect struct {
	Status int
	from   string // without the star
	to     string // its star is where the rest goes
	any    bool   // from ended with a star
}

// ParseRedirect reads a line of the table [redirects]. Its errors say what to
// write.
func ParseRedirect(from, to string) (Redirect, error) {
	r := Redirect{Status: 302, to: to}
	for _, status := range []int{301, 302, 303, 307, 308} {
		if rest, ok := strings.CutPrefix(to, fmt.Sprint(status, " ")); ok {
			r.Status, r.to = status, rest
		}
	}
	r.from, r.any = strings.CutSuffix(from, "*")
	switch {
	case !strings.HasPrefix(r.from, "/") || strings.ContainsFunc(from, isControl) || strings.ContainsAny(r.from, "*?#"):
		return Redirect{}, fmt.Errorf("%q must be a path like \"/old\" or \"/old/*\", decoded", from)
	case r.any && !strings.HasSuffix(r.from, "/"):
		return Redirect{}, fmt.Errorf("%q: the star stands for what follows a slash, as in \"/old/*\"", from)
	case strings.Contains(r.to, "*") && !r.any:
		return Redirect{}, fmt.Errorf("%q has a star, and %q has none that it could stand for", to, from)
	}
	return r, r.checkTarget(to)
}

// checkTarget takes a path of the application or a URL of http; the star of the
// latter stands where it cannot become a part of the host.
func (r Redirect) checkTarget(to string) error {
	u, err := url.Parse(r.to)
	path := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(r.to, "/")
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.Contains(u.Host, "*") && u.User == nil
	if !path && !web || strings.ContainsFunc(r.to, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '\\' }) || strings.Count(r.to, "*") > 1 {
		return fmt.Errorf("%q must be a path like \"/new\" or a URL like \"https://shop.example/new\", percent-encoded, with a status of 301, 302, 303, 307 or 308 before it if not 302", to)
	}
	if before, _, star := strings.Cut(r.to, "*"); star && web && strings.Count(before, "/") < 3 {
		return fmt.Errorf("%q: write a slash between the host and the star", to)
	}
	return nil
}

// Redirects is the table [redirects], to be asked.
type Redirects []Redirect

// RedirectTable is that of a manifest that was checked: whole paths first, then the
// longest beginnings.
func (m Manifest) RedirectTable() Redirects {
	var out Redirects
	for _, from := range slices.Sorted(maps.Keys(m.Redirects)) {
		if r, err := ParseRedirect(from, m.Redirects[from]); err == nil {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Redirect) int {
		if a.any != b.any {
			return map[bool]int{false: -1, true: 1}[a.any]
		}
		return cmp.Compare(len(b.from), len(a.from))
	})
	return out
}

// Find says where a request goes that asks the application below the prefix
// script for a path of decoded bytes, with a raw query: a status, and what
// Location says. It is false when the application is to answer.
func (rs Redirects) Find(script, path, query string) (status int, location string, ok bool) {
	for _, r := range rs {
		rest, found := strings.CutPrefix(path, r.from)
		if !found || !r.any && rest != "" {
			continue
		}
		return r.Status, r.location(script, rest, query), true
	}
	return 0, "", false
}

// location puts the rest of the path in. Slashes at its beginning would make
// another host of a path ("//evil.example"), and so go.
func (r Redirect) location(script, rest, query string) string {
	rest = (&url.URL{Path: strings.TrimLeft(rest, "/\\")}).EscapedPath()
	out := strings.Replace(r.to, "*", rest, 1)
	if strings.HasPrefix(r.to, "/") {
		out = (&url.URL{Path: script}).EscapedPath() + out
	}
	if query != "" && !strings.ContainsAny(r.to, "?#") {
		out += "?" + query
	}
	return out
}
