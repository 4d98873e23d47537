package host

import (
	"errors"
	"syscall"
)

// rouse has a dormant release be a deployment, and waits for it. It does nothing
// when there is none. The error is that of open.
func (s *site) rouse() error {
	for {
		v := s.look()
		switch {
		case v.z != nil:
			if err := s.open(v.z); err != nil {
				return err
			}
		case v.opening:
			<-v.changed // somebody else opens it, which is no more than reading a file
		default:
			return nil
		}
	}
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
	over := s.opened(z, d, short)
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
// or serves something newer: it owns nothing of z.
func (s *site) opened(z *dormant, d *deployment, short bool) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rousing = false
	s.wakeAll()
	if s.dormant != z {
		return true
	}
	if short {
		return false
	}
	s.dormant = nil
	if d == nil {
		s.lost = true
		if s.state == Serving || s.work.ordering {
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
