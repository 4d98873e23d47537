package egress

import (
	"context"
	"net"
	"net/netip"
)

// ResolverAt asks one DNS server instead of those of the machine's
// /etc/resolv.conf. The machine's /etc/hosts counts as before.
func ResolverAt(server netip.AddrPort) Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.String())
	}}
}
