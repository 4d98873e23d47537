package host

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/metrics"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
)

// newMetrics is nil when nobody could read them: neither Prometheus nor the
// console.
func newMetrics(c Config, version string) *metrics.Metrics {
	_, operated, _ := c.APIListener() // validated
	if (!c.Metrics || c.AdminListen == "") && !(c.Console && operated) {
		return nil
	}
	return metrics.New(metrics.Options{Tenants: c.MetricsTenants, Version: version})
}

// tally adds up what the pools of a site have counted, those of older releases
// included, so that no counter goes back at a reload.
type tally struct {
	mu   sync.Mutex
	past metrics.Pool // of pools that are closed
	open []*deployment
}

func (t *tally) enter(d *deployment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = append(t.open, d)
}

// leave is for a deployment whose pool is closed: it counts nothing any more.
func (t *tally) leave(d *deployment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = slices.DeleteFunc(t.open, func(other *deployment) bool { return other == d })
	t.past.Add(counted(d.pool.Stats()))
}

func (t *tally) total() metrics.Pool {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all metrics.Pool
	all.Add(t.past)
	for _, d := range t.open {
		all.Add(counted(d.pool.Stats()))
	}
	return all
}

func counted(s pool.Stats) metrics.Pool {
	return metrics.Pool{
		Idle: s.Idle, Busy: s.Busy, Creating: s.Creating, Waiting: s.Waiting,
		Created: s.Created, CreateFailed: s.CreateFailed,
		QueueFull: s.QueueFull, TimedOut: s.TimedOut, GaveUp: s.GaveUp,
		Queued: s.Queued, QueueTime: s.QueueTime, Closed: s.Reasons,
	}
}

// meter counts the site's requests; nil when nothing is counted.
func (s *site) meter() *metrics.Tenant {
	if t := s.counts.Load(); t != nil || s.fleet.metrics == nil {
		return t
	}
	t := s.fleet.metrics.Serving(s.name)
	s.counts.Store(t)
	return t
}

// gather tells package metrics how everything stands.
func (f *fleet) gather() metrics.Snapshot {
	slots := f.slots.Stats()
	f.mu.Lock()
	var gone metrics.Pool
	var network metrics.Network
	gone.Add(f.gone)
	network.Add(f.goneNetwork)
	f.mu.Unlock()
	out := metrics.Snapshot{
		Gone: gone, GoneNetwork: network, Memory: metrics.Memory{Used: f.memory.Used(), Limit: f.memory.Limit()},
		Slots: slots.Size, Running: slots.Running, WaitingForSlot: slots.Waiting, Connections: f.connected(),
	}
	for name, s := range f.routes.Load().sites {
		t := metrics.TenantState{
			Name: name, State: s.now().String(), Pool: s.tally.total(),
			Memory:  metrics.Memory{Used: s.memory.Used(), Limit: s.memory.Limit()},
			Network: f.networkUse(name),
		}
		switch d, z := s.both(); {
		case d != nil:
			t.Serves, t.Snapshot = true, d.size
		case z != nil:
			t.Serves, t.Snapshot = true, z.image.Bytes
		}
		s.mu.Lock()
		t.Waiting = s.waiting
		s.mu.Unlock()
		out.Tenants = append(out.Tenants, t)
	}
	return out
}

// connected is how many connections clients have, below 0 before any can.
func (f *fleet) connected() int {
	if count := f.connections.Load(); count != nil {
		return (*count)()
	}
	return -1
}

// forget ends what is counted for a site that has ended. A new one of that name
// goes on with what there is.
func (f *fleet) forget(s *site) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sites[s.name] != nil {
		return
	}
	if !f.metrics.Forget(s.name) {
		f.gone.Add(s.tally.total())
		f.goneNetwork.Add(f.networkUse(s.name).Past())
	}
	if f.egress != nil {
		f.egress.Forget(s.name)
	}
}

// snapshotSize is what an image's snapshot takes, 0 when it does not tell.
func snapshotSize(im image) uint64 {
	if i, ok := im.(interface{ Stats() sandbox.ImageStats }); ok {
		return i.Stats().NonZeroBytes
	}
	return 0
}

// causeOf says why a guest was ended that cannot be used any more; "" when
// nothing of the sort happened.
func causeOf(err error) string {
	var e *sandbox.Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Kind {
	case sandbox.KindMemory:
		return "memory"
	case sandbox.KindHost:
		return "host"
	}
	return e.Kind.String()
}

// count tells the metrics of an exchange that is over.
func (x *exchange) count(status int) {
	m := x.front.fleet.metrics.Nobody()
	if x.site != nil {
		m = x.site.meter()
	}
	m.Observe(metrics.Request{
		Status: status, Duration: time.Since(x.start), Wait: x.wait, CPU: x.cpu,
		In: x.received, Out: x.sent(), Fault: x.fault, Kill: x.kill,
	})
}
