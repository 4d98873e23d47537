package tenants

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// Errors of Router.Lookup.
var (
	// ErrBadPath means that the path is not absolute or has a broken
	// percent escape: answer 400.
	ErrBadPath = errors.New("tenants: malformed request path")
	// ErrNoRoute means that nobody answers to this host and path: answer 404.
	ErrNoRoute = errors.New("tenants: no tenant for this host and path")
)

// Route is one claim of a tenant: a host ("" for any, "*.name" for every name
// below) and a path prefix ("" for everything, else "/a" or deeper).
type Route struct {
	Tenant string
	Host   string
	Prefix string
}

// String is the claim as an operator writes it.
func (r Route) String() string {
	host, path := r.Host, r.Prefix
	if host == "" {
		host = "any host"
	}
	if path == "" {
		path = "/"
	}
	return host + " " + path
}

// Match is the result of a lookup. ScriptName+PathInfo is the decoded path,
// byte for byte.
type Match struct {
	Tenant     string
	ScriptName string // "" or the prefix
	PathInfo   string // "" or starts with "/"
}

// Router finds the tenant of a request. It is immutable and safe for
// concurrent use: a change of tenants makes a new one.
//
// A path is percent-decoded first, and everything else looks at the decoded
// bytes only, so that routing and PATH_INFO agree on each of them. Hence %2F
// is a "/" like any other (as under gunicorn, uWSGI and mod_wsgi with
// AllowEncodedSlashes), %2E%2E is "..", and nothing is ever normalised: "//",
// "." and ".." reach the application as they are and count as plain segments
// here. That is safe because a tenant sees its own requests only, whatever is
// in them: "/a/../b" belongs to "/a".
type Router struct {
	exact    map[string]prefixes // by normalised host
	wildcard map[string]prefixes // by the host after "*."
	any      prefixes
}

// prefixes maps path prefixes to tenants.
type prefixes struct {
	tenant  map[string]string
	longest int // bytes of the longest prefix
}

// NewRouter builds the table. Two tenants that claim the same host and path are
// a Problem that names both; the first one keeps it.
func NewRouter(tenants []Tenant) (*Router, []Problem) {
	all := make([]*Tenant, 0, len(tenants))
	for i := range tenants {
		all = append(all, &tenants[i])
	}
	return NewRouterAfter(nil, all)
}

// NewRouterAfter is NewRouter for tenants that change: who has had a claim in
// before, and still makes it, keeps it.
func NewRouterAfter(before *Router, tenants []*Tenant) (*Router, []Problem) {
	r := &Router{exact: map[string]prefixes{}, wildcard: map[string]prefixes{}}
	for _, t := range tenants {
		for _, route := range t.Routes() {
			if before.owner(route) == t.Name {
				r.add(route)
			}
		}
	}
	var problems []Problem
	for _, t := range tenants {
		for _, route := range t.Routes() {
			if owner := r.add(route); owner != "" && owner != t.Name {
				problems = append(problems, Problem{t.Name, t.Dir, fmt.Errorf(
					"tenants %s and %s both claim %s; %s keeps it: give one of them other hosts or paths",
					owner, t.Name, route, owner)})
			}
		}
	}
	return r, problems
}

// RouterOf has the claims that another router's Claims gave.
func RouterOf(claims []Route) *Router {
	r := &Router{exact: map[string]prefixes{}, wildcard: map[string]prefixes{}}
	for _, route := range claims {
		r.add(route)
	}
	return r
}

// Claims lists who has what, in a fixed order.
func (r *Router) Claims() []Route {
	var out []Route
	list := func(host string, p prefixes) {
		for prefix, tenant := range p.tenant {
			out = append(out, Route{tenant, host, prefix})
		}
	}
	list("", r.any)
	for host, p := range r.exact {
		list(host, p)
	}
	for host, p := range r.wildcard {
		list("*."+host, p)
	}
	slices.SortFunc(out, func(a, b Route) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Prefix, b.Prefix)) })
	return out
}

// owner is who has a claim, "" for nobody.
func (r *Router) owner(route Route) string {
	if r == nil {
		return ""
	}
	if route.Host == "" {
		return r.any.tenant[route.Prefix]
	}
	if name, ok := strings.CutPrefix(route.Host, "*."); ok {
		return r.wildcard[name].tenant[route.Prefix]
	}
	return r.exact[route.Host].tenant[route.Prefix]
}

// add enters a claim; it returns the owner when the claim is taken.
func (r *Router) add(route Route) (owner string) {
	table := &r.any
	byHost, host := r.exact, route.Host
	if name, ok := strings.CutPrefix(host, "*."); ok {
		byHost, host = r.wildcard, name
	}
	if host != "" {
		entry := byHost[host]
		table = &entry
		defer func() { byHost[host] = entry }()
	}
	if owner, taken := table.tenant[route.Prefix]; taken {
		return owner
	}
	if table.tenant == nil {
		table.tenant = map[string]string{}
	}
	table.tenant[route.Prefix] = route.Tenant
	table.longest = max(table.longest, len(route.Prefix))
	return ""
}

// Lookup finds who answers. The host is the request's Host header, port
// included or not; rawPath is the path of the request line as it came, without
// the query. The most specific host that has a fitting prefix wins (the name
// itself, then the longest "*." pattern, then any host), and in it the longest
// prefix.
func (r *Router) Lookup(host, rawPath string) (Match, error) {
	path, ok := decodePath(rawPath)
	if !ok {
		return Match{}, ErrBadPath
	}
	if len(r.exact)+len(r.wildcard) > 0 {
		if m, ok := r.byHost(NormalizeHost(host), path); ok {
			return m, nil
		}
	}
	if m, ok := r.any.match(path); ok {
		return m, nil
	}
	return Match{}, ErrNoRoute
}

func (r *Router) byHost(host, path string) (Match, bool) {
	if m, ok := r.exact[host].match(path); ok {
		return m, true
	}
	for parent := range parents(host) {
		if m, ok := r.wildcard[parent].match(path); ok {
			return m, true
		}
	}
	return Match{}, false
}

// match finds the longest prefix of path that ends at a segment border.
func (p prefixes) match(path string) (Match, bool) {
	for end := min(len(path), p.longest); end >= 0; end-- {
		if end < len(path) && path[end] != '/' {
			continue
		}
		if tenant, ok := p.tenant[path[:end]]; ok {
			return Match{tenant, path[:end], path[end:]}, true
		}
	}
	return Match{}, false
}

// decodePath undoes percent-encoding; false for a path that is not absolute or
// has a broken escape.
func decodePath(raw string) (string, bool) {
	if !strings.HasPrefix(raw, "/") {
		return "", false
	}
	if !strings.Contains(raw, "%") {
		return raw, true
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '%' {
			out = append(out, raw[i])
			continue
		}
		if i+2 >= len(raw) {
			return "", false
		}
		high, low := unhex(raw[i+1]), unhex(raw[i+2])
		if high|low > 15 {
			return "", false
		}
		out = append(out, high<<4|low)
		i += 2
	}
	return string(out), true
}

// unhex is the value of a hexadecimal digit, 255 for anything else.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// NormalizeHost makes hosts comparable: lower case, no port, no trailing dot,
// IPv6 literals in their shortest form in brackets. What is no host comes back
// in lower case and matches nothing.
func NormalizeHost(host string) string {
	if strings.HasPrefix(host, "[") {
		return normalizeIPv6(host)
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && strings.Trim(host[i+1:], "0123456789") == "" {
		host = host[:i]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func normalizeIPv6(host string) string {
	inside, port, closed := strings.Cut(host[1:], "]")
	digits, colon := strings.CutPrefix(port, ":")
	addr, err := netip.ParseAddr(inside)
	if !closed || err != nil || !addr.Is6() || port != "" && !colon || strings.Trim(digits, "0123456789") != "" {
		return strings.ToLower(host)
	}
	return "[" + addr.String() + "]"
}

// Routes lists what the router knows, ordered by host and path, for `wasgi routes`.
func (r *Router) Routes() []Route {
	var out []Route
	collect := func(host string, p prefixes) {
		for prefix, tenant := range p.tenant {
			out = append(out, Route{tenant, host, prefix})
		}
	}
	for host, p := range r.exact {
		collect(host, p)
	}
	for host, p := range r.wildcard {
		collect("*."+host, p)
	}
	collect("", r.any)
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		return a.Host < b.Host || a.Host == b.Host && a.Prefix < b.Prefix
	})
	return out
}
