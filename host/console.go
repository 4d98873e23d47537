package host

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console"
	"github.com/wasgi/wasgi/host/admin/console/history"
	"github.com/wasgi/wasgi/host/metrics"
	"github.com/wasgi/wasgi/tenants"
)

// webConsole is the console and where its charts come from. nil is none.
type webConsole struct {
	*console.Console
	history *history.History
}

// openConsole makes the console beside an API, whose tokens and names it shares.
func (s *service) openConsole(a *api.API) error {
	h := s.host
	if !h.cfg.Console {
		return nil
	}
	past := history.New(readings{h.fleet}, history.Options{})
	c, err := console.New(console.Config{
		Host: backend{h, h.deployer}, History: past, Limits: h.fleet.limits,
		AnswersTo: a.AnswersTo, Audit: a.Note, Log: h.log,
	})
	if err != nil {
		return fmt.Errorf("the console: %w", err)
	}
	s.console = &webConsole{c, past}
	if s.admin != nil && near(s.adminListener) {
		s.admin.Handler = s.console.beside(s.admin.Handler)
		// Browsers send along what applications have set for this name.
		s.admin.MaxHeaderBytes = 64 << 10
		h.log.Info("the console listens", "address", s.adminListener.Addr().String()+console.Base)
	}
	return nil
}

// near says whether only this machine can reach a listener: a token must not go
// over a network in the clear.
func near(l net.Listener) bool {
	switch a := l.Addr().(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// beside answers what is the console's, and leaves the rest to another handler.
func (c *webConsole) beside(other http.Handler) http.Handler {
	if c == nil {
		return other
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path+"/", console.Base) {
			c.ServeHTTP(w, r)
			return
		}
		other.ServeHTTP(w, r)
	})
}

func (c *webConsole) close() {
	if c != nil {
		c.Close()
	}
}

// readings is where the console's charts come from: what is counted already.
type readings struct{ fleet *fleet }

// Bounds implements history.Source.
func (readings) Bounds() []float64 { return metrics.Bounds() }

// Read implements history.Source.
func (r readings) Read() []history.Reading {
	sites := r.fleet.routes.Load().sites
	out := make([]history.Reading, 0, len(sites))
	for name, s := range sites {
		one := history.Reading{Tenant: name, Memory: s.memory.Used()}
		if c, ok := r.fleet.metrics.Counts(name); ok {
			one.Counted, one.Requests, one.ClientErrors, one.ServerErrors, one.Latency = true, c.Requests, c.ClientErrors, c.ServerErrors, c.Latency
		}
		out = append(out, one)
	}
	return out
}

// limits are what bounds a tenant that serves, as it holds: the manifest's word
// within the host's. None for one that does not serve.
func (f *fleet) limits(name string) []console.Limit {
	s := f.routes.Load().sites[name]
	if s == nil {
		return nil
	}
	a := s.serving()
	if a == nil {
		return nil
	}
	l, m := limits{}, a.tenant.Manifest
	l.requests(m, *f.cfg.now())
	l.instances(m, *f.cfg.now())
	l.data(m.Data)
	l.network(m.Network)
	return l.all
}

// limits is a list in the making.
type limits struct{ all []console.Limit }

func (l *limits) put(group, name string, value, asked any) {
	one := console.Limit{Group: group, Name: name, Value: fmt.Sprint(value)}
	if value != asked {
		one.Note = "lowered by the host"
	}
	l.all = append(l.all, one)
}

func (l *limits) requests(all tenants.Manifest, c Config) {
	m, b := all.Limits, boundsOf(all, c)
	l.put("A request", "limits.request_timeout", b.timeout, m.RequestTimeout.Duration)
	l.put("A request", "limits.cpu_time", orNone(tighter(m.CPUTime.Duration, c.CPUTime)), orNone(m.CPUTime.Duration))
	l.put("A request", "limits.grace", b.grace, m.Grace.Duration)
	l.put("A request", "limits.body_size", tenants.Size(b.bodyLimit), m.BodySize)
}

func (l *limits) instances(all tenants.Manifest, c Config) {
	m, i := all.Limits, all.Instances
	l.put("An instance", "limits.memory", min(m.Memory, tenants.Size(c.MemoryPerInstance)), m.Memory)
	l.put("An instance", "limits.start_timeout", min(m.StartTimeout.Duration, c.StartTimeout), m.StartTimeout.Duration)
	for _, n := range []struct {
		name  string
		value any
	}{
		{"limits.open_files", m.OpenFiles}, {"instances.max_requests", orNone(i.MaxRequests)}, {"instances.max_age", orNone(i.MaxAge.Duration)}, {"instances.idle", orNone(i.Idle.Duration)},
	} {
		l.put("An instance", n.name, n.value, n.value)
	}
	for _, n := range []struct {
		name  string
		value any
	}{
		{"isolation", all.Isolation}, {"instances.min", i.Min}, {"instances.max", i.Max}, {"instances.weight", i.Weight},
		{"instances.queue", i.Queue}, {"instances.queue_timeout", orNone(i.QueueTimeout.Duration)},
	} {
		l.put("All instances", n.name, n.value, n.value)
	}
}

func (l *limits) data(m tenants.Data) {
	if m.Persistent {
		l.put("Files", "data.quota", m.Quota, m.Quota)
		l.put("Files", "data.files", m.Files, m.Files)
	}
	l.put("Files", "data.tmp", m.Tmp, m.Tmp)
}

func (l *limits) network(m tenants.Network) {
	if len(m.Allow) == 0 {
		l.put("Network", "network.allow", "nobody", "nobody")
		return
	}
	for _, n := range []struct {
		name  string
		value any
	}{
		{"network.allow", strings.Join(m.Allow, ", ")}, {"network.connections", m.Connections}, {"network.bytes", orNone(m.Bytes)}, {"network.rate", orNone(m.Rate)},
	} {
		l.put("Network", n.name, n.value, n.value)
	}
	if p := m.Pool; len(p.PostgreSQL) > 0 {
		l.put("Network", "network.pool.postgresql", strings.Join(p.PostgreSQL, ", "), strings.Join(p.PostgreSQL, ", "))
		l.put("Network", "network.pool.size", p.Size, p.Size)
	}
}

// orNone is the word for a limit of 0 where that means none.
func orNone[T int | time.Duration | tenants.Size](value T) string {
	if value == 0 {
		return "none"
	}
	return fmt.Sprint(value)
}
