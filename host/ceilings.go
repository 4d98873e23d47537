package host

import (
	"cmp"

	"github.com/wasgi/wasgi/tenants"
)

// withinCeilings lowers what a manifest asks for to what the host allows, and
// names the keys that it has lowered. A manifest is a tenant's to write, with
// writable_app even its guest's. Limits of requests are lowered where they are
// used (deployment.go, engine.go).
func withinCeilings(m tenants.Manifest, c Config) (tenants.Manifest, []string) {
	var lowered []string
	note := func(key string, was bool) {
		if was {
			lowered = append(lowered, key)
		}
	}
	note("limits.open_files", lower(&m.Limits.OpenFiles, c.OpenFiles))
	// Those above the minimum are closed when others need their memory.
	note("instances.min", lower(&m.Instances.Min, c.MaxInstances))
	note("instances.weight", lower(&m.Instances.Weight, c.MaxWeight))
	note("warmup.timeout", lower(&m.Warmup.Timeout.Duration, c.StartTimeout))
	note("data.quota", lower(&m.Data.Quota, tenants.Size(c.DataQuota)))
	note("data.files", lower(&m.Data.Files, c.DataFiles))
	note("network.connections", lower(&m.Network.Connections, c.EgressPerTenant))
	note("data.tmp", lower(&m.Data.Tmp, tenants.Size(c.TmpSize)))
	return m, lowered
}

// lower says whether it had something to do.
func lower[T cmp.Ordered](value *T, most T) bool {
	if *value <= most {
		return false
	}
	*value = most
	return true
}
