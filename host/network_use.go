package host

import (
	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/metrics"
)

// reaching makers have a network for applications.
type reaching interface{ outside() *egress.Host }

func (e *engine) outside() *egress.Host { return e.egress }

// networkUse is what a tenant has done with the network, for the metrics.
func (f *fleet) networkUse(tenant string) metrics.Network {
	u := f.egressUsage(tenant)
	p := u.Pools
	return metrics.Network{
		Open: u.Open, Opened: u.Opened, Sent: u.Sent, Received: u.Received, Refused: u.Refusals,
		Backends: metrics.Backends{
			Limit: p.Size, Idle: p.Idle, Used: p.Used, Waiting: p.Waiting, Logins: p.Logins, Failed: p.Failed, Reused: p.Reused,
			Waits: p.Waits, Exhausted: p.Exhausted, Dead: p.Dead, Expired: p.Expired, Dropped: p.Dropped,
		},
	}
}

func (f *fleet) egressUsage(tenant string) egress.Usage {
	if f.egress == nil {
		return egress.Usage{}
	}
	u, _ := f.egress.Usage(tenant)
	return u
}

// networkTold is the same for the API; nil for a tenant that has asked for nothing.
func (f *fleet) networkTold(tenant string) *api.Network {
	u := f.egressUsage(tenant)
	if u.Opened == 0 && len(u.Refusals) == 0 {
		return nil
	}
	n := &api.Network{Open: u.Open, Opened: u.Opened, Sent: u.Sent, Received: u.Received, Pool: u.Pools.Size, PoolIdle: u.Pools.Idle, PoolUsed: u.Pools.Used}
	for _, count := range u.Refusals {
		n.Refused += count
	}
	return n
}
