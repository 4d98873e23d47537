package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Request is one request, as it ended.
type Request struct {
	Status   int // as the access log has it
	Duration time.Duration
	Wait     time.Duration // for an instance
	CPU      time.Duration // of the guest
	In, Out  int64         // bytes of the bodies
	Fault    string        // word of the fault, "" for none; one of a small set
	Kill     string        // why the guest was ended, "" when it was not; one of a small set
}

// requests are the families that count as things happen.
type requests struct {
	total, faults, kills              *prometheus.CounterVec
	cpu, wait, pages, in, out, resets *prometheus.CounterVec
	duration                          *prometheus.HistogramVec
	dropped                           *prometheus.CounterVec
	releases                          *prometheus.CounterVec
	made                              *prometheus.HistogramVec
}

// durationBuckets reach from a request that takes no guest to request_timeout's
// default, three for each power of ten.
func durationBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
}

func newRequests(to prometheus.Registerer) requests {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "wasgi_" + name, Help: help}, append([]string{"tenant"}, labels...))
		to.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "wasgi_" + name, Help: help, Buckets: buckets}, []string{"tenant"})
		to.MustRegister(h)
		return h
	}
	return requests{
		total:    counter("requests_total", "Requests that have ended, by the class of their status; 499 is a client that left.", "status"),
		faults:   counter("faults_total", "Requests whose answer was not the application's own, or cut short, by the word in the access log.", "fault"),
		kills:    counter("kills_total", "Guests that were ended by force while they served a request, by cause.", "cause"),
		cpu:      counter("guest_cpu_seconds_total", "Processor time inside guests while they served requests."),
		wait:     counter("wait_seconds_total", "Time that requests waited for an instance."),
		pages:    counter("dirty_pages_total", "Pages of 4 KiB that requests wrote to and that were put back (isolation fresh, in the server's process)."),
		resets:   counter("resets_total", "Times that an instance was put back into its first state (isolation fresh, in the server's process)."),
		in:       counter("request_body_bytes_total", "Bytes of request bodies."),
		out:      counter("response_body_bytes_total", "Bytes of response bodies as they were sent."),
		duration: histogram("request_duration_seconds", "Time from the head of a request to the end of its answer.", durationBuckets()),
		dropped:  counter("log_records_dropped_total", "Records of a tenant's log above tenant_log_rate."),
		releases: counter("releases_total", "Attempts to bring a release into service, by result.", "result"),
		made:     histogram("release_duration_seconds", "Time that an attempt to bring a release into service took.", []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300}),
	}
}

func (r *requests) tenant(name string) *Tenant {
	t := &Tenant{
		families: r, name: name,
		cpu: r.cpu.WithLabelValues(name), wait: r.wait.WithLabelValues(name), pages: r.pages.WithLabelValues(name),
		resets: r.resets.WithLabelValues(name), in: r.in.WithLabelValues(name), out: r.out.WithLabelValues(name),
		duration: r.duration.WithLabelValues(name), dropped: r.dropped.WithLabelValues(name),
	}
	for i, class := range classes() {
		t.status[i] = r.total.WithLabelValues(name, class)
	}
	return t
}

func (r *requests) forget(name string) {
	for _, v := range []*prometheus.MetricVec{
		r.total.MetricVec, r.faults.MetricVec, r.kills.MetricVec, r.cpu.MetricVec, r.wait.MetricVec, r.pages.MetricVec,
		r.resets.MetricVec, r.in.MetricVec, r.out.MetricVec, r.duration.MetricVec, r.dropped.MetricVec, r.releases.MetricVec, r.made.MetricVec,
	} {
		v.DeletePartialMatch(prometheus.Labels{"tenant": name})
	}
}

// classes are the values of the label status, in the order of classOf.
func classes() [classCount]string { return [...]string{"other", "2xx", "3xx", "4xx", "499", "5xx"} }

const classCount = 6

func classOf(status int) int {
	switch {
	case status == 499:
		return 4
	case status >= 200 && status < 500:
		return status/100 - 1
	case status >= 500 && status < 600:
		return 5
	}
	return 0
}

// Tenant counts for one tenant, or for many that share a name. A nil Tenant
// counts nothing. It is safe for concurrent use.
type Tenant struct {
	families               *requests
	name                   string
	serving                bool // guarded by Metrics.mu
	status                 [classCount]prometheus.Counter
	cpu, wait, in, out     prometheus.Counter
	pages, resets, dropped prometheus.Counter
	duration               prometheus.Observer
}

// Observe counts a request.
func (t *Tenant) Observe(r Request) {
	if t == nil {
		return
	}
	t.status[classOf(r.Status)].Inc()
	t.duration.Observe(r.Duration.Seconds())
	add(t.cpu, r.CPU.Seconds())
	add(t.wait, r.Wait.Seconds())
	add(t.in, float64(r.In))
	add(t.out, float64(r.Out))
	if r.Fault != "" {
		t.families.faults.WithLabelValues(t.name, r.Fault).Inc()
	}
	if r.Kill != "" {
		t.families.kills.WithLabelValues(t.name, r.Kill).Inc()
	}
}

func add(c prometheus.Counter, n float64) {
	if n > 0 {
		c.Add(n)
	}
}

// Reset counts an instance that was put back, and its pages.
func (t *Tenant) Reset(pages int) {
	if t != nil {
		t.resets.Inc()
		add(t.pages, float64(pages))
	}
}

// Dropped counts records that were not written to the tenant's log.
func (t *Tenant) Dropped(records int) {
	if t != nil {
		add(t.dropped, float64(records))
	}
}

// Released counts an attempt to bring a release into service.
func (t *Tenant) Released(ok bool, took time.Duration) {
	if t == nil {
		return
	}
	result := "failed"
	if ok {
		result = "ok"
	}
	t.families.releases.WithLabelValues(t.name, result).Inc()
	t.families.made.WithLabelValues(t.name).Observe(took.Seconds())
}
