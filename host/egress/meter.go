package egress

import (
	"sync"
	"time"

	"github.com/wasgi/wasgi/wasi"
)

// bucket holds the bytes that may move now. It may go below zero: what has moved
// has moved, and the next ones wait for it. nil holds everything.
type bucket struct {
	mu   sync.Mutex
	rate float64 // bytes a second
	left float64
	last time.Time
}

// newBucket starts with a second's worth, which is also the most it holds.
func newBucket(rate int64) *bucket {
	if rate <= 0 {
		return nil
	}
	return &bucket{rate: float64(rate), left: float64(rate)}
}

func (b *bucket) refill(now time.Time) {
	if !b.last.IsZero() {
		b.left = min(b.left+b.rate*now.Sub(b.last).Seconds(), b.rate)
	}
	b.last = now
}

func (b *bucket) take(n int, now time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	b.left -= float64(n)
}

// wait is how long until the bucket holds anything.
func (b *bucket) wait(now time.Time) time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill(now)
	if b.left > 0 {
		return 0
	}
	return time.Duration(-b.left/b.rate*float64(time.Second)) + time.Millisecond
}

// Meters make the accounts of a tenant's connections where they are used, which
// may be in another process than the policy. It is safe for concurrent use.
type Meters struct {
	bytes   int64
	rates   []*bucket
	carried *carried // nil where the host counts elsewhere
}

// NewMeters makes those for a policy.
func NewMeters(p Policy) *Meters {
	return &Meters{bytes: p.Bytes, rates: []*bucket{newBucket(p.Rate)}}
}

// Within adds a rate in bytes a second that they keep to together, as a worker does
// with the host's; 0 is no limit.
func (s *Meters) Within(rate int64) *Meters {
	s.rates = append(s.rates, newBucket(rate))
	return s
}

// New makes the account of one connection. refuse is told when it has carried
// all that it may, end when it is closed.
func (s *Meters) New(peer string, refuse func(rule, what string) *wasi.Refusal, end func()) wasi.Meter {
	return &meter{rates: s.rates, carried: s.carried, left: limitOr(s.bytes), peer: peer, refuse: refuse, end: end}
}

// meter is the account of one connection. It belongs to one instance, but its
// end may come from elsewhere.
type meter struct {
	rates   []*bucket
	carried *carried
	left    int64 // bytes; below zero is no limit
	peer    string
	refuse  func(rule, what string) *wasi.Refusal
	once    sync.Once
	end     func()
}

// Pause implements wasi.Meter.
func (m *meter) Pause() (longest time.Duration) {
	now := time.Now()
	for _, b := range m.rates {
		longest = max(longest, b.wait(now))
	}
	return longest
}

// Moved implements wasi.Meter.
func (m *meter) Moved(sent, received int) *wasi.Refusal {
	now := time.Now()
	for _, b := range m.rates {
		b.take(sent+received, now)
	}
	if m.carried != nil {
		m.carried.add(uint64(sent), uint64(received))
	}
	if m.left < 0 {
		return nil
	}
	if m.left -= int64(sent + received); m.left > 0 {
		return nil
	}
	m.left = 0
	r := m.refuse("network.bytes", m.peer)
	r.Hint = "the connection has carried all that network.bytes allows"
	return r
}

// Close implements wasi.Meter.
func (m *meter) Close() { m.once.Do(m.end) }

func limitOr(limit int64) int64 {
	if limit == 0 {
		return -1
	}
	return limit
}
