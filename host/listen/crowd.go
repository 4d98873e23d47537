package listen

import (
	"errors"
	"net/netip"
	"sync"
)

// ErrCrowded says that an address has as many connections as Limits allow.
var ErrCrowded = errors.New("listen: this address has too many connections")

// crowd counts the open connections of each address.
type crowd struct {
	limit int

	mu   sync.Mutex
	open map[netip.Addr]int // no zeros: an address that has left takes no memory
}

// enter counts a connection of a; leave must be called once. It fails with
// ErrCrowded when a has its share.
func (c *crowd) enter(a netip.Addr) (leave func(), err error) {
	if a.Is6() {
		network, err := a.Prefix(64)
		if err != nil {
			return nil, err
		}
		a = network.Addr()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[a] >= c.limit {
		return nil, ErrCrowded
	}
	c.open[a]++
	return func() { c.leave(a) }, nil
}

func (c *crowd) leave(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[a]--; c.open[a] == 0 {
		delete(c.open, a)
	}
}
