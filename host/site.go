package host

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/wasgi/wasgi/host/metrics"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/spool"
	"github.com/wasgi/wasgi/host/tenantlog"
)

// Why there is no deployment to serve a request.
var (
	errStarting  = errors.New("the application is still starting")
	errCrowded   = errors.New("too many requests wait for the application to start")
	errStopped   = errors.New("the application was stopped")
	errNotServed = errors.New("the application cannot be served")
	errChanged   = errors.New("the application's files changed while it was loaded")
)

// site is one tenant as the host sees it. One goroutine, toil, makes its releases;
// whoever calls a dormant one opens it; requests read live and wait for a change.
type site struct {
	name   string
	fleet  *fleet
	memory *sandbox.Budget // of all instances, those of older releases too
	live   atomic.Pointer[deployment]
	tried  atomic.Bool // an attempt is over, whatever came of it

	share  sync.Once // makes bodies
	bodies *spool.Spooler

	sites context.Context // of all sites' work

	retiring sync.WaitGroup // deployments on their way out
	tally    tally
	counts   atomic.Pointer[metrics.Tenant] // see meter; nil before the first request

	logged atomic.Pointer[tenantlog.Log] // see log

	mu      sync.Mutex // guards all below and changes of live; nothing slow is called with it held
	dormant *dormant   // serves when live does not; nil for none
	rousing bool       // somebody opens dormant
	lost    bool       // it could not be opened: what lies there is not to be trusted
	work    work
	state   State
	err     error // of the last attempt
	want    wish
	problem error // why want is not to be taken, nil when it is
	quotas  *policy.Quotas
	changed chan struct{} // closed at the next change of state; nil when nobody waits
	waiting int           // requests
	called  chan struct{} // holds one: a request waits; nil when nobody has asked
}

func newSite(f *fleet, name string) *site {
	s := &site{name: name, fleet: f}
	s.memory = sandbox.NewBudget(uint64(f.cfg.now().MemoryPerTenant), f.memory).WithRelief(s.relieve)
	return s
}

// stoppedSite is one that was stopped before it began: nothing is done for it.
func stoppedSite(f *fleet, name string) *site {
	s := newSite(f, name)
	s.state = Stopped
	s.tried.Store(true)
	s.work.over = true
	return s
}

// log is made when something is first said: most of ten thousand say nothing.
func (s *site) log() *tenantlog.Log {
	if l := s.logged.Load(); l != nil {
		return l
	}
	l := s.fleet.logs.of(s.name)
	s.logged.Store(l)
	return l
}

// propose sets what is to be served, or the problem that keeps it from being
// served, and has it looked at.
func (s *site) propose(w wish, problem error) {
	s.mu.Lock()
	if problem == nil {
		s.want = w
	}
	s.problem = problem
	s.mu.Unlock()
	s.nudge()
}

func (s *site) proposal() (wish, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.want, s.problem
}
