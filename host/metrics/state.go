package metrics

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Source tells the state of the host when somebody reads. It must return soon.
type Source func() Snapshot

// Snapshot is the state of the host.
type Snapshot struct {
	Tenants []TenantState
	Gone    Pool // what the tenants that have gone have counted
	// GoneNetwork is the same of the network.
	GoneNetwork Network
	Memory      Memory
	// Slots are how many guests may run at once, do, and wait to.
	Slots, Running, WaitingForSlot int
	Connections                    int // open ones of clients; below 0 when not known
}

// TenantState is the state of one tenant.
type TenantState struct {
	Name  string
	State string // one of a small set
	Pool
	Memory   Memory
	Network  Network
	Serves   bool   // from a snapshot
	Snapshot uint64 // bytes of that, 0 when they are not known
	Waiting  int    // requests that wait while the tenant is started
}

// Memory is a budget, in bytes. A limit of 0 is none.
type Memory struct{ Used, Limit uint64 }

// Pool is what the pools of a tenant have counted, those of older releases
// included. The counters never go back.
type Pool struct {
	Idle, Busy, Creating, Waiting int

	Created, CreateFailed       uint64
	QueueFull, TimedOut, GaveUp uint64
	Queued                      uint64
	QueueTime                   time.Duration
	Closed                      map[string]uint64 // by reason, one of a small set
}

// Add adds up.
func (p *Pool) Add(q Pool) {
	p.Idle += q.Idle
	p.Busy += q.Busy
	p.Creating += q.Creating
	p.Waiting += q.Waiting
	p.Created += q.Created
	p.CreateFailed += q.CreateFailed
	p.QueueFull += q.QueueFull
	p.TimedOut += q.TimedOut
	p.GaveUp += q.GaveUp
	p.Queued += q.Queued
	p.QueueTime += q.QueueTime
	p.Closed = added(p.Closed, q.Closed)
}

// added adds counts to others, which may be nil, and returns them.
func added(to, counts map[string]uint64) map[string]uint64 {
	if to == nil {
		to = map[string]uint64{}
	}
	for key, n := range counts {
		to[key] += n
	}
	return to
}

// state is the collector of what is asked for.
type state struct {
	has          func(tenant string) bool
	descriptions map[string]*prometheus.Desc

	mu     sync.Mutex
	source Source
}

func (s *state) from(source Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
}

// family is a metric and the labels it has.
type family struct {
	name, help string
	labels     []string
}

func families() []family {
	tenant := []string{"tenant"}
	return []family{
		{"tenants", "Tenants by the state they are in.", []string{"state"}},
		{"instances", "Instances by what they do.", []string{"tenant", "state"}},
		{"queue_length", "Requests that wait for an instance, or for the tenant to start.", tenant},
		{"queued_total", "Requests that waited for an instance and got one.", tenant},
		{"queue_seconds_total", "Time that those waited.", tenant},
		{"queue_refused_total", "Requests that got no instance, by reason.", []string{"tenant", "reason"}},
		{"cold_starts_total", "Instances that were made from a snapshot.", tenant},
		{"cold_starts_failed_total", "Instances that could not be made.", tenant},
		{"instances_closed_total", "Instances that were closed, by reason.", []string{"tenant", "reason"}},
		{"memory_bytes", "Memory that a tenant's instances have booked beyond their snapshots.", tenant},
		{"memory_limit_bytes", "What a tenant may book.", tenant},
		{"snapshots", "Snapshots that serve.", tenant},
		{"snapshot_bytes", "Size of the snapshots that serve, without those in worker processes.", tenant},
		{"guest_memory_bytes", "Memory that all guests have booked.", nil},
		{"guest_memory_limit_bytes", "What all guests may book.", nil},
		{"slots", "Guests that may run at once.", nil},
		{"slots_running", "Guests that run.", nil},
		{"slots_waiting", "Guests that wait for their turn.", nil},
		{"connections", "Open connections of clients, requests of HTTP/2 counted like them.", nil},
	}
}

func descriptions() map[string]*prometheus.Desc {
	out := map[string]*prometheus.Desc{}
	for _, f := range append(families(), networkFamilies()...) {
		out[f.name] = prometheus.NewDesc("wasgi_"+f.name, f.help, f.labels, nil)
	}
	return out
}

// Describe implements prometheus.Collector.
func (s *state) Describe(to chan<- *prometheus.Desc) {
	for _, d := range s.descriptions {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(to chan<- prometheus.Metric) {
	s.mu.Lock()
	source := s.source
	s.mu.Unlock()
	if source == nil {
		return
	}
	now := source()
	w := writer{to, s.descriptions}
	w.host(now)
	for _, t := range s.bounded(now) {
		w.tenant(t)
	}
}

// bounded gives those without labels of their own one name.
func (s *state) bounded(now Snapshot) []summary {
	rest := summary{TenantState: TenantState{Name: Other}}
	rest.Pool.Add(now.Gone)
	rest.Network.Add(now.GoneNetwork)
	var out []summary
	for _, t := range now.Tenants {
		one := summary{t, 0}
		if t.Serves {
			one.snapshots = 1
		}
		if s.has(t.Name) {
			out = append(out, one)
			continue
		}
		rest.Pool.Add(t.Pool)
		rest.Network.Add(t.Network)
		rest.Memory.Used += t.Memory.Used
		rest.Memory.Limit += t.Memory.Limit
		rest.Snapshot += t.Snapshot
		rest.snapshots += one.snapshots
		rest.Waiting += t.Waiting
	}
	return append(out, rest)
}

// summary is one tenant, or many.
type summary struct {
	TenantState
	snapshots int
}

type writer struct {
	to           chan<- prometheus.Metric
	descriptions map[string]*prometheus.Desc
}

func (w writer) put(kind prometheus.ValueType, name string, value float64, labels ...string) {
	w.to <- prometheus.MustNewConstMetric(w.descriptions[name], kind, value, labels...)
}

func (w writer) gauge(name string, value int, labels ...string) {
	w.put(prometheus.GaugeValue, name, float64(value), labels...)
}

func (w writer) counter(name string, value uint64, labels ...string) {
	w.put(prometheus.CounterValue, name, float64(value), labels...)
}

func (w writer) host(s Snapshot) {
	states := map[string]int{}
	for _, t := range s.Tenants {
		states[t.State]++
	}
	for name, n := range states {
		w.gauge("tenants", n, name)
	}
	w.put(prometheus.GaugeValue, "guest_memory_bytes", float64(s.Memory.Used))
	w.put(prometheus.GaugeValue, "guest_memory_limit_bytes", float64(s.Memory.Limit))
	w.gauge("slots", s.Slots)
	w.gauge("slots_running", s.Running)
	w.gauge("slots_waiting", s.WaitingForSlot)
	if s.Connections >= 0 {
		w.gauge("connections", s.Connections)
	}
}

func (w writer) tenant(t summary) {
	for state, n := range map[string]int{"idle": t.Idle, "busy": t.Busy, "creating": t.Creating} {
		w.gauge("instances", n, t.Name, state)
	}
	w.gauge("queue_length", t.Pool.Waiting+t.TenantState.Waiting, t.Name)
	w.counter("queued_total", t.Queued, t.Name)
	w.put(prometheus.CounterValue, "queue_seconds_total", t.QueueTime.Seconds(), t.Name)
	for reason, n := range map[string]uint64{"full": t.QueueFull, "timeout": t.TimedOut, "client-gone": t.GaveUp} {
		w.counter("queue_refused_total", n, t.Name, reason)
	}
	w.counter("cold_starts_total", t.Created, t.Name)
	w.counter("cold_starts_failed_total", t.CreateFailed, t.Name)
	for _, why := range slices.Sorted(maps.Keys(t.Closed)) {
		w.counter("instances_closed_total", t.Closed[why], t.Name, why)
	}
	w.put(prometheus.GaugeValue, "memory_bytes", float64(t.Memory.Used), t.Name)
	w.put(prometheus.GaugeValue, "memory_limit_bytes", float64(t.Memory.Limit), t.Name)
	w.gauge("snapshots", t.snapshots, t.Name)
	w.put(prometheus.GaugeValue, "snapshot_bytes", float64(t.Snapshot), t.Name)
	w.network(t.Name, t.Network)
}
