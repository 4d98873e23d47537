package tenants

import (
	"encoding/pem"
	"fmt"
	"time"

	"github.com/wasgi/wasgi/tenants/destination"
)

func (c *checker) pool(n Network) {
	p := n.Pool
	allowed, err := destination.ParseAll(n.Allow)
	c.all("network.pool.postgresql", p.PostgreSQL, func(text string) error {
		if err != nil {
			return nil // which has been said
		}
		return checkServer(text, allowed)
	})
	c.count("network.pool.size", p.Size, 1, 1000)
	c.span("network.pool.wait", p.Wait, 0, time.Hour)
	c.span("network.pool.idle", p.Idle, time.Second, 24*time.Hour)
	c.span("network.pool.lifetime", p.Lifetime, time.Second, 24*time.Hour)
	if p.TLS != TLSOff && p.TLS != TLSVerify {
		c.fault("network.pool.tls", fmt.Sprintf("%q; write %q or %q", p.TLS, TLSOff, TLSVerify))
	}
	if block, _ := pem.Decode([]byte(p.CA)); p.CA != "" && (block == nil || block.Type != "CERTIFICATE") {
		c.fault("network.pool.ca", "no certificate in PEM: write \"\"\"-----BEGIN CERTIFICATE----- …\"\"\"")
	}
}

// checkServer takes one host and one port that network.allow may admit.
func checkServer(text string, allowed []destination.Destination) error {
	d, err := destination.Parse(text)
	if err != nil {
		return err
	}
	if _, _, ok := d.Server(); !ok {
		return fmt.Errorf("%q is no server: write one name or address and one port, like \"db.example:5432\"", text)
	}
	for _, a := range allowed {
		if a.HasPort(d.First) && (a.HasName(d.Name) || a.Any || d.Prefix.IsValid() && a.Prefix.IsValid() && a.Prefix.Contains(d.Prefix.Addr())) {
			return nil
		}
	}
	return fmt.Errorf("nobody may connect to %s: add it to network.allow", text)
}
