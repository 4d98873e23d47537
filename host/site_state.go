package host

import "context"

// enter moves the site to a state and lets the waiting requests look.
func (s *site) enter(to State, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.err = s.state.to(to), err
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *site) now() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// failed says whether the last attempt did.
func (s *site) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

// begin starts an attempt.
func (s *site) begin() {
	if s.now() == Serving {
		s.enter(Reloading, nil)
		return
	}
	s.enter(Preparing, nil)
}

func (s *site) boot() {
	if s.now() == Preparing {
		s.enter(Booting, nil)
	}
}

// succeed ends an attempt, or finds that there was nothing to do.
func (s *site) succeed() {
	if s.now() == Serving {
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		return
	}
	if s.now() == Preparing {
		s.enter(Booting, nil)
	}
	s.enter(Serving, nil)
}

// repeat ends an attempt that is to be made again soon: requests go on waiting.
func (s *site) repeat(err error) {
	if s.now() == Reloading {
		s.enter(Serving, err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// fail ends an attempt; an older release goes on.
func (s *site) fail(err error) {
	if s.now() == Reloading {
		s.enter(Serving, err)
		return
	}
	s.enter(Failed, err)
}

// status is what the world may know.
func (s *site) status() TenantStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := TenantStatus{Name: s.name, URL: s.fleet.url(s.want.tenant), State: s.state, Err: s.err}
	if d := s.live.Load(); d != nil {
		status.Release = d.fingerprint
	}
	return status
}

// current is what serves now. While nothing does, it waits for the first
// deployment until ctx ends: many requests wait for one boot. It fails with
// errStarting when ctx ended, errCrowded when too many wait, errStopped, or
// errNotServed and the reason.
func (s *site) current(ctx context.Context) (*deployment, error) {
	if d := s.live.Load(); d != nil {
		return d, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.fleet.cfg.now().StartTimeout)
	defer cancel()
	if !s.queue() {
		return nil, errCrowded
	}
	defer s.unqueue()
	for {
		d, changed, err := s.look()
		if d != nil || err != nil {
			return d, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, errStarting
		}
	}
}

func (s *site) look() (*deployment, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.live.Load(); d != nil {
		return d, nil, nil
	}
	switch s.state {
	case Failed:
		return nil, nil, notServed{s.err}
	case Stopped:
		return nil, nil, errStopped
	default:
		return nil, s.changed, nil
	}
}

func (s *site) queue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting >= max(s.want.tenant.Manifest.Instances.Queue, 1) {
		return false
	}
	s.waiting++
	select {
	case s.called <- struct{}{}:
	default:
	}
	return true
}

func (s *site) unqueue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting--
}

// notServed is errNotServed with the reason.
type notServed struct{ reason error }

func (e notServed) Error() string   { return errNotServed.Error() + ": " + e.reason.Error() }
func (e notServed) Unwrap() []error { return []error{errNotServed, e.reason} }
