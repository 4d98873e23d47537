package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"
)

// Config of a Manager.
type Config struct {
	Dir   string // where keys and certificates are kept
	CA    string // URL of the authority's directory
	Root  string // file of the certificate by which the authority is known, PEM; "" for the system's
	Email string // by which the authority reaches the operator, "" for none
	// Allowed says whether a name is one of the host's. It is called from handshakes.
	Allowed func(name string) bool
	// HTTPPort and TLSPort are where this process listens for clients without and with
	// TLS; 0 for nowhere. The authority connects to 80 and 443, which have to lead
	// there.
	HTTPPort, TLSPort int
	Log               *slog.Logger
}

// Protocol is what a handshake of tls-alpn-01 asks for: it has to be among
// tls.Config.NextProtos.
const Protocol = acmez.ACMETLS1Protocol

// Folder is where an authority asks for the answer to http-01.
const Folder = "/.well-known/acme-challenge/"

// ErrNotAllowed: no tenant claims the name.
var ErrNotAllowed = errors.New("acme: no application answers to this name")

// Manager gets certificates and keeps them. It is safe for concurrent use.
type Manager struct {
	allowed func(string) bool
	cache   *certmagic.Cache
	magic   *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	life    context.Context // of orders; it ends with Close
	end     context.CancelFunc
}

// New starts a manager. It asks the authority for nothing yet. The caller must
// Close it.
func New(c Config) (*Manager, error) {
	roots, err := rootsOf(c.Root)
	if err != nil {
		return nil, err
	}
	log := zap.New(core{log: c.Log})
	m := &Manager{allowed: c.Allowed}
	m.life, m.end = context.WithCancel(context.Background())
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.magic, nil }, Logger: log,
	})
	m.magic = certmagic.New(m.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: c.Dir}, Logger: log,
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: m.decide},
	})
	m.issuer = certmagic.NewACMEIssuer(m.magic, certmagic.ACMEIssuer{
		CA: c.CA, TestCA: c.CA, Email: c.Email, Agreed: true, TrustedRoots: roots, Logger: log,
		DisableHTTPChallenge: c.HTTPPort == 0, AltHTTPPort: c.HTTPPort,
		DisableTLSALPNChallenge: c.TLSPort == 0, AltTLSALPNPort: c.TLSPort,
	})
	m.magic.Issuers = []certmagic.Issuer{m.issuer}
	return m, nil
}

func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

func (m *Manager) decide(_ context.Context, name string) error {
	if !m.allowed(name) {
		return fmt.Errorf("%w: %q", ErrNotAllowed, name)
	}
	return nil
}

// Close ends what is under way.
func (m *Manager) Close() {
	if m != nil {
		m.end()
		m.cache.Stop()
	}
}

// Challenges says whether a handshake is the authority's.
func Challenges(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == Protocol
}

// GetCertificate is for tls.Config: the certificate for the name that the client
// asks for, which is ordered if there is none, or the answer to a challenge. It
// fails with ErrNotAllowed, with the authority's word, or when the handshake ends
// first; the order goes on then, for the next client.
func (m *Manager) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if Challenges(hello) {
		return m.magic.GetCertificate(hello)
	}
	if !m.allowed(strings.ToLower(hello.ServerName)) {
		return nil, ErrNotAllowed
	}
	if len(m.cache.AllMatchingCertificates(strings.ToLower(hello.ServerName))) > 0 {
		return m.magic.GetCertificateWithContext(m.life, hello)
	}
	return m.order(hello)
}

// order leaves the order to a goroutine that ends with it, or with the manager.
func (m *Manager) order(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	type result struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan result, 1)
	go func() {
		cert, err := m.magic.GetCertificateWithContext(m.life, hello)
		done <- result{cert, err}
	}()
	select {
	case r := <-done:
		return r.cert, r.err
	case <-hello.Context().Done():
		return nil, fmt.Errorf("acme: the certificate for %s is still on its way: %w", hello.ServerName, context.Cause(hello.Context()))
	}
}

// Answer answers a challenge by http-01 for a path, if r is one that is known.
func (m *Manager) Answer(w http.ResponseWriter, r *http.Request, path string) bool {
	if m == nil || !strings.HasPrefix(path, Folder) {
		return false
	}
	asked := *r
	asked.URL = &url.URL{Path: path}
	return m.issuer.HandleHTTPChallenge(w, &asked)
}
