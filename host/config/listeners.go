package config

import (
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Listener is one place where clients connect, as listen and admin_listen name
// it. Exactly one of Address, Path, Passed and Inherited is set.
type Listener struct {
	// TLS says that clients speak TLS there.
	TLS bool
	// Address is host:port of TCP.
	Address string
	// Path is that of a Unix socket; Mode are its permissions, 0 for those that the
	// umask leaves.
	Path string
	Mode fs.FileMode
	// Passed says that systemd passes the socket (LISTEN_FDS): the ones called Name,
	// or with Name "" all that nothing else names.
	Passed bool
	Name   string
	// Inherited is the number of a descriptor that the process was started with, at
	// least 3; 0 is none.
	Inherited int
}

// Listeners takes Listen apart. It fails on what is no address.
func (c *Config) Listeners() ([]Listener, error) {
	items := c.Listen.Items()
	out := make([]Listener, len(items))
	for i, item := range items {
		var err error
		if out[i], err = parseListener(item); err != nil {
			return nil, err
		}
		if slices.Contains(out[:i], out[i]) && !strings.HasSuffix(out[i].Address, ":0") {
			return nil, fmt.Errorf("%q is there twice", item)
		}
	}
	return out, nil
}

// AdminListener takes AdminListen apart, which must not be empty. It fails on
// what is no address, and on TLS: probes are for this machine.
func (c *Config) AdminListener() (Listener, error) {
	l, err := parseListener(c.AdminListen)
	if err == nil && l.TLS {
		err = fmt.Errorf("%q: probes are answered without TLS: leave https:// out", c.AdminListen)
	}
	return l, err
}

// parseListener reads [http:// or https://] and host:port, unix:/path,
// unix:/path?mode=0660, systemd, systemd:NAME, fd:N or fd://N.
func parseListener(text string) (Listener, error) {
	var l Listener
	place, hasScheme := strings.CutPrefix(text, "http://")
	if !hasScheme {
		place, l.TLS = strings.CutPrefix(text, "https://")
	}
	kind, rest, _ := strings.Cut(place, ":")
	switch kind {
	case "unix":
		return l.unix(text, rest)
	case "systemd":
		l.Passed, l.Name = true, rest
		return l, nil
	case "fd":
		return l.inherited(text, rest)
	}
	if _, _, err := net.SplitHostPort(place); err != nil {
		return l, fmt.Errorf("%q is no address: write host:port, unix:/path, systemd or fd:3, with https:// before it for TLS", text)
	}
	l.Address = place
	return l, nil
}

func (l Listener) unix(text, rest string) (Listener, error) {
	path, options, _ := strings.Cut(rest, "?")
	if !strings.HasPrefix(path, "/") {
		return l, fmt.Errorf("%q: the path of a Unix socket begins with a slash: unix:/path", text)
	}
	l.Path = path
	values, err := url.ParseQuery(options)
	mode := values.Get("mode")
	delete(values, "mode")
	if err != nil || len(values) > 0 {
		return l, fmt.Errorf("%q: behind the path of a Unix socket there may be ?mode=0660 and nothing else", text)
	}
	if mode == "" {
		return l, nil
	}
	bits, err := strconv.ParseUint(mode, 8, 32)
	if err != nil || bits == 0 || bits > 0o777 {
		return l, fmt.Errorf("%q: the mode of a Unix socket is three octal digits, such as ?mode=0660", text)
	}
	l.Mode = fs.FileMode(bits)
	return l, nil
}

func (l Listener) inherited(text, rest string) (Listener, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(rest, "//"), 10, 16)
	if err != nil || n < 3 {
		return l, fmt.Errorf("%q: a descriptor is a number above 2: fd:3", text)
	}
	l.Inherited = int(n)
	return l, nil
}

// HTTP2Possible says whether any client may speak HTTP/2.
func (c *Config) HTTP2Possible() bool {
	return c.H2C || c.HTTP2 && c.TLS()
}

// TLS says whether any listener speaks it.
func (c *Config) TLS() bool {
	listeners, err := c.Listeners()
	api, _, _ := c.APIListener() // validated apart
	return api.TLS || err == nil && slices.ContainsFunc(listeners, func(l Listener) bool { return l.TLS })
}

// Certificates pairs TLSCert with TLSKey. It fails when their numbers differ.
func (c *Config) Certificates() ([]CertificateFiles, error) {
	certs, keys := c.TLSCert.Items(), c.TLSKey.Items()
	if len(keys) == 0 {
		keys = certs
	}
	if len(certs) != len(keys) {
		return nil, fmt.Errorf("there are %d certificates and %d keys: name a key for each certificate, in the same order, or no key when the files of the certificates hold them too",
			len(certs), len(keys))
	}
	out := make([]CertificateFiles, len(certs))
	for i := range certs {
		out[i] = CertificateFiles{Cert: certs[i], Key: keys[i]}
	}
	return out, nil
}

// CertificateFiles are the PEM files of one certificate and its key. They may be
// one file.
type CertificateFiles struct{ Cert, Key string }

func (c *Config) validateListeners(fault faultFunc) {
	listeners, err := c.Listeners()
	switch {
	case err != nil:
		fault("listen", "%w", err)
	case len(listeners) == 0:
		fault("listen", "name at least one address for clients")
	}
	if c.AdminListen == "" {
		return
	}
	admin, err := c.AdminListener()
	if err != nil {
		fault("admin_listen", "%w", err)
		return
	}
	taken := slices.ContainsFunc(listeners, func(l Listener) bool { l.TLS = false; return l == admin })
	if taken && !strings.HasSuffix(admin.Address, ":0") {
		fault("admin_listen", "%q is taken by listen: choose another one", c.AdminListen)
	}
}

func (c *Config) validateTLS(fault faultFunc) {
	pairs, err := c.Certificates()
	switch {
	case err != nil:
		fault("tls_key", "%w", err)
	case c.TLS() && len(pairs) == 0 && !c.ACME:
		fault("tls_cert", "listen has an https:// address: name the file of the certificate, and in tls_key that of its key, or set acme")
	}
	if c.ACME && !c.TLS() {
		fault("acme", "certificates are for https:// addresses, and listen has none")
	}
	if u, err := url.Parse(c.ACMECA); c.ACME && (err != nil || u.Scheme != "https" || u.Host == "") {
		fault("acme_ca", "%q is no URL that begins with https://", c.ACMECA)
	}
}
