package host

import (
	"context"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
)

const (
	// dozeEvery is how often is looked whose deployments are not needed.
	dozeEvery = 20 * time.Second
	// dozeAfter is how long nobody has called then. What a call costs that comes
	// after all is in DESIGN.md.
	dozeAfter = time.Minute
)

// doze lets a deployment be dormant that has no instances and that nobody has called
// since a moment.
func (s *site) doze(since time.Time) (dozes bool) {
	d := s.live.Load()
	if d == nil || !mayRest(d.tenant) || !d.unusedSince(since) {
		return false
	}
	m, ok := s.fleet.maker.(sleeper)
	if !ok {
		return false
	}
	at, ok := storedImage(d.image)
	if !ok || !m.lies(at) || !s.retreat(d, at) {
		return false
	}
	s.disband(d)
	s.retiring.Done()
	return true
}

// retreat has a dormant release serve in the place of d, unless that has something to
// do or is to be replaced. The caller ends retiring.
func (s *site) retreat(d *deployment, at sandbox.Stored) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Serving || s.live.Load() != d || s.fleet.watchful.Load() {
		return false
	}
	s.live.Store(nil) // first: whom the pool refuses looks again, and waits for mu
	if !d.pool.RetireUnused() {
		s.live.Store(d)
		return false
	}
	s.dormant = &dormant{application: d.application, image: at, files: d.files, shown: d.static, past: d.history()}
	s.retiring.Add(1)
	return true
}

// stayAwake wakes the tenants, as many as there are descriptors for, and keeps them
// so until rest is called: another process, to which other snapshots fit, is about
// to write over theirs. Who sleeps on starts again when it is called.
func (f *fleet) stayAwake(ctx context.Context) (rest func()) {
	f.watchful.Store(true)
	room := f.filesLeft()
	for _, s := range f.routes.Load().sites {
		d, _ := s.both()
		if room--; room < 0 || ctx.Err() != nil || d == nil && s.rouse() != nil {
			break
		}
	}
	return func() { f.watchful.Store(false) }
}

// doze lets deployments be dormant that nobody calls, until ctx ends.
func (f *fleet) doze(ctx context.Context) {
	tick := time.NewTicker(dozeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, s := range f.routes.Load().sites {
				s.doze(now.Add(-dozeAfter))
			}
		}
	}
}
