package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Counts are what a tenant's requests have added up to.
type Counts struct {
	Requests, ClientErrors, ServerErrors uint64
	// Latency has for each of Bounds how many requests took that long at most.
	Latency []uint64
}

// Bounds are the upper ends of the classes that durations are counted in, in
// seconds.
func Bounds() []float64 { return durationBuckets() }

// Counts reads what is counted for a tenant; false when it has no labels of its
// own.
func (m *Metrics) Counts(tenant string) (Counts, bool) {
	if m == nil {
		return Counts{}, false
	}
	m.mu.Lock()
	t := m.named[tenant]
	m.mu.Unlock()
	if t == nil {
		return Counts{}, false
	}
	return t.counts(), true
}

func (t *Tenant) counts() Counts {
	var c Counts
	for i, class := range classes() {
		n := uint64(read(t.status[i]).GetCounter().GetValue())
		c.Requests += n
		switch class {
		case "4xx", "499":
			c.ClientErrors += n
		case "5xx":
			c.ServerErrors += n
		}
	}
	if h, ok := t.duration.(prometheus.Metric); ok {
		for _, b := range read(h).GetHistogram().GetBucket() {
			c.Latency = append(c.Latency, b.GetCumulativeCount())
		}
	}
	return c
}

// read asks a metric of our own, which has nothing to fail with.
func read(m prometheus.Metric) *dto.Metric {
	var out dto.Metric
	_ = m.Write(&out)
	return &out
}
