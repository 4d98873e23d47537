package host

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/static"
	"github.com/wasgi/wasgi/tenants"
)

// dormant is a release that serves as soon as somebody calls: its snapshot lies on
// the disk, and this is all that there is of it in memory. Of ten thousand tenants
// most are dormant at any time, and a host starts with that many in seconds, because
// it does not read what nobody has called for.
type dormant struct {
	application
	image sandbox.Stored
	files *release.Use  // as in deployment
	shown *static.Files // its static
	past  past
}

// past is what deployments of one release have seen before they slept.
type past struct {
	called            int64 // unix time of the last request, 0 for none
	requests, created uint64
}

// sleeper is a maker whose images may lie on a disk until somebody calls.
type sleeper interface {
	// find looks for the image of a, which is prepared, where build would put it;
	// false when it has to be built.
	find(a application) (sandbox.Stored, bool)
	// lies says whether the image of a deployment is still where it was stored.
	lies(at sandbox.Stored) bool
	// verify reads an image, so that wake has not to.
	verify(at sandbox.Stored) (sandbox.Stored, error)
	// wake opens an image that find, or an image, has told of. It runs nothing of the
	// application's, and opens none of its folders.
	wake(a application, at sandbox.Stored) (image, error)
}

// storedImage says where an image lies that can be had again; false for one that
// cannot.
func storedImage(im image) (sandbox.Stored, bool) {
	i, ok := im.(interface{ Stored() (sandbox.Stored, bool) })
	if !ok {
		return sandbox.Stored{}, false
	}
	return i.Stored()
}

// mayRest says whether a tenant may be dormant: one that keeps instances may not.
func mayRest(t *tenants.Tenant) bool { return t.Manifest.Instances.Min == 0 }

// find is the dormant release of an application whose image is there already; nil
// for none. One that has to answer its health check first has to be awake for that.
func (s *site) find(a application) (*dormant, error) {
	m, ok := s.fleet.maker.(sleeper)
	if !ok || !mayRest(a.tenant) || a.tenant.Manifest.Health.Path != "" {
		return nil, nil
	}
	at, ok := m.find(a)
	if !ok {
		return nil, nil
	}
	files, shown, err := openFiles(a)
	if err != nil {
		return nil, err
	}
	a.verified = nil
	return &dormant{application: a, image: at, files: files, shown: shown}, nil
}

// both is what serves, or what would be opened to do so; nil for both when a request
// could not be served.
func (s *site) both() (*deployment, *dormant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.live.Load(); d != nil {
		return d, nil
	}
	return nil, s.dormant
}

// serving is the application that would be served now, nil for none.
func (s *site) serving() *application {
	d, z := s.both()
	switch {
	case d != nil:
		return &d.application
	case z != nil:
		return &z.application
	}
	return nil
}

// lie puts an application into service whose image is there already, unless
// something is awake: that is to be replaced by what is.
func (s *site) lie(a application) (lies bool, err error) {
	if !s.restful() {
		return false, nil
	}
	z, err := s.find(a)
	if z == nil || err != nil {
		return false, err
	}
	before, lies := s.lay(z)
	switch {
	case !lies:
		s.letGo(z.files, z.shown)
	case before != nil:
		s.letGo(before.files, before.shown)
	}
	s.fleet.reader.notify()
	return lies, nil
}

// restful says whether a dormant release may serve from here on.
func (s *site) restful() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live.Load() == nil && !s.rousing && !s.lost
}

// lay has a dormant release serve, in the place of another one; false when that is
// just being opened. Who opens this one finds a site that serves.
func (s *site) lay(z *dormant) (before *dormant, lies bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live.Load() != nil || s.rousing {
		return nil, false
	}
	if before = s.dormant; before != nil {
		z.image = z.image.After(before.image)
		if z.fingerprint == before.fingerprint {
			z.past = before.past
		}
	}
	s.dormant = z
	s.follow(nil, succeeding)
	return before, true
}

// adopt has a dormant release use what was read last, which is the same, so that
// there is one of it.
func (s *site) adopt(t *tenants.Tenant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dormant == nil || s.rousing {
		return
	}
	z := *s.dormant
	z.tenant = t
	s.dormant = &z
}

// rouse has a dormant release be a deployment, and waits for it. It does nothing
// when there is none, and when the machine is short of something.
func (s *site) rouse() {
	for {
		z, changed := s.sleeping()
		switch {
		case z != nil && s.open(z) != nil:
			return // who needs it tries again
		case z != nil:
		case changed != nil:
			<-changed // somebody else opens it, which is no more than reading a file
		default:
			return
		}
	}
}

// sleeping is a dormant release for the caller to open, or what is closed when
// somebody else has; nil for both when there is none.
func (s *site) sleeping() (z *dormant, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dormant == nil:
		return nil, nil
	case s.rousing:
		return nil, s.change()
	}
	return s.toOpen(), nil
}

// toOpen is the dormant release for the caller to open. Call it with mu held.
func (s *site) toOpen() *dormant {
	s.rousing = true
	s.retiring.Add(1) // finish waits for it
	return s.dormant
}

// open makes a deployment of a dormant release, which the caller has from toOpen.
// When its image is not to be had any more the site starts over, and requests wait.
// The error is of a machine that is short of something: the release sleeps on.
func (s *site) open(z *dormant) error {
	defer s.retiring.Done()
	d, err := s.awake(z)
	short := err != nil && passing(err)
	switch {
	case short:
		s.log().Budgeted().Warn("the application cannot be woken now", "error", withFileAdvice(err))
	case err != nil:
		s.log().Slog().Warn("the snapshot cannot be used any more: the application has to start again", "reason", err)
	}
	over := s.opened(d, short)
	switch {
	case over && d != nil:
		s.retire(d)
	case over || err != nil && !short:
		s.retiring.Go(func() { s.letGo(z.files, z.shown) }) // which may remove folders
	case short:
		return &wakeError{err}
	}
	return nil
}

// wakeError says that a machine is short of what it takes to wake a tenant.
type wakeError struct{ err error }

func (e *wakeError) Error() string { return "the application cannot be woken now: " + e.err.Error() }
func (e *wakeError) Unwrap() error { return e.err }

// passing says whether an error is of a shortage, and not of the image.
func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// awake makes the deployment.
func (s *site) awake(z *dormant) (*deployment, error) {
	a := z.application
	a.log = s.log()
	a.quotas = s.quotasOf(a.tenant)
	im, err := s.fleet.maker.(sleeper).wake(a, z.image)
	if err != nil {
		return nil, err
	}
	d := deploy(a, im, z.shown, s.fleet)
	d.files, d.past = z.files, z.past
	s.tally.enter(d)
	return d, nil
}

// opened ends what toOpen has begun: d serves, or, when it is nil and the machine
// was not just short of something, nothing does. over says that the site has ended
// meanwhile, and owns nothing of it.
func (s *site) opened(d *deployment, short bool) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rousing = false
	s.wakeAll()
	if s.state == Stopped {
		s.dormant = nil
		return true
	}
	if short {
		return false
	}
	s.dormant = nil
	if d == nil {
		s.lost = true
		if s.state == Serving {
			s.work.look = true
			s.employ()
		} // else an attempt is under way, which goes on from Cold
		s.state = s.state.to(Cold)
		return false
	}
	s.live.Store(d)
	select {
	case <-s.called: // for permits, which were not needed
	default:
	}
	return false
}

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
	if s.state != Serving || s.live.Load() != d {
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

const (
	// dozeEvery is how often is looked whose deployments are not needed.
	dozeEvery = 20 * time.Second
	// dozeAfter is how long nobody has called then. What a call costs that comes
	// after all is in sandbox/DESIGN.md.
	dozeAfter = time.Minute
)

// stayAwake wakes all tenants and keeps them so until rest is called: another process,
// to which other snapshots fit, is about to write over theirs.
func (f *fleet) stayAwake(ctx context.Context) (rest func()) {
	f.watchful.Store(true)
	for _, s := range f.routes.Load().sites {
		if ctx.Err() == nil {
			s.rouse()
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
				if !f.watchful.Load() {
					s.doze(now.Add(-dozeAfter))
				}
			}
		}
	}
}
