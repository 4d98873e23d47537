package history

import (
	"math"
	"time"
	"unsafe"
)

// Sample is a minute of a tenant.
type Sample struct {
	minute                               uint32 // since 1970, at its end
	Requests, ClientErrors, ServerErrors uint32
	// Median and Slow are the times that half of the requests and 95 of 100 took at
	// most, in seconds, estimated as Prometheus does; negative when there was none.
	Median, Slow float32
	Memory       uint64 // in bytes, at the end of the minute
}

const sampleBytes = int(unsafe.Sizeof(Sample{}))

// At is the end of the minute.
func (s Sample) At() time.Time { return time.Unix(int64(s.minute)*60, 0).UTC() }

// series are the samples of a tenant, in a ring that grows to its size.
type series struct {
	ring   []Sample
	first  int       // index of the oldest, 0 while the ring grows
	active time.Time // when it has done something last
	before *Reading  // nil before the first reading
}

// minute is the time between two readings.
type minute struct {
	at     time.Time
	length time.Duration
	bounds []float64
	first  bool // nothing was read before
}

// take adds the sample of a minute.
func (s *series) take(r Reading, m minute, most int) {
	before := s.before
	s.before = &r
	if before == nil {
		return
	}
	sample := Sample{minute: uint32(m.at.Round(time.Minute).Unix() / 60), Memory: r.Memory, Median: -1, Slow: -1}
	d := since(*before, r)
	scale := 1.0
	if m.length > 90*time.Second { // the machine slept: what a minute of it had
		scale = float64(time.Minute) / float64(m.length)
	}
	sample.Requests, sample.ClientErrors, sample.ServerErrors = scaled(d.Requests, scale), scaled(d.ClientErrors, scale), scaled(d.ServerErrors, scale)
	if d.Requests > 0 {
		s.active = m.at
		sample.Median, sample.Slow = quantile(0.5, m.bounds, d.Latency, d.Requests), quantile(0.95, m.bounds, d.Latency, d.Requests)
	}
	s.add(sample, most)
}

func (s *series) add(sample Sample, most int) {
	if len(s.ring) < most {
		s.ring = append(s.ring, sample)
		return
	}
	s.ring[s.first] = sample
	s.first = (s.first + 1) % most
}

func (s *series) since(t time.Time) []Sample {
	out := make([]Sample, 0, len(s.ring))
	for i := range s.ring {
		if one := s.ring[(s.first+i)%len(s.ring)]; !one.At().Before(t) {
			out = append(out, one)
		}
	}
	return out
}

// since is what was added. A counter that has gone back began anew.
func since(a, b Reading) Reading {
	if b.Requests < a.Requests || len(a.Latency) != len(b.Latency) {
		return b
	}
	d := Reading{Requests: b.Requests - a.Requests, ClientErrors: less(b.ClientErrors, a.ClientErrors), ServerErrors: less(b.ServerErrors, a.ServerErrors)}
	for i := range b.Latency {
		d.Latency = append(d.Latency, less(b.Latency[i], a.Latency[i]))
	}
	return d
}

func less(b, a uint64) uint64 { return b - min(a, b) }

func scaled(n uint64, by float64) uint32 {
	return uint32(min(math.Round(float64(n)*by), math.MaxUint32))
}

// quantile finds the bucket in which it is and goes as far into it as if all of
// the bucket were spread evenly. Beyond the last bound it is that bound. Negative
// is not known.
func quantile(q float64, bounds []float64, counts []uint64, all uint64) float32 {
	if len(counts) == 0 || len(counts) != len(bounds) {
		return -1
	}
	rank, low, below := q*float64(all), 0.0, 0.0
	for i, bound := range bounds {
		n := float64(counts[i])
		if n >= rank && n > below {
			return float32(low + (bound-low)*(rank-below)/(n-below))
		}
		low, below = bound, n
	}
	return float32(bounds[len(bounds)-1])
}
