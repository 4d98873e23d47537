package edge

import (
	"net/http"
	"strings"
)

// checkHTTP2 refuses what package framing refuses in HTTP/1 and net/http lets
// pass in HTTP/2: requests that another server might take for different ones.
func checkHTTP2(r *http.Request) *Refusal {
	switch {
	case !originForm(r.RequestURI):
		return &Refusal{http.StatusBadRequest, "the path of this request is malformed"}
	case !oneHost(r):
		return &Refusal{http.StatusBadRequest, "the Host header and :authority name different hosts, or none"}
	case !soundLength(r):
		return &Refusal{http.StatusBadRequest, "the Content-Length of this request is not that of its body"}
	}
	return nil
}

// originForm says whether :path is a path with a query, or the * of OPTIONS (RFC
// 9113 section 8.3.1), of bytes that may stand in the target of HTTP/1.
func originForm(path string) bool {
	if strings.ContainsFunc(path, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return false
	}
	return path == "*" || strings.HasPrefix(path, "/")
}

// oneHost says whether a Host header beside :authority says the same (RFC 9113
// section 8.3.1). net/http goes by :authority, and by the first of several Host
// headers without one. Neither is what HTTP/1.1 without a Host header is.
func oneHost(r *http.Request) bool {
	hosts := r.Header["Host"]
	if len(hosts) == 0 {
		return r.Host != ""
	}
	return len(hosts) == 1 && strings.EqualFold(hosts[0], r.Host)
}

// soundLength says whether Content-Length is one number, and 0 when no body
// comes. That a body has as many bytes as it says is net/http's to find (RFC 9113
// section 8.1.1).
func soundLength(r *http.Request) bool {
	lengths := r.Header["Content-Length"]
	switch {
	case len(lengths) == 0:
		return true
	case len(lengths) > 1 || lengths[0] == "" || len(lengths[0]) > 18 || strings.Trim(lengths[0], "0123456789") != "":
		return false
	}
	return r.ContentLength != 0 || strings.Trim(lengths[0], "0") == ""
}
