package host

import (
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/egress/postgres"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/tenants/destination"
)

// NewEgress is the network that the settings allow applications.
func NewEgress(c Config) (*egress.Host, error) {
	allow, err := destination.ParseAll(c.Egress.Items())
	if err != nil {
		return nil, fmt.Errorf("egress: %w", err)
	}
	resolver, err := resolverOf(c)
	if err != nil {
		return nil, fmt.Errorf("egress_resolver: %w", err)
	}
	return egress.NewHost(egress.Ceilings{
		Allow: allow, Connections: c.EgressConnections, Rate: int64(c.EgressRate),
	}, resolver), nil
}

// resolverOf is the one of the settings, nil for the machine's.
func resolverOf(c Config) (egress.Resolver, error) {
	if c.EgressResolver == "" {
		return nil, nil
	}
	at, err := netip.ParseAddrPort(c.EgressResolver)
	if err != nil {
		return nil, err
	}
	return egress.ResolverAt(at), nil
}

// NetworkOf is the network of an application. What the host's settings keep from it
// is in the log.
func NetworkOf(h *egress.Host, name string, n tenants.Network, log *slog.Logger) *egress.Tenant {
	warnOfNetwork(h, n, log)
	return sameNetwork(h, name, n, log)
}

func warnOfNetwork(h *egress.Host, n tenants.Network, log *slog.Logger) {
	allow, err := destination.ParseAll(n.Allow)
	if err != nil {
		log.Error("network.allow counts as empty", "reason", err) // the manifest was checked when it was read
	}
	if above := h.Above(allow); len(above) > 0 {
		log.Warn("the host's setting egress keeps entries of network.allow from having any effect", "entries", above)
	}
}

// sameNetwork is NetworkOf when the log has heard of it.
func sameNetwork(h *egress.Host, name string, n tenants.Network, log *slog.Logger) *egress.Tenant {
	allow, _ := destination.ParseAll(n.Allow)
	return h.Tenant(name, egress.Policy{
		Allow: allow, Connections: n.Connections, Bytes: n.Bytes.Bytes(), Rate: n.Rate.Bytes(), Pools: poolsOf(n.Pool),
	}, log)
}

// poolsOf are the pools that a manifest names.
func poolsOf(p tenants.Pool) (pools []postgres.Config) {
	servers, _ := destination.ParseAll(p.PostgreSQL) // the manifest was checked when it was read
	for _, d := range servers {
		host, port, _ := d.Server()
		pools = append(pools, postgres.Config{
			Host: host, Port: port, Size: p.Size, Wait: p.Wait.Duration, Idle: p.Idle.Duration, Lifetime: p.Lifetime.Duration,
			Verify: p.TLS == tenants.TLSVerify, CA: p.CA,
		})
	}
	return pools
}

func (e *engine) network(a application) *egress.Tenant {
	return NetworkOf(e.egress, a.tenant.Name, a.tenant.Manifest.Network, a.log.Budgeted())
}
