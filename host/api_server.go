package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/config"
)

// apiServer answers operators. nil answers nobody.
type apiServer struct {
	server   *http.Server
	listener net.Listener
	audit    io.Closer
	end      context.CancelFunc // of all requests, streams above all
}

// longestSocket is what the kernel takes as the path of a Unix socket, in bytes.
const longestSocket = 107

// openAPI opens what api_listen names. Its context is that of the host.
func (s *service) openAPI(ctx context.Context, f *front) error {
	h := s.host
	where, on, err := h.cfg.APIListener()
	if err != nil || !on || h.deployer == nil {
		return err
	}
	if h.cfg.APIListen == "" && len(where.Path) > longestSocket {
		h.log.Warn("the admin API is off: the path of its socket is too long; set api_listen", "path", where.Path)
		return nil
	}
	l, err := s.apiListener(ctx, where, f)
	if err != nil {
		return fmt.Errorf("api_listen: %w", err)
	}
	out, err := openLog(h.cfg.AuditLog())
	if err != nil {
		return errors.Join(fmt.Errorf("audit_file: %w", err), l.Close())
	}
	a := api.New(api.Config{Backend: backend{h, h.deployer}, Version: h.version, Hosts: apiHosts(h.cfg, where), Audit: out, Log: h.log})
	if err := s.openConsole(a); err != nil {
		return errors.Join(err, l.Close(), out.Close())
	}
	base, end := context.WithCancel(context.WithoutCancel(ctx))
	s.api = &apiServer{listener: l, audit: out, end: end, server: &http.Server{
		Handler: s.console.beside(a.Handler(where.Path != "")), BaseContext: func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 64 << 10, ErrorLog: s.client.ErrorLog,
	}}
	h.log.Info("the admin API listens", "address", l.Addr().String())
	return nil
}

func (s *service) apiListener(ctx context.Context, where config.Listener, f *front) (net.Listener, error) {
	l, err := s.sockets.one(ctx, where)
	if err != nil || !where.TLS {
		return l, err
	}
	secrets, err := f.secrets()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	secrets.NextProtos = []string{"http/1.1"} // both ways at once, for run
	return tls.NewListener(l, secrets), nil
}

// apiHosts are the names in Host besides those of the loopback.
func apiHosts(c Config, where config.Listener) []string {
	names := c.APIHosts.Items()
	if host, _, err := net.SplitHostPort(where.Address); err == nil && host != "" {
		names = append(names, host)
	}
	return names
}

// serve answers until stop.
func (a *apiServer) serve() error { return serving(a.server.Serve(a.listener)) }

// stop ends what runs: changes leave things as they are.
func (a *apiServer) stop(ctx context.Context) {
	if a == nil {
		return
	}
	a.end()
	if err := a.server.Shutdown(ctx); err != nil {
		_ = a.server.Close() // connections of clients that do not read
	}
	_ = a.audit.Close() // nobody is left who writes to it
}

func (a *apiServer) close() error {
	if a == nil {
		return nil
	}
	a.end()
	return errors.Join(a.listener.Close(), a.audit.Close())
}

// openState opens the deployer, unless an author serves one application.
func (h *Host) openState(ctx context.Context) (err error) {
	if h.cfg.Dev {
		return nil
	}
	h.deployer, err = openDeployer(ctx, h.fleet)
	h.cron = &cron{deployer: h.deployer}
	return err
}

func (h *Host) closeDeployer() error {
	if h.deployer == nil {
		return nil
	}
	return h.deployer.close()
}

// WithVersion says what the admin API tells of the version.
func WithVersion(version string) Option { return func(h *Host) { h.version = version } }
