package host

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/framing"
	"github.com/wasgi/wasgi/host/listen"
)

// proxiesOf are the peers that may speak for clients.
func proxiesOf(c Config) (*edge.Proxies, error) {
	networks, unix, err := c.Proxies()
	if err != nil {
		return nil, err
	}
	return edge.NewProxies(networks, unix, c.ProxyHeader == "forwarded"), nil
}

// entrance is what clients connect to: l within the limits on connections, each
// with a guard over its framing.
func (f *front) entrance(l net.Listener) net.Listener {
	crowds := &crowds{log: f.log, pause: time.Minute}
	bound := listen.Bound(l, listen.Limits{
		Connections: f.cfg.MaxConnections, Stall: f.cfg.WriteTimeout,
		PerAddress: f.cfg.MaxConnectionsPerAddress, Exempt: f.proxies.Trusts, Crowded: crowds.turnedAway,
	})
	return framing.Listener(bound, func(remote net.Addr, fault error) {
		f.log.Debug("a request was refused", "remote", remote.String(), "error", fault)
	})
}

// crowds tells the operator that addresses want too many connections, without
// letting them write the log.
type crowds struct {
	log   *slog.Logger
	pause time.Duration

	mu    sync.Mutex
	until time.Time // no line before
	count int       // since the last line
}

func (c *crowds) turnedAway(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	now := time.Now()
	if now.Before(c.until) {
		return
	}
	c.log.Warn("connections were closed: their address has too many (max_connections_per_address); list the proxies in front in trusted_proxies",
		"last", a.String(), "closed", c.count)
	c.until, c.count = now.Add(c.pause), 0
}
