package edge

import (
	"net/http"
	"strings"
)

// Limits are what a request's head may measure.
type Limits struct {
	Headers int // header lines
	Line    int // bytes of the request target, and of one header line
}

// Refusal says why a request goes no further. Status is the answer; Reason is
// for people, without anything that the client sent.
type Refusal struct {
	Status int
	Reason string
}

// Check refuses requests that no application is to see: methods that make a
// proxy or a mirror of the server, a target in a form that is not for servers,
// a head above the limits. nil is a pass.
//
// net/http has already refused bad framing: no or several Host headers,
// contradicting Content-Length, an unknown Transfer-Encoding.
func Check(r *http.Request, l Limits) *Refusal {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		return &Refusal{http.StatusMethodNotAllowed, "this method is not supported"}
	case len(r.RequestURI) > l.Line:
		return &Refusal{http.StatusRequestURITooLong, "the request target is too long"}
	case r.RequestURI == "*" && r.Method != http.MethodOptions:
		return &Refusal{http.StatusBadRequest, "the target * is for OPTIONS"}
	case r.ProtoMajor != 1:
		return &Refusal{http.StatusHTTPVersionNotSupported, "this version of HTTP is not supported"}
	}
	return checkHeaders(r, l)
}

func checkHeaders(r *http.Request, l Limits) *Refusal {
	n := 0
	for name, values := range r.Header {
		n += len(values)
		for _, v := range values {
			if len(name)+len(": ")+len(v) > l.Line {
				return &Refusal{http.StatusRequestHeaderFieldsTooLarge, "a header line is too long"}
			}
		}
	}
	if n > l.Headers {
		return &Refusal{http.StatusRequestHeaderFieldsTooLarge, "there are too many headers"}
	}
	return nil
}

// SplitTarget takes path and query out of a request target in origin form
// (/path?query) or absolute form (http://host/path?query) without decoding
// anything (RFC 9112 section 3.2). The path is never empty; query comes
// without its question mark. ok is false for any other form.
func SplitTarget(uri string) (path, query string, ok bool) {
	if !strings.HasPrefix(uri, "/") {
		if uri, ok = cutAuthority(uri); !ok {
			return "", "", false
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	if path == "" {
		path = "/"
	}
	return path, query, true
}

func cutAuthority(uri string) (rest string, ok bool) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return "", false
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return rest[i:], true
	}
	return "", true
}
