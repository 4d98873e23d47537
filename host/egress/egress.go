package egress

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasgi/wasgi/host/egress/postgres"
	"github.com/wasgi/wasgi/tenants/destination"
	"github.com/wasgi/wasgi/wasi"
)

// Ceilings are the host's own limits, for all tenants together or each of them.
type Ceilings struct {
	// Allow is the most that any tenant gets, whatever its manifest says.
	Allow []destination.Destination
	// Connections of all tenants at once; 0 is none.
	Connections int
	// Rate of all tenants in bytes a second, both directions together; 0 is no limit.
	Rate int64
}

// Resolver finds the addresses of names; net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Host is what all tenants share. It is safe for concurrent use.
type Host struct {
	ceilings Ceilings
	resolver Resolver
	kinds    classifier
	own      ownAddresses
	rules    map[string]bool
	open     atomic.Int64
	rate     *bucket

	mu     sync.Mutex // guards usages
	usages map[string]*usage
}

// NewHost makes the host's side. A nil resolver is the machine's.
func NewHost(c Ceilings, r Resolver) *Host {
	if r == nil {
		r = &net.Resolver{PreferGo: true}
	}
	return &Host{ceilings: c, resolver: r, kinds: newClassifier(), rules: ruleNames(), rate: newBucket(c.Rate), usages: map[string]*usage{}}
}

// Policy is what a tenant may do.
type Policy struct {
	Allow       []destination.Destination
	Connections int   // at once, of all instances; 0 is none
	Bytes       int64 // that one connection may carry, both directions together; 0 is no limit
	Rate        int64 // bytes a second of all connections together; 0 is no limit
	// Pools are servers to which the host keeps connections for the tenant.
	Pools []postgres.Config
}

// Tenant is the network of one tenant. It is safe for concurrent use.
type Tenant struct {
	host     *Host
	policy   Policy
	usage    *usage
	meters   *Meters
	log      *slog.Logger
	backends []backend
}

// Tenant gives a release of a tenant its network. Those of one name count
// together and share what the resolver said.
func (h *Host) Tenant(name string, p Policy, log *slog.Logger) *Tenant {
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.usages[name]
	if u == nil {
		u = &usage{refusals: map[string]uint64{}}
		h.usages[name] = u
	}
	m := NewMeters(p)
	m.rates = append(m.rates, h.rate)
	m.carried = &u.carried
	return &Tenant{host: h, policy: p, usage: u, meters: m, log: log, backends: u.pools.of(p.Pools, log)}
}

// Refuse implements wasi.Network.
func (t *Tenant) Refuse(rule, what string) *wasi.Refusal {
	return t.refuse(rule, what, "")
}

// resolveTimeout bounds a question; the request's end comes sooner, mostly.
const resolveTimeout = 20 * time.Second

// Resolve implements wasi.Network.
func (t *Tenant) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if !anyNames(t.policy.Allow, name) {
		return nil, t.refuse("network.allow", name, `no entry of [network] allow in wasgi.toml names it`)
	}
	if !anyNames(t.host.ceilings.Allow, name) {
		return nil, t.refuse("egress", name, "the host's own setting egress does not name it")
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	// The dot keeps the machine's search domains out.
	found, err := t.host.resolver.LookupNetIP(ctx, "ip", name+".")
	if err != nil {
		return nil, err
	}
	addresses := make([]netip.Addr, 0, len(found))
	for _, a := range found {
		addresses = append(addresses, a.Unmap().WithZone(""))
	}
	t.usage.pins.add(name, addresses, time.Now())
	return addresses, nil
}

// anyNames says whether an entry names a host.
func anyNames(entries []destination.Destination, name string) bool {
	for _, d := range entries {
		if d.HasName(name) {
			return true
		}
	}
	return false
}

// check decides about an address.
func (t *Tenant) check(to netip.AddrPort) *wasi.Refusal {
	a := to.Addr().Unmap().WithZone("")
	what := netip.AddrPortFrom(a, to.Port()).String()
	c, special := t.host.classify(a)
	rule := "network.allow"
	if special {
		rule = c.name
	}
	if c.never {
		return t.refuse(rule, what, "nobody may connect there")
	}
	names := t.usage.pins.names(a, time.Now())
	if !admitted(t.policy.Allow, a, to.Port(), c, special, names) {
		return t.refuse(rule, what, hintFor(a, to.Port(), special))
	}
	if !admitted(t.host.ceilings.Allow, a, to.Port(), c, special, names) {
		if !special {
			rule = "egress"
		}
		return t.refuse(rule, what, "the host's own setting egress does not allow it")
	}
	return nil
}

func hintFor(a netip.Addr, port uint16, special bool) string {
	entry := destination.Destination{Prefix: netip.PrefixFrom(a, a.BitLen()), First: port, Last: port}
	if special {
		return `only an entry for the address itself allows it: [network] allow = ["` + entry.String() + `"]`
	}
	return `no entry of [network] allow in wasgi.toml admits it`
}

// admitted says whether one of the entries admits the address.
func admitted(entries []destination.Destination, a netip.Addr, port uint16, c class, special bool, names []string) bool {
	for _, d := range entries {
		if d.HasPort(port) && admits(d, a, c, special, names) {
			return true
		}
	}
	return false
}

func admits(d destination.Destination, a netip.Addr, c class, special bool, names []string) bool {
	if d.Prefix.IsValid() {
		return d.Prefix.Contains(a) && (!special || c.namedBy(d.Prefix))
	}
	if special {
		return false
	}
	if d.Any {
		return true
	}
	for _, name := range names {
		if d.HasName(name) {
			return true
		}
	}
	return false
}

// classify adds this machine's own addresses to the kinds: what listens there
// may mean to be reached from elsewhere only.
func (h *Host) classify(a netip.Addr) (class, bool) {
	if c, special := h.kinds.classify(a); special {
		return c, true
	}
	if h.own.has(a, time.Now()) {
		return class{kind: kind{name: "own", exact: true}}, true
	}
	return class{}, false
}
