package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// answer is a response that has been read to its end. Its methods compare one
// property each and return it, so that they read as one sentence.
type answer struct {
	t    *testing.T
	what string // the request
	resp *http.Response
	body string
}

func (a answer) status(code int) answer {
	a.t.Helper()
	if a.resp.StatusCode != code {
		a.t.Errorf("%s: status %d, want %d; the body:\n%s", a.what, a.resp.StatusCode, code, head(a.body))
	}
	return a
}

// text compares the whole body.
func (a answer) text(body string) answer {
	a.t.Helper()
	if a.body != body {
		a.t.Errorf("%s: body %q, want %q", a.what, head(a.body), head(body))
	}
	return a
}

// has says that the body has each of the parts.
func (a answer) has(parts ...string) answer {
	a.t.Helper()
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			a.t.Errorf("%s: the body lacks %q:\n%s", a.what, p, head(a.body))
		}
	}
	return a
}

// ordered says that the body has the parts in this order.
func (a answer) ordered(parts ...string) answer {
	a.t.Helper()
	rest := a.body
	for _, p := range parts {
		_, after, found := strings.Cut(rest, p)
		if !found {
			a.t.Errorf("%s: the body lacks %q in the order of %q:\n%s", a.what, p, parts, head(a.body))
			return a
		}
		rest = after
	}
	return a
}

func (a answer) lacks(parts ...string) answer {
	a.t.Helper()
	for _, p := range parts {
		if strings.Contains(a.body, p) {
			a.t.Errorf("%s: the body has %q:\n%s", a.what, p, head(a.body))
		}
	}
	return a
}

// header compares all values of a header; none means that there is no such
// header.
func (a answer) header(name string, values ...string) answer {
	a.t.Helper()
	if got := a.resp.Header.Values(name); !slices.Equal(got, values) {
		a.t.Errorf("%s: %s is %q, want %q", a.what, name, got, values)
	}
	return a
}

func (a answer) contentType(value string) answer {
	a.t.Helper()
	return a.header("Content-Type", value)
}

// length compares the Content-Length header, and the body with it unless there
// must be none.
func (a answer) length(n int) answer {
	a.t.Helper()
	a.header("Content-Length", strconv.Itoa(n))
	if a.resp.Request.Method != http.MethodHead && len(a.body) != n {
		a.t.Errorf("%s: %d bytes of body, want %d", a.what, len(a.body), n)
	}
	return a
}

// allow compares the methods in the Allow header as a set.
func (a answer) allow(methods ...string) answer {
	a.t.Helper()
	got := strings.Split(strings.ReplaceAll(a.resp.Header.Get("Allow"), " ", ""), ",")
	slices.Sort(got)
	if slices.Sort(methods); !slices.Equal(got, methods) {
		a.t.Errorf("%s: Allow is %q, want %q", a.what, got, methods)
	}
	return a
}

// closes says that the connection is not to be used again.
func (a answer) closes() answer {
	a.t.Helper()
	if !a.resp.Close {
		a.t.Errorf("%s: the connection stays open", a.what)
	}
	return a
}

// redirect compares status and Location.
func (a answer) redirect(code int, location string) answer {
	a.t.Helper()
	return a.status(code).header("Location", location)
}

// digest compares the size of the body and its SHA-256.
func (a answer) digest(size int, sum string) answer {
	a.t.Helper()
	got := sha256.Sum256([]byte(a.body))
	if text := hex.EncodeToString(got[:]); len(a.body) != size || text != sum {
		a.t.Errorf("%s: %d bytes with SHA-256 %s, want %d with %s", a.what, len(a.body), text, size, sum)
	}
	return a
}

// sets compares a Set-Cookie header: its value (unless it is "*") and its
// attributes as a set, without Expires, which is a time.
func (a answer) sets(name, value string, attributes ...string) answer {
	a.t.Helper()
	for _, line := range a.resp.Header.Values("Set-Cookie") {
		parts := strings.Split(line, "; ")
		if got, found := strings.CutPrefix(parts[0], name+"="); found {
			rest := slices.DeleteFunc(parts[1:], func(s string) bool { return strings.HasPrefix(strings.ToLower(s), "expires=") })
			slices.Sort(rest)
			slices.Sort(attributes)
			if value != "*" && got != value || !slices.Equal(rest, attributes) {
				a.t.Errorf("%s: cookie %s is %q with %q, want %q with %q", a.what, name, got, rest, value, attributes)
			}
			return a
		}
	}
	a.t.Errorf("%s: no cookie %s in %q", a.what, name, a.resp.Header.Values("Set-Cookie"))
	return a
}

// head is a text short enough to print.
func head(s string) string {
	const most = 2000
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
