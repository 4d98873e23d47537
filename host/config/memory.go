package config

import "github.com/KimMachineGun/automemlimit/memlimit"

const (
	// hostBase is what the host needs before anybody is served: the compiled
	// guest, its library's index and cache, the runtime.
	hostBase = 192 * MiB
	// connectionCost is what one connection takes at most beside bodies: two
	// buffers of net/http, a goroutine's stack, the head of a request.
	connectionCost = 48 * KiB
	// secureCost is what TLS adds: a record in each direction.
	secureCost = 32 * KiB
	// http2Cost is what HTTP/2 adds: what a client may send of bodies before somebody
	// reads them (HTTP2Window), two tables of headers, a goroutine.
	http2Cost = HTTP2Window + 16*KiB
	// HTTP2Window is how many bytes of bodies a client may send on one connection of
	// HTTP/2 before somebody reads them.
	HTTP2Window = 128 * KiB
	// slotCost is how far the guest in one slot can get between two looks at what
	// it has made its own.
	slotCost = 64 * MiB
	// leastGuests is room for a small application.
	leastGuests = 64 * MiB
	// unknownMachine is assumed when nobody says how much memory there is.
	unknownMachine = 2 * GiB
)

// machineMemory is what this process may use: the limit of its control group,
// or else all of the machine.
func machineMemory() Bytes {
	limit, err := memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
	if err != nil || limit == 0 || limit > 1<<50 {
		return unknownMachine
	}
	return Bytes(limit)
}

// scale sets the defaults that depend on how much memory there is.
func (c *Config) scale() {
	c.MemoryPerTenant = max(c.MemoryBudget/4, leastGuests)
	c.SpoolMemoryTotal = clamp(c.MemoryBudget/16, 8*MiB, 256*MiB)
	c.ResponseMemoryTotal = clamp(c.MemoryBudget/32, 8*MiB, 128*MiB)
	c.MaxConnections = int(clamp(c.connectionShare()/c.connectionCost(), 256, 10000))
	c.MaxConnectionsPerAddress = max(c.MaxConnections/10, 100)
}

// connectionShare is the part of MemoryBudget that connections may take. Those of
// HTTP/2 cost more, and each stands for several of HTTP/1.
func (c *Config) connectionShare() Bytes {
	if c.HTTP2Possible() {
		return c.MemoryBudget / 8
	}
	return c.MemoryBudget / 16
}

// connectionCost is what one connection can take, with what it may speak.
func (c *Config) connectionCost() Bytes {
	cost := connectionCost
	if c.TLS() {
		cost += secureCost
	}
	if c.HTTP2Possible() {
		cost += http2Cost
	}
	return cost
}

func clamp(v, least, most Bytes) Bytes { return min(max(v, least), most) }

// HostMemory is the part of MemoryBudget that guests never get, in bytes: what
// connections, bodies and the host itself can take.
func (c *Config) HostMemory() Bytes {
	return hostBase + c.SpoolMemoryTotal + c.ResponseMemoryTotal +
		Bytes(c.MaxConnections)*c.connectionCost() + Bytes(c.Slots)*slotCost
}

// GuestMemory is the part of MemoryBudget that guests share, in bytes.
func (c *Config) GuestMemory() Bytes { return c.MemoryBudget - c.HostMemory() }

func (c *Config) validateMemory(fault faultFunc) {
	if c.GuestMemory() >= leastGuests {
		return
	}
	fault("memory_budget", "of %s the host needs %s for itself (max_connections, spool_memory_total, response_memory_total, slots), "+
		"which leaves guests less than %s: raise it or lower those", c.MemoryBudget, c.HostMemory(), Bytes(leastGuests))
}
