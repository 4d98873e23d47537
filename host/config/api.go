package config

import (
	"fmt"
	"net"
	"path/filepath"
)

// APISocket is the name of the admin API's socket in StateDir.
const APISocket = "api.sock"

// apiOff is the word that turns the API off.
const apiOff = "off"

// APIListener is where the admin API listens; on is false when it does not. It
// fails on what is no address, and on what would send tokens in the clear.
func (c *Config) APIListener() (l Listener, on bool, err error) {
	switch c.APIListen {
	case apiOff:
		return l, false, nil
	case "":
		return Listener{Path: filepath.Join(c.StateDir, APISocket), Mode: 0o600}, true, nil
	}
	if l, err = parseListener(c.APIListen); err != nil {
		return l, false, err
	}
	switch {
	case l.Passed || l.Inherited > 0:
		return l, false, fmt.Errorf("%q: the admin API takes no sockets of others: write host:port, https://host:port or unix:/path", c.APIListen)
	case l.Path != "" && l.TLS:
		return l, false, fmt.Errorf("%q: there is no TLS on a Unix socket: leave https:// out", c.APIListen)
	case l.Path != "" && l.Mode == 0:
		l.Mode = 0o600
	case l.Path == "" && !l.TLS && !loopback(l.Address):
		return l, false, fmt.Errorf("%q: tokens would go over the network in the clear: write https:// before it, or an address of the loopback", c.APIListen)
	}
	return l, true, nil
}

// loopback says whether nobody else can reach an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// AuditLog is the file of the audit log, - for standard output.
func (c *Config) AuditLog() string {
	if c.AuditFile == "" {
		return filepath.Join(c.StateDir, "audit.log")
	}
	return c.AuditFile
}

func (c *Config) validateAPI(fault faultFunc) {
	l, on, err := c.APIListener()
	if err != nil {
		fault("api_listen", "%w", err)
		return
	}
	if !on || l.Path != "" {
		return
	}
	for _, other := range append(c.Listen.Items(), c.AdminListen) {
		if o, err := parseListener(other); err == nil && o.Address == l.Address && l.Address[len(l.Address)-2:] != ":0" {
			fault("api_listen", "%q is taken by listen or admin_listen: choose another one", c.APIListen)
		}
	}
}
