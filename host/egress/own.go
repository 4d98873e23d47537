package egress

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// ownAddresses are those of this machine's interfaces, looked up now and then.
type ownAddresses struct {
	mu     sync.Mutex
	known  map[netip.Addr]bool
	lookup time.Time
}

// ownFor is how long a look at the interfaces counts.
const ownFor = 10 * time.Second

func (o *ownAddresses) has(a netip.Addr, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil || now.Sub(o.lookup) > ownFor {
		o.known, o.lookup = interfaceAddresses(), now
	}
	return o.known[a]
}

func interfaceAddresses() map[netip.Addr]bool {
	known := map[netip.Addr]bool{}
	found, _ := net.InterfaceAddrs() // none is as good as an error
	for _, f := range found {
		if p, err := netip.ParsePrefix(f.String()); err == nil {
			known[p.Addr().Unmap().WithZone("")] = true
		}
	}
	return known
}
