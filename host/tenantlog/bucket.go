package tenantlog

import (
	"log/slog"
	"sync"
	"time"
)

// overhead is what a record costs beside its text, in bytes: time, level,
// tenant, source and request id. Without it a flood of empty lines would be
// free.
const overhead = 128

// costOf is what a text takes in a log at most, roughly: characters that are
// escaped take several.
func costOf(text string) int64 {
	cost := int64(overhead + len(text))
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			cost += 5
		}
	}
	return cost
}

// bucket is a token bucket of bytes that counts what it refuses.
type bucket struct {
	rate int64
	told func(dropped int) // may be nil
	clock

	mu      sync.Mutex // guards all below
	left    int64
	last    time.Time
	dropped int
}

// clock is what a bucket knows of time.
type clock struct {
	now   func() time.Time
	after func(time.Duration, func())
}

func systemClock() clock {
	return clock{time.Now, func(d time.Duration, f func()) { time.AfterFunc(d, f) }}
}

func newBucket(rate int64, c clock) *bucket {
	return &bucket{rate: rate, clock: c, left: rate, last: c.now()}
}

// admit asks for a record of that cost. One that costs more than a second's
// worth is let through when nothing has been taken, and paid for afterwards.
// What was refused is told to log a second after the first refusal, so that a
// flood costs one record a second and none is forgotten when the tenant falls
// silent.
func (b *bucket) admit(log *slog.Logger, cost int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	if min(cost, b.rate) <= b.left {
		b.left -= cost
		return true
	}
	b.dropped++
	if b.dropped == 1 {
		b.after(time.Second, func() { b.report(log) })
	}
	return false
}

func (b *bucket) report(log *slog.Logger) {
	b.mu.Lock()
	dropped := b.dropped
	b.dropped = 0
	b.mu.Unlock()
	if b.told != nil {
		b.told(dropped)
	}
	log.Warn("log above tenant_log_rate: records dropped", "records", dropped)
}

// refill works in seconds and their rest apart, so that no rate overflows.
func (b *bucket) refill() {
	now := b.now()
	elapsed := now.Sub(b.last)
	if elapsed >= time.Second {
		seconds := int64(min(elapsed/time.Second, 1<<20))
		b.left, b.last = min(b.rate, b.left+seconds*b.rate), now
		return
	}
	if gain := int64(elapsed/time.Microsecond) * b.rate / 1e6; gain > 0 {
		b.left, b.last = min(b.left+gain, b.rate), now
	}
}
