package host

import (
	"cmp"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/tenants"
)

// loadDev reads the one application of development: it answers to everything,
// and keeps its interpreter so that a reload is all that resets it.
func loadDev(dir string, defaults tenants.Manifest) (tenants.Tenant, error) {
	name := tenants.NameOf(dir)
	t, err := tenants.LoadWith(dir, name, defaults)
	t.Name = name
	t.Manifest.Hosts, t.Manifest.Paths = nil, []string{"/"}
	t.Manifest.Isolation = tenants.Reuse
	return t, err
}

// notCode lists the files below dir that are no code and no configuration,
// relative and with slashes.
func notCode(dir string) ([]string, error) {
	var out []string
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !slices.Contains([]string{".py", ".toml", ".txt", ".html", ".tpl", ".jinja", ".j2"}, filepath.Ext(name)) {
			out = append(out, name)
		}
		return nil
	})
	return out, err
}

// origin is where clients connect.
type origin struct {
	address net.Addr
	tls     bool
}

// url is that of a tenant that answers to host, "" for any.
func (o origin) url(host string) string {
	if o.tls {
		return "https://" + urlHost(o.address.String(), host, "443")
	}
	return "http://" + urlHost(o.address.String(), host, "80")
}

// urlHost is the authority of a URL for a tenant that answers to host ("" for
// any), behind a listener at address. usual is the port that goes without saying.
func urlHost(address, host, usual string) string {
	if strings.HasPrefix(host, "*.") {
		host = "any" + host[1:]
	}
	name, port, err := net.SplitHostPort(address)
	if err != nil { // a UNIX socket
		return cmp.Or(host, "localhost")
	}
	if ip := net.ParseIP(name); name == "" || ip != nil && ip.IsUnspecified() {
		name = "localhost"
	}
	name = cmp.Or(host, name)
	if port == usual {
		return name
	}
	return net.JoinHostPort(strings.Trim(name, "[]"), port)
}
