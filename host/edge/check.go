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
// proxy or a mirror of the server, a target in a form that is not for servers, a
// host that is none, a change of protocol, a head above the limits. nil is a pass.
//
// In HTTP/1 package framing has already refused bad framing, and more or less than
// one Host header.
func Check(r *http.Request, l Limits) *Refusal {
	switch {
	case r.ProtoMajor > 2 || r.ProtoMajor == 2 && r.Method == "PRI": // the latter begins HTTP/2, where it is off
		return &Refusal{http.StatusHTTPVersionNotSupported, "this version of HTTP is not supported"}
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace:
		return &Refusal{http.StatusMethodNotAllowed, "this method is not supported"}
	case len(r.RequestURI) > l.Line:
		return &Refusal{http.StatusRequestURITooLong, "the request target is too long"}
	case r.RequestURI == "*" && r.Method != http.MethodOptions:
		return &Refusal{http.StatusBadRequest, "the target * is for OPTIONS"}
	case !validHost(r.Host):
		return &Refusal{http.StatusBadRequest, "the host of this request is no name or address"}
	case upgrades(r.Header):
		return &Refusal{http.StatusNotImplemented, "this server speaks HTTP only: it cannot change to WebSocket or another protocol"}
	}
	if r.ProtoMajor == 2 {
		if refused := checkHTTP2(r); refused != nil {
			return refused
		}
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

// upgrades says whether a client asks for another protocol (RFC 9110 section
// 7.8). HTTP/2 is no question: a server may ignore the header, clients that offer
// it go on in HTTP/1.1, and many offer it each time.
func upgrades(h http.Header) bool {
	protocols, asked := h["Upgrade"]
	if !asked || !listed(h["Connection"], "upgrade") {
		return false
	}
	for _, line := range protocols {
		for protocol := range strings.SplitSeq(line, ",") {
			if p := strings.Trim(protocol, " \t"); p != "" && !strings.EqualFold(p, "h2c") {
				return true
			}
		}
	}
	return false
}

// listed says whether a word stands in a comma-separated header.
func listed(lines []string, word string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), word) {
				return true
			}
		}
	}
	return false
}
