package host

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// Pauses between attempts to serve a release that failed.
const (
	retryFirst = 5 * time.Second
	retryLast  = 10 * time.Minute
)

// work is what is to be done for a site. A goroutine does it, one for each site and
// only while there is something: for most of ten thousand there is nothing for days.
type work struct {
	employed bool // a goroutine is at it
	look     bool // an attempt is to be made, if there is anything new
	leave    bool // the site is to end
	over     bool // it has
	orders   []*order
	ordering bool          // one is being carried out
	pause    time.Duration // until the next attempt when the last one failed, 0 for retryFirst
	retry    *time.Timer   // for that, nil for none
	cancel   func()        // ends what the goroutine does
	gone     chan struct{} // closed when it is over; nil when nobody has asked
}

// nudge has the site look for something new.
func (s *site) nudge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work.look = true
	s.employ()
}

// end has the site stop what it does, and serve no more.
func (s *site) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work.leave = true
	if s.work.cancel != nil {
		s.work.cancel()
	}
	s.employ()
}

// gone is closed when the site has ended and everything of its is freed.
func (s *site) gone() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work.gone == nil {
		s.work.gone = make(chan struct{})
		if s.work.over {
			close(s.work.gone)
		}
	}
	return s.work.gone
}

// employ starts the goroutine if it does not run. Call it with mu held.
func (s *site) employ() {
	if s.work.employed || s.work.over {
		return
	}
	s.work.employed = true
	if s.work.retry != nil {
		s.work.retry.Stop()
		s.work.retry = nil
	}
	var ctx context.Context
	ctx, s.work.cancel = context.WithCancel(s.sites)
	go s.toil(ctx) // ends when there is nothing to do; the fleet waits for the end of all sites
}

// chore is one thing that is to be done.
type chore int

const (
	nothing chore = iota
	attempting
	ordered
	leaving
)

// toil does what there is to do. It is the only one to make deployments and to change
// the state, but for what dormant.go says.
func (s *site) toil(ctx context.Context) {
	for {
		switch what, o := s.next(ctx); what {
		case attempting:
			s.attempted(s.attempt(ctx))
		case ordered:
			o.done <- s.fulfil(ctx, o)
		case leaving:
			s.finish()
			return
		default:
			return
		}
	}
}

// next takes what is to be done from the list.
func (s *site) next(ctx context.Context) (what chore, o *order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.work
	w.ordering = false
	switch {
	case w.leave || ctx.Err() != nil:
		return leaving, nil
	case len(w.orders) > 0:
		o, w.orders, w.ordering = w.orders[0], w.orders[1:], true
		return ordered, o
	case w.look:
		w.look = false
		return attempting, nil
	}
	w.employed, w.orders, s.called = false, nil, nil
	w.cancel()
	w.cancel = nil
	if s.err != nil {
		w.retry = time.AfterFunc(cmp.Or(w.pause, retryFirst), s.nudge)
	}
	return nothing, nil
}

// attempted says when the next attempt is due.
func (s *site) attempted(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, errChanged):
		s.work.pause = s.fleet.cfg.now().WatchSettle
	case err != nil:
		s.work.pause = min(max(2*s.work.pause, retryFirst), retryLast)
	default:
		s.work.pause = 0
	}
}

// finish ends the site.
func (s *site) finish() {
	d, z := s.stop()
	if d != nil {
		s.retire(d)
	}
	if z != nil {
		s.letGo(z.files, z.shown)
	}
	s.retiring.Wait()
	s.fleet.forget(s)
	s.bury()
	s.fleet.running.Done()
}

// stop takes out of service what serves, and returns it.
func (s *site) stop() (*deployment, *dormant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(nil, func(State) []State { return []State{Stopped} })
	return s.replace(nil)
}

// bury refuses the orders that came too late.
func (s *site) bury() {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.work
	w.over = true
	w.cancel()
	for _, o := range w.orders {
		o.done <- errStopped
	}
	w.orders = nil
	if w.gone != nil {
		close(w.gone)
	}
}

// enqueue puts an order on the list; false when the site has ended.
func (s *site) enqueue(o *order) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work.over {
		return false
	}
	s.work.orders = append(s.work.orders, o)
	s.employ()
	return true
}

// withdraw takes an order off the list; false when it is being carried out, or was.
func (s *site) withdraw(o *order) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.work.orders, o)
	if i < 0 {
		return false
	}
	s.work.orders = slices.Delete(s.work.orders, i, i+1)
	return true
}
