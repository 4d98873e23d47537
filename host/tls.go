package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/acme"
	"github.com/wasgi/wasgi/host/certs"
	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/framing"
	"github.com/wasgi/wasgi/host/listen"
)

// soon is how long before a certificate expires the log says so.
const soon = 14 * 24 * time.Hour

// secrets opens the certificates; nil when no listener needs any.
func (f *front) secrets() (*tls.Config, error) {
	if !f.cfg.TLS() {
		return nil, nil
	}
	if err := f.openCertificates(); err != nil {
		return nil, err
	}
	return f.tlsConfig(func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return f.live.Load().certificate(hello)
	}), nil
}

// certificate is that of a file for the client's name, or the authority's for a
// name that an application has, or that of a file for another name.
func (f *front) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.orders == nil {
		return f.store.GetCertificate(hello)
	}
	if f.store != nil && !acme.Challenges(hello) {
		if cert, err := f.store.GetCertificate(hello); err == nil && hello.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	cert, err := f.orders.GetCertificate(hello)
	if errors.Is(err, acme.ErrNotAllowed) && f.store != nil {
		return f.store.GetCertificate(hello)
	}
	return cert, err
}

// openCertificates reads the files that the settings name.
func (f *front) openCertificates() error {
	if !f.cfg.TLS() || f.cfg.TLSCert == "" {
		f.store = nil
		return nil
	}
	pairs, err := f.cfg.Certificates()
	if err != nil {
		return fmt.Errorf("tls_key: %w", err)
	}
	files := make([]certs.Files, len(pairs))
	for i, p := range pairs {
		files[i] = certs.Files(p)
	}
	store, err := certs.Open(files, certs.Events{Loaded: f.renewed, Failed: f.notRenewed})
	if err != nil {
		return fmt.Errorf("tls_cert: %w", err)
	}
	if end := store.Expiry(); time.Until(end) < soon {
		f.log.Warn("a certificate expires soon", "expires", end)
	}
	f.store = store
	return nil
}

func (f *front) tlsConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	c := &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if f.cfg.TLSMinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if f.cfg.HTTP2 {
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	if f.cfg.ACME {
		c.NextProtos = append(c.NextProtos, acme.Protocol)
	}
	return c
}

func (f *front) renewed(files certs.Files, expires time.Time) {
	f.log.Info("a certificate was renewed", "file", files.Cert, "expires", expires)
}

func (f *front) notRenewed(_ certs.Files, err error) {
	f.log.Error("a certificate has changed and cannot be used: the older one goes on", "error", err)
}

// secured puts TLS before a listener.
func (f *front) secured(l net.Listener, c *tls.Config) net.Listener {
	return listen.TLS(l, listen.Handshakes{
		Config: c, Timeout: f.cfg.HeaderTimeout,
		HTTP1: func(c *tls.Conn) net.Conn { return framing.Secured(c, f.badFraming) },
		Failed: func(remote net.Addr, err error) {
			f.log.Debug("a TLS handshake failed", "remote", remote.String(), "error", err)
		},
	})
}

// secureKey is where the context of a connection keeps its *tls.Conn.
type secureKey struct{}

// withTLS remembers TLS under HTTP/2: net/http says nothing of it in a request
// whose :scheme is http, which is the client's word.
func withTLS(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		return context.WithValue(ctx, secureKey{}, secured)
	}
	return ctx
}

// tellTLS makes r.TLS say what the connection speaks.
func tellTLS(r *http.Request) {
	if r.TLS != nil {
		return
	}
	if c, ok := r.Context().Value(secureKey{}).(*tls.Conn); ok {
		state := c.ConnectionState()
		r.TLS = &state
	}
}

// http2Limits are those of HTTP/2 that net/http keeps.
func http2Limits(c Config) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams: c.MaxStreams,
		// What of bodies nobody has read yet stays in memory.
		MaxReceiveBufferPerConnection: int(config.HTTP2Window),
		MaxReceiveBufferPerStream:     int(config.HTTP2Window),
		MaxReadFrameSize:              16 << 10,
	}
}
