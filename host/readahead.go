package host

import (
	"context"
	"time"
)

// reader is told when there are snapshots that nobody has read yet.
type reader struct{ news chan struct{} }

func newReader() reader { return reader{make(chan struct{}, 1)} }

func (r reader) notify() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

const (
	// readPause is how often is looked whether all tenants have started: reading can
	// wait for that.
	readPause = time.Second
	// readGently is how much longer than reading a snapshot is waited before the next
	// one while guests run.
	readGently = 10
)

// readAhead compares the snapshots that the tenants of an earlier process have left
// with their digests, one after the other, until ctx ends: the first call of each
// would have to otherwise, for 2 to 3 ms. One that is damaged is made anew.
func (f *fleet) readAhead(ctx context.Context) {
	m, ok := f.maker.(sleeper)
	if !ok {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.reader.news:
		}
		for f.settled() != nil {
			if !pass(ctx, readPause) {
				return
			}
		}
		for _, s := range f.routes.Load().sites {
			start := time.Now()
			if !s.readAhead(m) {
				continue
			}
			took := time.Since(start)
			if f.slots.Stats().Running > 0 {
				took *= readGently
			}
			if !pass(ctx, took) {
				return
			}
		}
	}
}

// pass waits; false says that ctx has ended.
func pass(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// readAhead reads the snapshot of a site that sleeps; false when there was nothing to
// read.
func (s *site) readAhead(m sleeper) bool {
	_, z := s.both()
	if z == nil || z.image.Verified() {
		return false
	}
	at, err := m.verify(z.image)
	if err != nil {
		_ = s.rouse() // finds that out again, and starts over
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dormant != nil && !s.rousing {
		read := *s.dormant // which may have been adopted meanwhile
		read.image = read.image.After(at)
		s.dormant = &read
	}
	return true
}
