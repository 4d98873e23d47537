package config

import "github.com/KimMachineGun/automemlimit/memlimit"

const (
	// hostBase is what the host needs before anybody is served: the compiled
	// guest, its library's index and cache, the runtime.
	hostBase = 192 * MiB
	// connectionCost is what one connection takes at most beside bodies: two
	// buffers of net/http, a goroutine's stack, the head of a request.
	connectionCost = 48 * KiB
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
	c.MaxConnections = int(clamp(c.MemoryBudget/16/connectionCost, 256, 10000))
	c.MaxConnectionsPerAddress = max(c.MaxConnections/10, 100)
}

func clamp(v, least, most Bytes) Bytes { return min(max(v, least), most) }

// HostMemory is the part of MemoryBudget that guests never get, in bytes: what
// connections, bodies and the host itself can take.
func (c *Config) HostMemory() Bytes {
	return hostBase + c.SpoolMemoryTotal + c.ResponseMemoryTotal +
		Bytes(c.MaxConnections)*connectionCost + Bytes(c.Slots)*slotCost
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
