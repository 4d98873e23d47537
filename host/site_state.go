package host

import "context"

// pass moves the site along states that depend on the one that it is in, and lets the
// waiting requests look. A request may find meanwhile that the site is Cold.
func (s *site) pass(err error, way func(from State) []State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(err, way)
}

// follow is pass with mu held.
func (s *site) follow(err error, way func(from State) []State) {
	for _, to := range way(s.state) {
		s.state = s.state.to(to)
	}
	s.err = err
	s.wakeAll()
}

// wakeAll lets the waiting requests look. Call it with mu held.
func (s *site) wakeAll() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// change is closed at the next change of state. Call it with mu held.
func (s *site) change() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

func (s *site) now() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// begin starts an attempt.
func (s *site) begin() {
	s.pass(nil, func(from State) []State {
		if from == Serving {
			return []State{Reloading}
		}
		return []State{Preparing}
	})
}

func (s *site) boot() {
	s.pass(nil, func(from State) []State {
		switch from {
		case Cold:
			return []State{Preparing, Booting}
		case Preparing:
			return []State{Booting}
		}
		return nil
	})
}

// succeed ends an attempt, or finds that there was nothing to do.
func (s *site) succeed() {
	s.pass(nil, func(from State) []State {
		if s.live.Load() == nil && s.dormant == nil { // lost this moment: there will be another attempt
			return nil
		}
		return succeeding(from)
	})
}

// succeeding is the way to Serving.
func succeeding(from State) []State {
	switch from {
	case Serving:
		return nil
	case Cold:
		return []State{Preparing, Booting, Serving}
	case Preparing:
		return []State{Booting, Serving}
	}
	return []State{Serving}
}

// repeat ends an attempt that is to be made again soon: requests go on waiting.
func (s *site) repeat(err error) {
	s.pass(err, func(from State) []State {
		if from == Reloading {
			return []State{Serving}
		}
		return nil
	})
}

// fail ends an attempt; an older release goes on.
func (s *site) fail(err error) {
	s.pass(err, func(from State) []State {
		switch from {
		case Reloading:
			return []State{Serving}
		case Cold:
			return []State{Preparing, Failed}
		}
		return []State{Failed}
	})
}

// status is what the world may know.
func (s *site) status() TenantStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := TenantStatus{Name: s.name, URL: s.fleet.url(s.want.tenant), State: s.state, Err: s.err}
	if d := s.live.Load(); d != nil {
		status.Release = d.fingerprint
	} else if s.dormant != nil {
		status.Release = s.dormant.fingerprint
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
	queued := false
	for {
		v := s.look()
		switch {
		case v.d != nil || v.err != nil:
			return v.d, v.err
		case v.z != nil:
			if err := s.open(v.z); err != nil {
				return nil, err
			}
			continue
		case !v.opening && !queued:
			if queued = s.queue(); !queued {
				return nil, errCrowded
			}
			defer s.unqueue()
			continue // it may be there by now
		}
		select {
		case <-v.changed:
		case <-ctx.Done():
			return nil, errStarting
		}
	}
}

// view is what a request finds.
type view struct {
	d       *deployment     // serves
	z       *dormant        // to be opened by the caller
	opening bool            // somebody else does that
	changed <-chan struct{} // closed when there is something new
	err     error           // nothing will be served
}

func (s *site) look() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.live.Load(); d != nil {
		return view{d: d}
	}
	switch {
	case s.state == Failed:
		return view{err: notServed{s.err}}
	case s.state == Stopped:
		return view{err: errStopped}
	case s.dormant != nil && !s.rousing:
		return view{z: s.toOpen()}
	}
	return view{opening: s.dormant != nil, changed: s.change()}
}

func (s *site) queue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting >= s.want.queue() {
		return false
	}
	s.waiting++
	if s.called != nil {
		select {
		case s.called <- struct{}{}:
		default:
		}
	}
	return true
}

// calls gets something when a request waits.
func (s *site) calls() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.called == nil {
		s.called = make(chan struct{}, 1)
	}
	if s.waiting > 0 && len(s.called) == 0 {
		s.called <- struct{}{}
	}
	return s.called
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
