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

// entrance is what clients connect to: all listeners within the limits on
// connections, those with TLS behind their handshakes, and every connection of
// HTTP/1 with a guard over its framing.
func (f *front) entrance(sockets []clientSocket) ([]net.Listener, error) {
	if err := f.openOrders(sockets); err != nil {
		return nil, err
	}
	secrets, err := f.secrets()
	if err != nil {
		return nil, err
	}
	gate := listen.NewGate(f.connections())
	open := func() int { return gate.Open() + f.streams.Open() }
	f.fleet.connections.Store(&open)
	out := make([]net.Listener, len(sockets))
	for i, s := range sockets {
		switch l := gate.Bound(s.Listener); {
		case s.tls:
			out[i] = f.secured(l, secrets)
		case f.cfg.H2C:
			out[i] = framing.PriorKnowledge(l, f.badFraming)
		default:
			out[i] = framing.Listener(l, f.badFraming)
		}
	}
	return out, nil
}

// connections are the limits of all listeners together.
func (f *front) connections() listen.Limits {
	crowds := &crowds{log: f.log, seldom: seldom{pause: time.Minute}}
	strangers := &strangers{log: f.log, seldom: seldom{pause: time.Minute}}
	return listen.Limits{
		Connections: f.cfg.MaxConnections, Stall: f.cfg.WriteTimeout,
		PerAddress: f.cfg.MaxConnectionsPerAddress, Exempt: f.trusts, Crowded: crowds.turnedAway,
		Proxy: listen.Proxy{Mode: proxyMode(f.cfg.ProxyProtocol), Trusts: f.speaks, Timeout: f.cfg.HeaderTimeout, Refused: strangers.turnedAway},
	}
}

// streamLimits are the same ones for the requests of HTTP/2, of which one
// connection may bring many.
func (f *front) streamLimits() listen.Limits {
	l := f.connections()
	l.Crowded = nil
	return l
}

func proxyMode(setting string) listen.ProxyMode {
	switch setting {
	case "optional":
		return listen.ProxyOptional
	case "require":
		return listen.ProxyRequired
	}
	return listen.ProxyOff
}

// trusts says whether an address is a proxy's, as the settings have it now.
func (f *front) trusts(a netip.Addr) bool { return f.live.Load().proxies.Trusts(a) }

// speaks says whether a peer may say who its client is.
func (f *front) speaks(peer net.Addr) bool {
	if tcp, ok := peer.(*net.TCPAddr); ok {
		return f.trusts(tcp.AddrPort().Addr())
	}
	return f.live.Load().proxies.TrustsUnix() && peer.Network() == "unix"
}

func (f *front) badFraming(remote net.Addr, fault error) {
	f.log.Debug("a request was refused", "remote", remote.String(), "error", fault)
}

// crowds tells the operator that addresses want too many connections.
type crowds struct {
	log    *slog.Logger
	seldom seldom
}

func (c *crowds) turnedAway(a netip.Addr) {
	c.seldom.tell(func(n int) {
		c.log.Warn("connections were closed: their address has too many (max_connections_per_address); list the proxies in front in trusted_proxies",
			"last", a.String(), "closed", n)
	})
}

// strangers tells the operator of connections without the PROXY header that
// they have to have: a load balancer that is not set up yet looks like that.
type strangers struct {
	log    *slog.Logger
	seldom seldom
}

func (s *strangers) turnedAway(peer net.Addr, err error) {
	s.seldom.tell(func(n int) {
		s.log.Warn("connections were closed for their PROXY header (proxy_protocol, trusted_proxies)",
			"last", peer.String(), "closed", n, "error", err)
	})
}

// seldom keeps those who open connections over and over from writing the log
// with it.
type seldom struct {
	pause time.Duration

	mu    sync.Mutex
	until time.Time // nothing is told before
	count int       // since the last time
}

// tell calls f with how often it was to be told, unless that was just done.
func (s *seldom) tell(f func(n int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	now := time.Now()
	if now.Before(s.until) {
		return
	}
	f(s.count)
	s.until, s.count = now.Add(s.pause), 0
}
