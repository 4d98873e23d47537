package tenantlog

import (
	"log/slog"
	"sync"
	"time"
)

// bucket is a token bucket of bytes that counts what it refuses.
type bucket struct {
	rate int64
	now  func() time.Time

	mu      sync.Mutex // guards all below
	left    int64
	last    time.Time
	dropped int
}

func newBucket(rate int64, now func() time.Time) *bucket {
	return &bucket{rate: rate, now: now, left: rate, last: now()}
}

// admit asks for n bytes, and tells log how many records were refused before.
func (b *bucket) admit(log *slog.Logger, n int) bool {
	ok, dropped := b.take(n)
	if dropped > 0 {
		log.Warn("log above tenant_log_rate: records dropped", "records", dropped)
	}
	return ok
}

// take asks for n bytes. dropped is how many were refused since the last time
// that take said yes.
func (b *bucket) take(n int) (ok bool, dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	if int64(n) > b.left {
		b.dropped++
		return false, 0
	}
	b.left -= int64(n)
	dropped, b.dropped = b.dropped, 0
	return true, dropped
}

// refill works in seconds and their rest apart, so that no rate overflows.
func (b *bucket) refill() {
	now := b.now()
	elapsed := now.Sub(b.last)
	if elapsed >= time.Second {
		b.left, b.last = b.rate, now
		return
	}
	if gain := int64(elapsed/time.Microsecond) * b.rate / 1e6; gain > 0 {
		b.left, b.last = min(b.left+gain, b.rate), now
	}
}
