package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Config is a pool as a manifest describes it. It can be compared: pools of equal
// configurations are the same.
type Config struct {
	Host     string // a name or an address
	Port     uint16
	Size     int           // connections to the server at once, at least 1
	Wait     time.Duration // for one of them
	Idle     time.Duration // that one is kept unused
	Lifetime time.Duration // after which one is not used again
	Verify   bool          // TLS to the server, its certificate checked; otherwise none
	CA       string        // PEM of authorities that count then; empty is the machine's
}

// Address is the server, as a manifest writes it.
func (c Config) Address() string { return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) }

// Network makes the connections to the server. It must be safe for concurrent use.
type Network interface {
	// Lookup finds the addresses of a name or an address.
	Lookup(ctx context.Context, host string) ([]netip.Addr, error)
	// Connect connects to one of them. What it returns can be asked for its
	// descriptor (syscall.Conn).
	Connect(ctx context.Context, to netip.AddrPort) (net.Conn, error)
}

// connectTimeout is for a connection and the login on it.
const connectTimeout = 10 * time.Second

// maxReply bounds one message of the server where this package reads it itself.
const maxReply = 1 << 20

// template is what all connections of a pool are made with. Every setting that
// the environment of this process or files of its user could add is overruled:
// they are not the tenant's.
func (c Config) template() (*pgconn.Config, error) {
	p, err := pgconn.ParseConfig("host=127.0.0.1 port=1 user=none password=none database=none sslmode=disable sslnegotiation=postgres " +
		"passfile='' servicefile='' target_session_attrs=any min_protocol_version=3.0 max_protocol_version=3.0 channel_binding=prefer " +
		"sslcertmode=disable connect_timeout=0")
	if err != nil {
		return nil, fmt.Errorf("the environment of the host has settings of PostgreSQL (PG…) that do not fit: %w", err)
	}
	p.Host, p.Port, p.Fallbacks = c.Host, c.Port, nil
	p.ConnectTimeout, p.RequireAuth, p.KerberosSpn, p.KerberosSrvName = connectTimeout, "", "", ""
	p.MaxProtocolMessageBodyLen = maxReply
	if p.TLSConfig, err = c.tls(); err != nil {
		return nil, err
	}
	return p, nil
}

func (c Config) tls() (*tls.Config, error) {
	if !c.Verify {
		return nil, nil
	}
	t := &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM([]byte(c.CA)) {
			return nil, errors.New("network.pool.ca has no certificate in PEM")
		}
	}
	return t, nil
}

// through has the connections of p made by a network.
func through(p *pgconn.Config, via Network) {
	p.LookupFunc = func(ctx context.Context, host string) ([]string, error) {
		found, err := via.Lookup(ctx, host)
		texts := make([]string, 0, len(found))
		for _, a := range found {
			texts = append(texts, a.String())
		}
		return texts, err
	}
	p.DialFunc = func(ctx context.Context, _, address string) (net.Conn, error) {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, err
		}
		return via.Connect(ctx, to)
	}
}
