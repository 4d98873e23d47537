package script

import (
	"slices"

	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// network is what the application may reach within the host's setting, and what
// the command line adds to both: whoever types it runs the host.
func (r *runner) network(name string, n tenants.Network) (wasi.Network, error) {
	cfg := r.cfg
	added := config.List("")
	for _, entry := range r.opt.Allow {
		added += config.List("," + entry)
	}
	cfg.Egress += added
	n.Allow = append(slices.Clone(n.Allow), r.opt.Allow...)
	out, err := host.NewEgress(cfg)
	if err != nil {
		return nil, err
	}
	return host.NetworkOf(out, name, n, r.log), nil
}

// mountCertificates shows the machine's certificates of authorities.
func (p *program) mountCertificates() {
	if certificates, err := policy.SystemCertificates(); err == nil { // without, TLS says so
		p.base = append(p.base, policy.Shared(policy.CertificatesDir, certificates))
	}
}
