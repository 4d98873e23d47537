package metrics

import (
	"maps"
	"slices"
)

// Network is what a tenant has done with the network. The counters never go back.
type Network struct {
	Open           int // connections now
	Opened         uint64
	Sent, Received uint64            // bytes
	Refused        map[string]uint64 // by rule, one of a small set
	Backends       Backends
}

// Backends are the connections that the host keeps for tenants.
type Backends struct {
	Limit, Idle, Used, Waiting int

	Logins, Failed, Reused uint64
	Waits, Exhausted       uint64
	Dead, Expired, Dropped uint64
}

// Add adds up.
func (n *Network) Add(o Network) {
	n.Open += o.Open
	n.Opened += o.Opened
	n.Sent += o.Sent
	n.Received += o.Received
	n.Refused = added(n.Refused, o.Refused)
	n.Backends.add(o.Backends)
}

// Past is what stays of a tenant that goes: its counters.
func (n Network) Past() Network {
	n.Open = 0
	n.Backends.Limit, n.Backends.Idle, n.Backends.Used, n.Backends.Waiting = 0, 0, 0, 0
	return n
}

func (b *Backends) add(o Backends) {
	b.Limit += o.Limit
	b.Idle += o.Idle
	b.Used += o.Used
	b.Waiting += o.Waiting
	b.Logins += o.Logins
	b.Failed += o.Failed
	b.Reused += o.Reused
	b.Waits += o.Waits
	b.Exhausted += o.Exhausted
	b.Dead += o.Dead
	b.Expired += o.Expired
	b.Dropped += o.Dropped
}

func networkFamilies() []family {
	tenant := []string{"tenant"}
	return []family{
		{"egress_connections", "Connections that applications have open.", tenant},
		{"egress_connections_total", "Connections that applications have opened.", tenant},
		{"egress_refused_total", "What the network policy has refused, by rule.", []string{"tenant", "rule"}},
		{"egress_bytes_total", "Bytes of the connections of applications, by direction.", []string{"tenant", "direction"}},
		{"backend_connections", "Connections that the host keeps for applications (network.pool), by what they do.", []string{"tenant", "state"}},
		{"backend_connections_limit", "How many of them there may be.", tenant},
		{"backend_waiting", "Connections of applications that wait for one of them.", tenant},
		{"backend_logins_total", "Connections that the host has made for network.pool, by result.", []string{"tenant", "result"}},
		{"backend_reused_total", "Connections of applications that got one that was there.", tenant},
		{"backend_waits_total", "Connections of applications that had to wait for one.", tenant},
		{"backend_exhausted_total", "Those that waited in vain.", tenant},
		{"backend_closed_total", "Connections of network.pool that were closed, by reason: dead, expired, dropped (in the middle of something).", []string{"tenant", "reason"}},
	}
}

// network writes what there is: most tenants reach nobody.
func (w writer) network(tenant string, n Network) {
	for _, rule := range slices.Sorted(maps.Keys(n.Refused)) {
		w.counter("egress_refused_total", n.Refused[rule], tenant, rule)
	}
	if n.Opened > 0 {
		w.gauge("egress_connections", n.Open, tenant)
		w.counter("egress_connections_total", n.Opened, tenant)
		w.counter("egress_bytes_total", n.Sent, tenant, "sent")
		w.counter("egress_bytes_total", n.Received, tenant, "received")
	}
	if b := n.Backends; b.Limit > 0 || b.Logins+b.Failed > 0 {
		w.backends(tenant, b)
	}
}

func (w writer) backends(tenant string, b Backends) {
	w.gauge("backend_connections", b.Idle, tenant, "idle")
	w.gauge("backend_connections", b.Used, tenant, "used")
	w.gauge("backend_connections_limit", b.Limit, tenant)
	w.gauge("backend_waiting", b.Waiting, tenant)
	w.counter("backend_logins_total", b.Logins, tenant, "ok")
	w.counter("backend_logins_total", b.Failed, tenant, "failed")
	w.counter("backend_reused_total", b.Reused, tenant)
	w.counter("backend_waits_total", b.Waits, tenant)
	w.counter("backend_exhausted_total", b.Exhausted, tenant)
	for reason, n := range map[string]uint64{"dead": b.Dead, "expired": b.Expired, "dropped": b.Dropped} {
		w.counter("backend_closed_total", n, tenant, reason)
	}
}
