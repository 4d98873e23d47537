package egress

import (
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/wasgi/wasgi/host/egress/postgres"
	"github.com/wasgi/wasgi/wasi"
)

// usage is what the releases of one tenant use together.
type usage struct {
	open   atomic.Int64
	opened atomic.Uint64
	carried
	pins  pins
	pools pools

	mu       sync.Mutex // guards refusals
	refusals map[string]uint64
}

// carried counts bytes.
type carried struct{ sent, received atomic.Uint64 }

func (c *carried) add(sent, received uint64) {
	c.sent.Add(sent)
	c.received.Add(received)
}

// Usage is what a tenant has used of the network. Its counters never go back.
type Usage struct {
	Open           int               // connections now
	Opened         uint64            // connections that were begun
	Sent, Received uint64            // bytes
	Refusals       map[string]uint64 // by rule, one of a small set
	Pools          postgres.Counts   // of network.pool
}

// Usage is that of a tenant; false when it has never had a network.
func (h *Host) Usage(tenant string) (Usage, bool) {
	h.mu.Lock()
	u := h.usages[tenant]
	h.mu.Unlock()
	if u == nil {
		return Usage{}, false
	}
	return u.read(), true
}

// Usage is what all releases of the tenant have used together.
func (t *Tenant) Usage() Usage { return t.usage.read() }

func (u *usage) read() Usage {
	u.mu.Lock()
	refusals := maps.Clone(u.refusals)
	u.mu.Unlock()
	return Usage{
		Open: int(u.open.Load()), Opened: u.opened.Load(), Sent: u.sent.Load(), Received: u.received.Load(),
		Refusals: refusals, Pools: u.pools.counts(),
	}
}

// Forget is for a tenant that has gone: its pools are closed, and one that comes
// by that name counts anew.
func (h *Host) Forget(tenant string) {
	h.mu.Lock()
	u := h.usages[tenant]
	delete(h.usages, tenant)
	h.mu.Unlock()
	if u != nil {
		u.pools.close()
	}
}

// Close closes the idle connections of all pools.
func (h *Host) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range h.usages {
		u.pools.close()
	}
}

// Carried counts bytes that a worker says have moved.
func (t *Tenant) Carried(sent, received uint64) { t.usage.add(sent, received) }

// otherRule stands for rules that are none of the host's: a worker may say
// anything.
const otherRule = "other"

// ruleNames are the rules by which something is refused.
func ruleNames() map[string]bool {
	names := map[string]bool{
		"network.allow": true, "egress": true, "network.connections": true, "egress_connections": true, "network.bytes": true,
		"own": true, "listen": true, "raw": true, "unix": true, "bind": true,
	}
	for _, k := range kinds() {
		names[k.name] = true
	}
	return names
}

// refuse counts and logs a refusal.
func (t *Tenant) refuse(rule, what, hint string) *wasi.Refusal {
	counted := rule
	if !t.host.rules[rule] {
		counted = otherRule
	}
	t.usage.mu.Lock()
	t.usage.refusals[counted]++
	count := t.usage.refusals[counted]
	t.usage.mu.Unlock()
	t.log.Warn("the network policy refused the application", "rule", rule, "what", what, "count", count)
	return &wasi.Refusal{Rule: rule, What: what, Hint: hint}
}

// tooMany refuses a connection because of the host's ceiling.
func (t *Tenant) tooMany(to netip.AddrPort) *wasi.Refusal {
	return t.refuse("egress_connections", to.String(), "the applications have as many connections as the host's egress_connections allows")
}
