package host

import (
	"context"
	"errors"
	"time"

	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

// dormant is a release that serves as soon as somebody calls: its snapshot lies on
// the disk, and this is all that there is of it in memory. Of ten thousand tenants
// most are dormant at any time, and a host starts with that many in seconds, because
// it does not read what nobody has called for.
type dormant struct {
	application
	image sandbox.Stored
	files *release.Use // as in deployment
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
	// verify reads an image, so that wake has not to.
	verify(at sandbox.Stored) (sandbox.Stored, error)
	// wake opens an image that find, or an image, has told of. It never runs anything
	// of the application's.
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
	files, err := holdFiles(a)
	return &dormant{application: a, image: at, files: files}, err
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
	if s.live.Load() != nil {
		return false, nil
	}
	z, err := s.find(a)
	if z == nil || err != nil {
		return false, err
	}
	s.mu.Lock()
	lies = s.live.Load() == nil && !s.rousing
	before := s.dormant
	if lies {
		if before != nil {
			z.image = z.image.After(before.image)
		}
		s.dormant = z
	}
	s.mu.Unlock()
	s.fleet.reader.notify()
	switch {
	case !lies:
		s.letGo(z.files)
	case before != nil:
		s.letGo(before.files)
	}
	return lies, nil
}

// rouse has a dormant release be a deployment, and waits for it. It does nothing
// when there is none.
func (s *site) rouse() {
	for {
		z, changed := s.sleeping()
		switch {
		case z != nil:
			s.open(z)
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
// When its image is not to be had any more the site starts over.
func (s *site) open(z *dormant) {
	defer s.retiring.Done()
	d, err := s.awake(z)
	used := s.opened(d)
	switch {
	case err != nil:
		s.letGo(z.files)
		s.log().Slog().Warn("the snapshot cannot be used any more: the application is started again", "reason", err)
		s.nudge()
	case !used:
		s.retire(d)
	}
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
	files, err := staticFiles(a)
	if err != nil {
		return nil, errors.Join(err, im.Close())
	}
	d := deploy(a, im, files, s.fleet)
	d.files, d.past = z.files, z.past
	s.tally.enter(d)
	return d, nil
}

// opened ends what toOpen has begun: d serves, or nothing does when it is nil. false
// says that the site has stopped meanwhile.
func (s *site) opened(d *deployment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rousing, s.dormant = false, nil
	select {
	case <-s.called: // for permits, which were not needed
	default:
	}
	s.wakeAll()
	switch {
	case s.state == Stopped:
		return false
	case d == nil:
		s.state = s.state.to(Cold) // an attempt that is under way goes on from there
	default:
		s.live.Store(d)
	}
	return true
}

// doze lets a deployment be dormant that has no instances and that nobody has called
// since a moment.
func (s *site) doze(since time.Time) (dozes bool) {
	d := s.live.Load()
	if d == nil || !mayRest(d.tenant) || !d.unusedSince(since) {
		return false
	}
	at, ok := storedImage(d.image)
	if !ok || !s.exchange(d, &dormant{application: d.application, image: at, files: d.files, past: d.history()}) {
		return false
	}
	s.disband(d)
	s.retiring.Done()
	return true
}

// exchange has z serve in the place of d, unless something else is to be served.
// The caller ends retiring.
func (s *site) exchange(d *deployment, z *dormant) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Serving || s.live.Load() != d {
		return false
	}
	s.live.Store(nil)
	s.dormant = z
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
