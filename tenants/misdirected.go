package tenants

import (
	"iter"
	"strings"
)

// Misdirected says whether a request came on a connection for another tenant:
// the name that the client gave in the TLS handshake is one that a tenant
// claims, and the same path under it is not the answer's tenant. A name that
// nobody claims, such as a load balancer's, says nothing. tenant is the one that
// Lookup found for the request, rawPath its path.
func (r *Router) Misdirected(serverName, rawPath, tenant string) bool {
	name := NormalizeHost(serverName)
	if name == "" || !r.claimed(name) {
		return false
	}
	m, err := r.Lookup(name, rawPath)
	return err != nil || m.Tenant != tenant
}

// claimed says whether a normalised host is somebody's, by name or by pattern.
func (r *Router) claimed(host string) bool {
	if _, ok := r.exact[host]; ok {
		return true
	}
	for parent := range parents(host) {
		if _, ok := r.wildcard[parent]; ok {
			return true
		}
	}
	return false
}

// parents are the domains above a name, the nearest first.
func parents(host string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			_, parent, more := strings.Cut(host, ".")
			if !more || !yield(parent) {
				return
			}
			host = parent
		}
	}
}
