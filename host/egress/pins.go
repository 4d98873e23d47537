package egress

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// pinFor is how long an address counts as a name's after it was resolved.
	pinFor = 10 * time.Minute
	// maxPins bounds what is remembered for a tenant.
	maxPins = 4096
)

// pins remember which names an address was resolved from.
type pins struct {
	mu    sync.Mutex
	known map[pin]time.Time // until when
}

type pin struct {
	address netip.Addr
	name    string
}

func (p *pins) add(name string, addresses []netip.Addr, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[pin]time.Time{}
	}
	if len(p.known)+len(addresses) > maxPins {
		p.forget(now)
	}
	for _, a := range addresses {
		if len(p.known) < maxPins {
			p.known[pin{a, name}] = now.Add(pinFor)
		}
	}
}

// forget drops what is over, or, when that is nothing, everything: a name that
// is resolved again comes back.
func (p *pins) forget(now time.Time) {
	before := len(p.known)
	for k, until := range p.known {
		if now.After(until) {
			delete(p.known, k)
		}
	}
	if len(p.known) == before {
		clear(p.known)
	}
}

// names are those that an address was resolved from lately.
func (p *pins) names(a netip.Addr, now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for k, until := range p.known {
		if k.address == a && now.Before(until) {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}
