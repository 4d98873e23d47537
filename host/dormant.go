package host

import (
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
	if followed(a.tenant.Dir) != a.folder {
		s.letGo(files, shown)
		return nil, errChanged
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
	return s.live.Load() == nil && !s.rousing && !s.lost && !s.fleet.watchful.Load()
}

// lay has a dormant release serve, in the place of another one; false when that is
// just being opened. Who opens this one finds a site that serves.
func (s *site) lay(z *dormant) (before *dormant, lies bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live.Load() != nil || s.rousing || s.lost {
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
	if s.dormant == nil || s.rousing || s.dormant.tenant == t {
		return
	}
	z := *s.dormant
	z.tenant = t
	s.dormant = &z
}
