package host

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/tenants"
)

// ownRequest encodes a GET of the host's own, as a client at the tenant's first
// address would make it. target is relative to the tenant's prefix.
func ownRequest(encoder *edge.Encoder, t *tenants.Tenant, target, agent, id string) ([]byte, error) {
	route := t.Routes()[0]
	host := strings.Replace(route.Host, "*.", "any.", 1)
	if host == "" {
		host = "localhost"
	}
	path, query, _ := strings.Cut(target, "?")
	r := &http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", Host: host, RemoteAddr: "127.0.0.1:0",
		RequestURI: (&url.URL{Path: route.Prefix + path, RawQuery: query}).RequestURI(),
		Header:     http.Header{"User-Agent": {agent}, "Accept": {"*/*"}},
	}
	return encoder.Encode(new(abi.Environ), r, edge.Call{
		ScriptName: route.Prefix, PathInfo: path, Query: query, Length: -1, Scheme: "http", RequestID: id,
	})
}
