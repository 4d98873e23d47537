package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Names that stand for no tenant of their own.
const (
	Other  = "_other"  // tenants beyond Options.Tenants, together
	Nobody = "_nobody" // requests that no tenant answers
)

// Options of New.
type Options struct {
	Tenants int    // how many tenants have labels of their own
	Version string // of the program, "" for unknown
}

// Metrics counts. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests requests
	state    state
	other    *Tenant
	nobody   *Tenant

	mu    sync.Mutex
	room  int // places that are left
	named map[string]*Tenant
}

// New makes a registry of its own: nothing else in the process can add to it.
func New(o Options) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), room: o.Tenants, named: map[string]*Tenant{}}
	m.requests = newRequests(m.registry)
	m.state = state{has: m.has, descriptions: descriptions()}
	m.other, m.nobody = m.requests.tenant(Other), m.requests.tenant(Nobody)
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "wasgi_build_info", Help: "1; the label is the version of the program.", ConstLabels: prometheus.Labels{"version": o.Version},
	})
	build.Set(1)
	m.registry.MustRegister(&m.state, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Nobody counts requests that no tenant answers.
func (m *Metrics) Nobody() *Tenant {
	if m == nil {
		return nil
	}
	return m.nobody
}

// Tenant counts for a tenant, under its name while there is room. The answer is
// not to be kept: a tenant without requests may lose its place. A nil Metrics
// gives nil, which counts nothing.
func (m *Metrics) Tenant(name string) *Tenant {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.place(name)
}

// Serving is Tenant for one that gets requests, whose place nobody else takes. The
// answer may be kept until Forget.
func (m *Metrics) Serving(name string) *Tenant {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.room == 0 && m.named[name] == nil {
		m.makeRoom()
	}
	t := m.place(name)
	if t != m.other {
		t.serving = true
	}
	return t
}

func (m *Metrics) place(name string) *Tenant {
	if t := m.named[name]; t != nil {
		return t
	}
	if m.room == 0 {
		return m.other
	}
	m.room--
	t := m.requests.tenant(name)
	m.named[name] = t
	return t
}

// makeRoom takes the place of a tenant that has had no request.
func (m *Metrics) makeRoom() {
	for name, t := range m.named {
		if !t.serving {
			m.forget(name)
			return
		}
	}
}

// Forget gives up the series of a tenant that has gone; what it still counts is
// lost. false says that it had none of its own.
func (m *Metrics) Forget(name string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.named[name] == nil {
		return false
	}
	m.forget(name)
	return true
}

func (m *Metrics) forget(name string) {
	delete(m.named, name)
	m.requests.forget(name)
	m.room++
}

// has says whether a tenant has labels of its own.
func (m *Metrics) has(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.named[name] != nil
}

// From sets who is asked for the state of the tenants.
func (m *Metrics) From(s Source) { m.state.from(s) }

// Handler answers with all metrics, in the text format of Prometheus or in
// OpenMetrics. Two scrapes at a time are served; another one gets 503.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2, EnableOpenMetrics: true})
}
