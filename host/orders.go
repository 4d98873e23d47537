package host

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/wasgi/wasgi/host/acme"
)

// openOrders starts getting certificates, if the settings want that.
func (f *front) openOrders(sockets []clientSocket) (err error) {
	if !f.cfg.ACME {
		return nil
	}
	f.orders, err = acme.New(acme.Config{
		Dir: filepath.Join(f.cfg.StateDir, "acme"), CA: f.cfg.ACMECA, Root: f.cfg.ACMERoot, Email: f.cfg.ACMEEmail,
		Allowed: f.fleet.claims, Log: f.log,
		HTTPPort: firstPort(sockets, false), TLSPort: firstPort(sockets, true),
	})
	if err != nil {
		return fmt.Errorf("acme_root: %w", err)
	}
	return nil
}

// firstPort is that of the first socket of TCP with TLS or without, 0 for none.
func firstPort(sockets []clientSocket, tls bool) int {
	for _, s := range sockets {
		if a, ok := s.Addr().(*net.TCPAddr); ok && s.tls == tls {
			return a.Port
		}
	}
	return 0
}

// claims says whether a tenant answers to a host name that it has written in full.
func (f *fleet) claims(name string) bool {
	return f.routes.Load().hosts[name]
}

// challenge answers an authority that wants to see whether a name leads here.
func (x *exchange) challenge(path string) (answered bool) {
	if x.front.orders == nil || x.Request().Method != http.MethodGet || !strings.HasPrefix(path, acme.Folder) {
		return false
	}
	x.response.Direct(func(w http.ResponseWriter) { answered = x.front.orders.Answer(w, x.Request(), path) })
	return answered
}
