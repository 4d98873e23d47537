package history

import (
	"context"
	"sync"
	"time"
)

// Reading is what a tenant's counters say.
type Reading struct {
	Tenant string
	// Counted says whether requests are counted for this tenant alone; without it
	// only Memory is known.
	Counted                              bool
	Requests, ClientErrors, ServerErrors uint64
	// Latency has for each of the source's bounds how many requests took that long at
	// most, shorter ones included.
	Latency []uint64
	Memory  uint64 // in bytes
}

// Source reads all counters. It must return soon.
type Source interface {
	// Bounds are those of Latency, in seconds, growing.
	Bounds() []float64
	Read() []Reading
}

// All is the name under which the sum of all tenants is kept. No tenant has it.
const All = ""

// Options of New. Zero values take the defaults.
type Options struct {
	Keep  time.Duration    // how far back; 6 hours
	Bytes int              // of all samples; 12 MiB
	Now   func() time.Time // the clock
}

// History keeps samples. It is safe for concurrent use.
type History struct {
	source  Source
	now     func() time.Time
	samples int // of a series, at most
	room    int // series, at most

	mu     sync.Mutex // guards all below
	last   time.Time  // of the last reading
	series map[string]*series
	seen   map[string]uint64 // requests of every tenant at the last reading
}

// New makes a history that is empty until Run has seen a minute.
func New(s Source, o Options) *History {
	if o.Keep <= 0 {
		o.Keep = 6 * time.Hour
	}
	if o.Bytes <= 0 {
		o.Bytes = 12 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	samples := int(o.Keep / time.Minute)
	return &History{source: s, now: o.Now, samples: samples, room: max(o.Bytes/(samples*sampleBytes), 1), series: map[string]*series{}, seen: map[string]uint64{}}
}

// Run reads at each full minute until ctx ends.
func (h *History) Run(ctx context.Context) {
	h.Read()
	for {
		now := h.now()
		timer := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			h.Read()
		}
	}
}

// Read takes a reading now. The first one of a tenant is what the next ones are
// compared with.
func (h *History) Read() {
	readings, bounds := h.source.Read(), h.source.Bounds()
	readings = append(readings, sum(readings, len(bounds)))
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	step := minute{at: now, length: now.Sub(h.last), bounds: bounds, first: h.last.IsZero()}
	h.last = now
	there := make(map[string]uint64, len(readings))
	var rest []Reading
	for _, r := range readings {
		there[r.Tenant] = r.Requests
		if s := h.series[r.Tenant]; s != nil {
			s.take(r, step, h.samples)
		} else {
			rest = append(rest, r)
		}
	}
	for name := range h.series {
		if _, known := there[name]; !known {
			delete(h.series, name)
		}
	}
	for _, r := range rest { // only now is known who is quiet
		if s := h.place(r); s != nil {
			if h.seen[r.Tenant] == 0 && !step.first { // all of it is of this minute
				s.before = &Reading{}
			}
			s.take(r, step, h.samples)
		}
	}
	h.seen = there
}

// sum is the reading of all.
func sum(readings []Reading, bounds int) Reading {
	all := Reading{Tenant: All, Latency: make([]uint64, bounds)}
	for _, r := range readings {
		all.Counted = all.Counted || r.Counted
		all.Requests += r.Requests
		all.ClientErrors += r.ClientErrors
		all.ServerErrors += r.ServerErrors
		all.Memory += r.Memory
		for i := range min(bounds, len(r.Latency)) {
			all.Latency[i] += r.Latency[i]
		}
	}
	return all
}

// place makes the series of a tenant, nil for one that gets none: because it has
// never done anything, or because there is no room and nobody is quieter.
func (h *History) place(r Reading) *series {
	active := r.Tenant == All || r.Requests > h.seen[r.Tenant]
	switch full := len(h.series) >= h.room; {
	case !active && (full || r.Requests == 0 && r.Memory == 0):
		return nil
	case full && !h.makeRoom():
		return nil
	}
	s := &series{active: h.now()}
	h.series[r.Tenant] = s
	return s
}

// makeRoom ends the series that has been quiet longest, and for a minute at
// least.
func (h *History) makeRoom() bool {
	var quietest string
	var since time.Time
	for name, s := range h.series {
		if name != All && (since.IsZero() || s.active.Before(since)) {
			quietest, since = name, s.active
		}
	}
	if since.IsZero() || h.now().Sub(since) < time.Minute {
		return false
	}
	delete(h.series, quietest)
	return true
}

// Counted says whether requests of a tenant were counted for it alone when it was
// read last.
func (h *History) Counted(tenant string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.series[tenant]
	return s != nil && s.before != nil && s.before.Counted
}

// Since gives the samples of a tenant of the last span, the oldest first; none
// for a tenant that is not kept.
func (h *History) Since(tenant string, span time.Duration) []Sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.series[tenant]
	if s == nil {
		return nil
	}
	return s.since(h.now().Add(-span))
}
