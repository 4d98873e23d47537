package host

import (
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/worker"
	"github.com/wasgi/wasgi/tenants"
)

// The host's level is the least that a tenant gets.
func TestIsolated(t *testing.T) {
	for _, c := range []struct {
		host   string
		tenant tenants.IsolationLevel
		want   bool
	}{
		{"inprocess", "", false},
		{"inprocess", tenants.InProcess, false},
		{"inprocess", tenants.WorkerProcess, true},
		{"process", "", true},
		{"process", tenants.InProcess, true},
		{"process", tenants.WorkerProcess, true},
	} {
		tenant := new(tenants.Tenant)
		tenant.Manifest.IsolationLevel = c.tenant
		if got := isolated(tenant, Config{IsolationLevel: c.host}); got != c.want {
			t.Errorf("host %q, tenant %q: %v", c.host, c.tenant, got)
		}
	}
}

// A tenant whose workers crash again and again is not there now; when the pool
// has made a pause of its own, that one counts.
func TestFaultOfCrashedWorkers(t *testing.T) {
	crashed := &worker.CrashedError{Tenant: "shop", Crashes: 3, RetryAfter: 3 * time.Second}
	if f := faultOf(crashed); f.status != 503 || f.word != "worker" || f.retry != 3*time.Second || f.blame != onTenant {
		t.Errorf("%+v", f)
	}
	create := &pool.CreateError{Pool: "shop", RetryAfter: 5 * time.Second, Err: crashed}
	if f := faultOf(create); f.status != 503 || f.word != "instance" || f.retry != 5*time.Second {
		t.Errorf("%+v", f)
	}
}
