package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// certificate is one that vouches for itself, for an address.
func certificate(t *testing.T, address string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.ParseIP(address)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestTLS: to the server there is the TLS that the manifest asks for, or nothing,
// and a connection over it is used again like any other.
func TestTLS(t *testing.T) {
	cert, authority := certificate(t, "127.0.0.1")
	stranger, _ := certificate(t, "127.0.0.1")
	elsewhere, other := certificate(t, "127.0.0.2")
	for name, c := range map[string]struct {
		server *tls.Config
		ca     string
		want   string
	}{
		"verified":     {&tls.Config{Certificates: []tls.Certificate{cert}}, authority, ""},
		"a stranger's": {&tls.Config{Certificates: []tls.Certificate{stranger}}, authority, "x509: certificate signed by unknown authority"},
		"another name": {&tls.Config{Certificates: []tls.Certificate{elsewhere}}, other, "x509: certificate is valid for 127.0.0.2, not 127.0.0.1"},
		"none":         {nil, authority, "it does not speak as expected, or does not have the TLS that network.pool.tls asks for"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.tls = c.server
			p := f.pool(t, 1)
			p.config.Verify, p.config.CA = true, c.ca
			var err error
			if p.template, err = p.config.template(); err != nil {
				t.Fatal(err)
			}
			g, err := connect(t, p, straight{}, "")
			if c.want != "" {
				if !strings.Contains(codeOf(err), c.want) {
					t.Errorf("%v, want %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if got := g.query("pid"); got != "1" {
					t.Errorf("connection %s", got)
				}
				g.leave()
				idle(t, p, 1)
				g = enter(t, p)
			}
			g.leave()
			if _, err := New(Config{Host: "x", Port: 1, Size: 1, Verify: true, CA: "nothing"}); err == nil {
				t.Error("no certificate is taken for one")
			}
		})
	}
}
