package host

import (
	"context"
	"time"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/tenants"
)

// wish is what is to be served of a tenant.
type wish struct {
	tenant *tenants.Tenant // nobody changes it; nil before any could be read
	pinned string          // digest that its folder must have, "" for any
	secret bool            // its environment must not get into a file
	// touched is the time of its manifest, 0 for none and for what was deployed: a
	// new one is an operator's wish to have the application loaded again.
	touched int64
}

// queue is how many requests may wait for the tenant to serve.
func (w wish) queue() int {
	if w.tenant == nil {
		return 1
	}
	return max(w.tenant.Manifest.Instances.Queue, 1)
}

// order is a change that an operator waits for. Unlike a proposal it is tried
// once, and only when it can serve does it count.
type order struct {
	ctx  context.Context // of the operator; its end leaves things as they are
	wish wish
	// commit makes the change last, after everything else has gone well. Its error
	// leaves things as they are.
	commit func(tenants.Release) error
	done   chan error // holds one
}

// submit has an order carried out and waits for its end. errStopped says that
// the site is gone.
func (s *site) submit(o *order) error {
	o.done = make(chan error, 1)
	if !s.enqueue(o) {
		return errStopped
	}
	select {
	case err := <-o.done:
		return err
	case <-o.ctx.Done():
	}
	if s.withdraw(o) {
		return context.Cause(o.ctx)
	}
	return <-o.done
}

// fulfil makes a deployment of an order and swaps it in.
func (s *site) fulfil(ctx context.Context, o *order) error {
	start := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(o.ctx, func() { cancel(context.Cause(o.ctx)) })()
	err := s.rouse() // its quotas are to be shared
	s.begin()
	if err == nil {
		err = s.try(ctx, o)
	}
	s.report(ctx, true, err, time.Since(start))
	return err
}

func (s *site) try(ctx context.Context, o *order) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turn := s.fleet.turns.Load()
	s.step("verifying")
	v, err := s.fleet.verify(o.wish, cancel)
	if err != nil {
		return err
	}
	quotas := s.quotasFor(o.wish)
	a := s.application(o.wish, v, quotas)
	a.turn = turn
	_, err = s.release(ctx, a, func(r tenants.Release) error {
		s.step("switching")
		return o.commit(r)
	})
	if _, damage := v.wait(); damage != nil {
		return damage
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.want, s.quotas, s.problem = o.wish, quotas, nil
	return nil
}

// quotasFor are those of a wish that may not come true.
func (s *site) quotasFor(w wish) *policy.Quotas {
	s.mu.Lock()
	defer s.mu.Unlock()
	return policy.QuotasFor(*w.tenant, s.quotas)
}

// quotasOf are those that everything of a tenant shares from here on.
func (s *site) quotasOf(t *tenants.Tenant) *policy.Quotas {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotas = policy.QuotasFor(*t, s.quotas)
	return s.quotas
}

// step tells a step of a preparation.
func (s *site) step(text string) {
	s.fleet.events.emit(Event{Kind: EventStep, Tenant: s.name, Text: text})
}
