package host

import (
	"crypto/tls"
	"path/filepath"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/wiretest"
)

// secureAt makes a configuration listen with TLS for these names.
func secureAt(t *testing.T, names ...string) func(*Config) {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	wiretest.Issue(t, cert, key, nextMonth(), names...)
	return func(c *Config) {
		c.Listen, c.TLSCert, c.TLSKey = "https://127.0.0.1:0", config.List(cert), config.List(key)
	}
}

func nextMonth() time.Time { return time.Now().Add(30 * 24 * time.Hour) }

// secure opens a connection with TLS, for a name, that offers these protocols.
func (r *running) secure(name string, protocols ...string) *tls.Conn {
	r.t.Helper()
	c, err := tls.Dial("tcp", r.addr, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// get is the head of a request for a path.
func get(path string, more ...string) []string {
	return append([]string{":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", path}, more...)
}
