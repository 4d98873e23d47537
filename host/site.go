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
	orders chan *order   // what an operator has asked for
	ended  chan struct{} // closed when run is over
	end    context.CancelFunc

	retiring sync.WaitGroup // deployments on their way out
	tally    tally
	serving  atomic.Pointer[metrics.Tenant] // see meter; nil before the first request

	mu      sync.Mutex // guards all below; nothing is called with it held
	state   State
	err     error // of the last attempt
	want    wish
	problem error // why want is not to be taken, nil when it is
	quotas  *policy.Quotas
	changed chan struct{} // closed at the next change of state
	waiting int
}

func newSite(f *fleet, name string) *site {
	return &site{
		name: name, fleet: f, wake: make(chan struct{}, 1), called: make(chan struct{}, 1),
		orders: make(chan *order), ended: make(chan struct{}), end: func() {},
		log:     f.logOf(name),
		changed: make(chan struct{}),
		memory:  sandbox.NewBudget(uint64(f.cfg.now().MemoryPerTenant), f.memory),
	}
}

// stoppedSite is one that was stopped before it began: it has no goroutine.
func stoppedSite(f *fleet, name string) *site {
	s := newSite(f, name)
	s.state = Stopped
	s.tried.Store(true)
	close(s.ended)
	return s
}

// propose sets what is to be served, or the problem that keeps it from being
// served, and wakes run.
func (s *site) propose(w wish, problem error) {
	s.mu.Lock()
	if problem == nil {
		s.quotas = policy.QuotasFor(w.tenant, s.quotas)
		s.want = w
	}
	s.problem = problem
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *site) proposal() (wish, *policy.Quotas, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want, s.quotas, s.problem
}

// run makes deployments until ctx ends, then takes the last one down. It is
// the only writer of live and state.
func (s *site) run(ctx context.Context) {
	defer close(s.ended)
	pause := retryFirst
	for {
		o, more := s.rest(ctx, pause)
		if !more {
			break
		}
		if o != nil {
			o.done <- apart(func() error { return s.fulfil(ctx, o) })
			continue
		}
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

// rest waits for news, an order, or, while the last attempt failed, for the
// pause to pass. false says that ctx has ended.
func (s *site) rest(ctx context.Context, pause time.Duration) (o *order, more bool) {
	var again <-chan time.Time
	if s.failed() {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-ctx.Done():
		return nil, false
	case o = <-s.orders:
		return o, true
	case <-s.wake:
	case <-again:
	}
	return nil, ctx.Err() == nil
}

// attempt brings what is wanted into service, unless it is already.
func (s *site) attempt(ctx context.Context) error {
	start := time.Now()
	turn := s.fleet.turns.Load()
	w, quotas, err := s.proposal()
	var fingerprint string
	if err == nil {
		fingerprint, err = s.fleet.fingerprint(w)
	}
	if d := s.live.Load(); err == nil && d != nil && d.is(w, fingerprint, turn) {
		s.succeed()
		return nil
	}
	s.begin()
	if err == nil {
		a := s.application(w, verification{fingerprint, readJustNow}, quotas)
		a.turn = turn
		err = s.release(ctx, a, nil)
	}
	s.report(ctx, err, time.Since(start))
	return err
}

func (s *site) application(w wish, v verification, quotas *policy.Quotas) application {
	return application{tenant: w.tenant, secret: w.secret, touched: w.touched, pinned: w.pinned, fingerprint: v.fingerprint, verified: v.wait, quotas: quotas, log: s.log, memory: s.memory}
}

// release makes a deployment and swaps it in. commit, which may be nil, is
// called when it is able to serve; its error leaves the older one serving.
func (s *site) release(ctx context.Context, a application, commit func(tenants.Release) error) error {
	im, err := s.build(ctx, &a)
	if err != nil {
		return err
	}
	if err := s.fleet.unchanged(a); err != nil {
		return errors.Join(errChanged, err, im.Close())
	}
	use, err := holdFiles(a)
	if err != nil {
		return errors.Join(err, im.Close())
	}
	files, err := staticFiles(a)
	if err != nil {
		return errors.Join(err, im.Close(), use.Close())
	}
	d := deploy(a, im, files, s.fleet)
	d.files = use
	s.tally.enter(d)
	if err := s.examine(ctx, d); err != nil {
		s.retire(d)
		return err
	}
	if commit != nil {
		if err := commit(a.release); err != nil {
			s.retire(d)
			return err
		}
	}
	if old := s.live.Swap(d); old != nil {
		s.retiring.Go(func() { s.retire(old) })
	}
	if hint := a.tenant.Manifest.Hint(); hint != "" {
		s.step("hint: " + hint)
		s.log.Slog().Info(hint)
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
	s.step("booting")
	return s.fleet.maker.build(ctx, *a)
}

func (s *site) prepare(ctx context.Context, a *application) (err error) {
	s.step("preparing")
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
	if d.files != nil {
		s.fleet.source.retired(s.name)
	}
}

// report ends an attempt: state, event, log.
func (s *site) report(ctx context.Context, err error, took time.Duration) {
	err = withFileAdvice(err)
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
