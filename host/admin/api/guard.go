package api

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guard refuses what a page of another site may make a browser send: a request
// under a name that is not the API's (DNS rebinding), or one that says where it
// comes from.
func (a *API) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		switch {
		case !a.answersTo(r.Host):
			writeProblem(a.log, w, http.StatusMisdirectedRequest, "the admin API does not answer to this name: add it to api_hosts")
		case crossSite(r):
			writeProblem(a.log, w, http.StatusForbidden, "requests from pages of other sites are refused")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// answersTo compares names without their port.
func (a *API) answersTo(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return slices.Contains(a.hosts, strings.ToLower(strings.Trim(name, "[]")))
}

// crossSite says whether a browser sends the request for another site. Programs
// that are no browser send neither header.
func crossSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	if len(r.Header.Values("Origin")) == 0 {
		return false
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err != nil || origin.Host != r.Host
}
