package egress

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/egress/postgres"
	"github.com/wasgi/wasgi/wasi"
)

// backend is a server that a pool stands in front of.
type backend struct {
	postgres.Config
	pool *postgres.Pool
}

// backendFor finds the pool for an address that check has admitted; nil for none.
func (t *Tenant) backendFor(to netip.AddrPort) *postgres.Pool {
	a := to.Addr().Unmap().WithZone("")
	for _, b := range t.backends {
		if b.Port != to.Port() {
			continue
		}
		own, err := netip.ParseAddr(b.Host)
		if err == nil && own == a || err != nil && slices.Contains(t.usage.pins.names(a, time.Now()), b.Host) {
			return b.pool
		}
	}
	return nil
}

// pools are those of one tenant, whatever release has asked for them.
type pools struct {
	mu    sync.Mutex
	known map[postgres.Config]*postgres.Pool
	past  postgres.Counts // of those that are gone
}

// of gives the pools of a policy. Those that no other release uses any more go
// when they are empty.
func (p *pools) of(configs []postgres.Config, log *slog.Logger) (out []backend) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range configs {
		pool := p.known[c]
		if pool == nil {
			var err error
			if pool, err = postgres.New(c); err != nil {
				log.Error("the application's connections to the server do not come from a pool", "server", c.Address(), "reason", err)
				continue
			}
			p.add(c, pool)
		}
		out = append(out, backend{c, pool})
	}
	for c, pool := range p.known {
		if n := pool.Counts(); !slices.Contains(configs, c) && n.Idle+n.Used+n.Waiting == 0 {
			p.remove(c)
		}
	}
	return out
}

func (p *pools) add(c postgres.Config, pool *postgres.Pool) {
	if p.known == nil {
		p.known = map[postgres.Config]*postgres.Pool{}
	}
	p.known[c] = pool
}

func (p *pools) remove(c postgres.Config) {
	counts := p.known[c].Counts()
	counts.Size, counts.Idle, counts.Used, counts.Waiting = 0, 0, 0, 0
	p.past.Add(counts)
	delete(p.known, c)
}

func (p *pools) counts() postgres.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.past
	for _, pool := range p.known {
		all.Add(pool.Counts())
	}
	return all
}

// close closes what is idle, for good.
func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, pool := range p.known {
		pool.Close()
		p.remove(c)
	}
}

// door is how a pool reaches its server: by the tenant's policy, like the tenant
// itself, but counted among the connections of the host only. The pool's size is
// what bounds them for the tenant.
type door struct{ t *Tenant }

// Lookup implements postgres.Network.
func (d door) Lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	found, err := d.t.Resolve(ctx, host)
	return found, plainly(err)
}

// Connect implements postgres.Network.
func (d door) Connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if r := d.t.check(to); r != nil {
		return nil, plainly(r)
	}
	if h := d.t.host; h.open.Add(1) > int64(h.ceilings.Connections) {
		h.open.Add(-1)
		return nil, plainly(d.t.tooMany(to))
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", to.String())
	if err != nil {
		d.t.host.open.Add(-1)
		return nil, err
	}
	return &counted{TCPConn: c.(*net.TCPConn), end: sync.OnceFunc(func() { d.t.host.open.Add(-1) })}, nil
}

// counted is a connection that the host's ceiling counts until it is closed.
type counted struct {
	*net.TCPConn
	end func()
}

func (c *counted) Close() error {
	c.end()
	return c.TCPConn.Close()
}

// refused is a refusal that a guest may read.
type refused struct{ *wasi.Refusal }

func (r refused) Unwrap() error { return r.Refusal }

// Plain implements postgres.Plain.
func (r refused) Plain() string { return r.Error() }

func plainly(err error) error {
	if r, ok := err.(*wasi.Refusal); ok {
		return refused{r}
	}
	return err
}
