package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// certAuthority is a certificate authority of this process: Pebble, which is what
// Let's Encrypt tests clients with.
type certAuthority struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
	db      *db.MemoryStore
	ca      *ca.CAImpl
	orders  atomic.Int32
}

// newCertAuthority answers nothing before open.
func newCertAuthority(t *testing.T) (a *certAuthority, root string) {
	t.Helper()
	a = &certAuthority{}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/order-plz") {
			a.orders.Add(1)
		}
		(*a.handler.Load()).ServeHTTP(w, r)
	}))
	t.Cleanup(a.Close)
	root = filepath.Join(t.TempDir(), "root.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	if err := os.WriteFile(root, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a, root
}

// open starts the certAuthority. It looks for the owners of names at these ports of
// this machine.
func (a *certAuthority) open(t *testing.T, httpPort, tlsPort int) {
	t.Helper()
	quiet := log.New(io.Discard, "", 0)
	a.db = db.NewMemoryStore()
	a.ca = ca.New(quiet, a.db, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: 3600 * 24 * 7}})
	v := va.New(quiet, httpPort, tlsPort, true, resolver(t), a.db)
	front := wfe.New(quiet, a.db, v, a.ca, []string{"pebble.test"}, true, false, 1, 1)
	handler := front.Handler()
	a.handler.Store(&handler)
}

// pool believes the certAuthority.
func (a *certAuthority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.ca.GetRootCert(0).PEM())
	return pool
}

// resolver says that every name is this machine's.
func resolver(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0") // Pebble asks by TCP
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{Listener: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		if q := r.Question[0]; q.Qtype == dns.TypeA {
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)}}
		}
		_ = w.WriteMsg(m)
	})}
	go s.ActivateAndServe() // ends with Shutdown
	t.Cleanup(func() { s.Shutdown() })
	return socket.Addr().String()
}

// TestACME gets certificates for the names in manifests, in both ways in which an
// certAuthority looks for their owner, and for no other name.
func TestACME(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	for _, way := range []string{"http-01", "tls-alpn-01"} {
		t.Run(way, func(t *testing.T) { acmeBy(t, way) })
	}
}

func acmeBy(t *testing.T, way string) {
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	a, trusted := newCertAuthority(t)
	write(t, root, "shop/wsgi.py", source("shop\n"))
	write(t, root, "shop/wasgi.toml", "hosts = [\"shop.example\", \"*.shop.example\"]\n")
	listen := "https://127.0.0.1:0"
	if way == "http-01" {
		listen = "http://127.0.0.1:0," + listen
	}
	own := certificate(t, "own.example")
	flags := append(own.flags(), "--listen", listen, "--acme", "--acme-ca", a.URL+"/dir", "--acme-root", trusted, "--acme-email", "admin@shop.example", "--log-level", "debug", "--header-timeout", "2s")
	s := w.serve(t, launch{root: root, state: state, flags: flags}, "shop")
	addresses := s.addresses(t, strings.Count(listen, ",")+1)
	ports := []int{1, 1} // nobody listens there
	for i, address := range addresses {
		_, port, _ := net.SplitHostPort(address)
		ports[len(ports)-len(addresses)+i], _ = strconv.Atoi(port)
	}
	if way == "http-01" {
		a.open(t, ports[0], 1) // where a handshake would find nobody
	} else {
		a.open(t, 1, ports[1])
	}
	secure := addresses[len(addresses)-1]
	ask := func(name string, pool *x509.CertPool) error {
		client := &http.Client{Transport: &http.Transport{DialContext: from127005, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}}}
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+secure+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = name
		res, err := client.Do(r)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if text, err := io.ReadAll(res.Body); string(text) != "shop\n" || err != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		return nil
	}
	eventually(t, func() error { return ask("shop.example", a.pool()) })
	orders := a.orders.Load() // the way that leads nowhere may have been tried first
	for _, name := range []string{"any.shop.example", "evil.example", "shop.example.evil.example"} {
		if err := ask(name, a.pool()); err == nil {
			t.Errorf("%s has a certificate", name)
		}
	}
	if n := a.orders.Load(); n != orders {
		t.Errorf("%d orders after names that nobody has", n)
	}
	if err := ask("any.shop.example", own.pool); err == nil || !regexp.MustCompile(`valid for own\.example`).MatchString(err.Error()) {
		t.Errorf("a name without a certificate got another than the file's: %v", err)
	}
	if err := s.terminate(t); err != nil {
		t.Fatal(err)
	}

	// The certificate is kept, and the certAuthority not asked again.
	again := w.serve(t, launch{root: root, state: state, flags: flags}, "shop")
	secure = again.addresses(t, len(addresses))[len(addresses)-1]
	if err := ask("shop.example", a.pool()); err != nil {
		t.Error(err)
	}
	if n := a.orders.Load(); n != orders {
		t.Errorf("%d orders after a restart", n)
	}
	if info, err := os.Stat(filepath.Join(state, "acme")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the folder of keys: %v, %v", info, err)
	}
}

// eventually repeats what a client would: the first handshake may end before the
// order does.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for range 10 {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}
