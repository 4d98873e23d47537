package edge

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// unknown is the length of a body whose end is not announced.
const unknown = -1

// contentLength finds the length that an application announced, or unknown. It
// fails when the value is no number or two differ: net/http would drop it
// silently and so hide a body that is cut short.
func contentLength(headers []abi.Pair) (int64, error) {
	length := int64(unknown)
	for _, h := range headers {
		if !strings.EqualFold(h.Key, "Content-Length") {
			continue
		}
		n, err := strconv.ParseUint(h.Value, 10, 63)
		if err != nil || length >= 0 && length != int64(n) {
			return 0, fmt.Errorf("%w: %q", ErrLength, h.Value)
		}
		length = int64(n)
	}
	return length, nil
}

// bodyless says whether a response may carry no body (RFC 9110 section 6.4.1).
func bodyless(method string, status int) bool {
	return method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
}

// setHeaders copies an application's headers. The spelling is kept but for the
// names that net/http looks up; repeated names keep their order. Headers about
// the connection are the host's own (PEP 3333, "Other HTTP Features") and are
// left out.
func setHeaders(to http.Header, headers []abi.Pair) {
	values := make([]string, 0, len(headers)) // one piece of memory for all that stand alone
	for _, h := range headers {
		if hopByHop(h.Key) || strings.EqualFold(h.Key, "Content-Length") {
			continue
		}
		name := spelling(to, h.Key)
		if before, ok := to[name]; ok {
			to[name] = append(before, h.Value)
			continue
		}
		n := len(values)
		values = append(values, h.Value)
		to[name] = values[n : n+1 : n+1]
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // keeps net/http from guessing one
	}
}

// spelling gives every header of one name the same key: the one that net/http
// asks for, or the first that the application used.
func spelling(to http.Header, name string) string {
	for _, own := range []string{"Content-Type", "Date", "Server", "Content-Encoding"} {
		if strings.EqualFold(name, own) {
			return own
		}
	}
	if _, ok := to[name]; ok {
		return name
	}
	for used := range to {
		if len(used) == len(name) && strings.EqualFold(used, name) {
			return used
		}
	}
	return name
}

// hopByHop says whether a header is about one connection (RFC 9110 section
// 7.6.1, and what wsgiref.util.is_hop_by_hop lists).
func hopByHop(name string) bool {
	for _, h := range []string{
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
		"te", "trailer", "trailers", "transfer-encoding", "upgrade",
	} {
		if len(name) == len(h) && strings.EqualFold(name, h) {
			return true
		}
	}
	return false
}
