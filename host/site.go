package host

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasgi/wasgi/host/metrics"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/spool"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/tenants"
)

// Why there is no deployment to serve a request.
var (
	errStarting  = errors.New("the application is still starting")
	errCrowded   = errors.New("too many requests wait for the application to start")
	errStopped   = errors.New("the application was stopped")
	errNotServed = errors.New("the application cannot be served")
	errChanged   = errors.New("the application's files changed while it was loaded")
)

// Pauses between attempts to serve a release that failed.
const (
	retryFirst = 5 * time.Second
	retryLast  = 10 * time.Minute
)

// site is one tenant as the host sees it. One goroutine, run, makes its
// deployments; requests read live and wait for a change.
type site struct {
	name   string
	fleet  *fleet
	log    *tenantlog.Log
	memory *sandbox.Budget // of all instances, those of older releases too
	live   atomic.Pointer[deployment]
	tried  atomic.Bool // an attempt is over, whatever came of it

	share  sync.Once // makes bodies
	bodies *spool.Spooler

	wake   chan struct{} // holds one: look again
	called chan struct{} // holds one: a request waits
	end    context.CancelFunc

	retiring sync.WaitGroup // deployments on their way out
	tally    tally
	serving  atomic.Pointer[metrics.Tenant] // see meter; nil before the first request

	mu      sync.Mutex // guards all below; nothing is called with it held
	state   State
	err     error // of the last attempt
	want    tenants.Tenant
	problem error // why want is not to be taken, nil when it is
	quotas  *policy.Quotas
	changed chan struct{} // closed at the next change of state
	waiting int
}

func newSite(f *fleet, name string) *site {
	return &site{
		name: name, fleet: f, wake: make(chan struct{}, 1), called: make(chan struct{}, 1),
		log:     f.tenantLog(name),
		changed: make(chan struct{}),
		memory:  sandbox.NewBudget(uint64(f.cfg.now().MemoryPerTenant), f.memory),
	}
}

// propose sets what is to be served, or the problem that keeps it from being
// served, and wakes run.
func (s *site) propose(t tenants.Tenant, problem error) {
	s.mu.Lock()
	if problem == nil {
		s.quotas = policy.QuotasFor(t, s.quotas)
		s.want = t
	}
	s.problem = problem
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *site) proposal() (tenants.Tenant, *policy.Quotas, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want, s.quotas, s.problem
}

// run makes deployments until ctx ends, then takes the last one down. It is
// the only writer of live and state.
func (s *site) run(ctx context.Context) {
	pause := retryFirst
	for s.rest(ctx, pause) {
		err := apart(func() error { return s.attempt(ctx) })
		switch {
		case errors.Is(err, errChanged):
			pause = s.fleet.cfg.now().WatchSettle
		case err != nil:
			pause = min(max(2*pause, retryFirst), retryLast)
		default:
			pause = retryFirst
		}
	}
	s.enter(Stopped, nil)
	if d := s.live.Swap(nil); d != nil {
		s.retire(d)
	}
	s.retiring.Wait()
}

// apart runs f in a goroutine of its own and waits for it: the deep stack of an
// attempt goes when it is over, and one that waits for years stays small.
func apart(f func() error) (err error) {
	var done sync.WaitGroup
	done.Go(func() { err = f() })
	done.Wait()
	return err
}

// rest waits for news, or, while the last attempt failed, for the pause to
// pass. false says that ctx has ended.
func (s *site) rest(ctx context.Context, pause time.Duration) bool {
	var again <-chan time.Time
	if s.failed() {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.wake:
	case <-again:
	}
	return ctx.Err() == nil
}

// attempt brings what is wanted into service, unless it is already.
func (s *site) attempt(ctx context.Context) error {
	start := time.Now()
	turn := s.fleet.turns.Load()
	t, quotas, err := s.proposal()
	var fingerprint string
	if err == nil {
		fingerprint, err = s.fleet.fingerprint(t)
	}
	if d := s.live.Load(); err == nil && d != nil && d.is(t, fingerprint, turn) {
		s.succeed()
		return nil
	}
	s.begin()
	if err == nil {
		err = s.release(ctx, application{tenant: t, fingerprint: fingerprint, turn: turn, quotas: quotas, log: s.log, memory: s.memory})
	}
	s.report(ctx, err, time.Since(start))
	return err
}

// release makes a deployment and swaps it in.
func (s *site) release(ctx context.Context, a application) error {
	im, err := s.build(ctx, &a)
	if err != nil {
		return err
	}
	if now, err := s.fleet.fingerprint(a.tenant); err != nil || now != a.fingerprint {
		return errors.Join(errChanged, err, im.Close())
	}
	files, err := staticFiles(a)
	if err != nil {
		return errors.Join(err, im.Close())
	}
	d := deploy(a, im, files, s.fleet)
	s.tally.enter(d)
	old := s.live.Swap(d)
	if old != nil {
		s.retiring.Go(func() { s.retire(old) })
	}
	return nil
}

// build runs with one of the host's few building permits.
func (s *site) build(ctx context.Context, a *application) (image, error) {
	release, err := s.fleet.builders.take(ctx, s.called)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.prepare(ctx, a); err != nil {
		return nil, err
	}
	s.boot()
	return s.fleet.maker.build(ctx, *a)
}

func (s *site) prepare(ctx context.Context, a *application) (err error) {
	ctx, cancel := context.WithTimeout(ctx, s.fleet.cfg.now().PrepareTimeout)
	defer cancel()
	a.release, err = s.fleet.maker.prepare(ctx, *a, func(text string) {
		s.fleet.events.emit(Event{Kind: EventProgress, Tenant: s.name, Text: text})
	})
	a.tenant.Release = a.release
	return err
}

func (s *site) retire(d *deployment) {
	ctx, cancel := s.fleet.drainContext()
	defer cancel()
	d.retire(ctx, s.log.Slog())
	s.tally.leave(d)
}

// report ends an attempt: state, event, log.
func (s *site) report(ctx context.Context, err error, took time.Duration) {
	s.tried.Store(true)
	if !errors.Is(err, errChanged) && ctx.Err() == nil {
		s.fleet.metrics.Tenant(s.name).Released(err == nil, took)
	}
	switch {
	case err == nil:
		s.succeed()
		s.fleet.events.emit(Event{Kind: EventReady, Tenant: s.name, URL: s.fleet.url(s.live.Load().tenant), Took: took})
	case errors.Is(err, errChanged):
		s.repeat(err)
	case ctx.Err() != nil:
		s.fail(err)
	default:
		s.fail(err)
		s.fleet.events.emit(Event{Kind: EventFailed, Tenant: s.name, Took: took, Err: err})
	}
}

// sameSettings compares all that goes into a deployment but the files.
func sameSettings(a, b tenants.Tenant) bool {
	a.Release, b.Release = tenants.Release{}, tenants.Release{}
	return reflect.DeepEqual(a, b)
}
