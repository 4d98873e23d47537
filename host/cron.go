package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// cron has jobs done when they are due. A minute that the host slept through is
// not made up for, and a job that still runs is not begun again.
type cron struct {
	deployer *deployer
	running  sync.WaitGroup

	mu   sync.Mutex // guards all below
	done map[jobKey]*outcome
}

type jobKey struct{ tenant, what string }

// outcome is the last run of a job.
type outcome struct {
	begun   time.Time
	running bool
	took    time.Duration
	err     error
}

// run looks at each minute until ctx ends, and waits for the jobs that run.
func (c *cron) run(ctx context.Context) {
	defer c.running.Wait()
	for {
		next := time.Now().Truncate(time.Minute).Add(time.Minute)
		if !pass(ctx, time.Until(next)) {
			return
		}
		c.minute(ctx, next)
	}
}

// minute begins what is due.
func (c *cron) minute(ctx context.Context, now time.Time) {
	for name, s := range c.deployer.fleet.routes.Load().sites {
		a := s.serving()
		if a == nil {
			continue
		}
		for _, j := range a.tenant.Manifest.Jobs() {
			if j.Schedule.Due(now) {
				c.running.Go(func() { _ = c.do(ctx, name, j) }) // its end is in the log
			}
		}
	}
}

// errJobRuns says that a job was not begun because it runs.
var errJobRuns = errors.New("the job runs already: wait for its end")

// do does a job now: errJobRuns when it runs already.
func (c *cron) do(ctx context.Context, tenant string, j tenants.Job) error {
	key, start := jobKey{tenant, j.What}, time.Now()
	if !c.begin(key, start) {
		return errJobRuns
	}
	log := c.deployer.fleet.logs.of(tenant)
	err := c.work(ctx, tenant, j, log)
	took := time.Since(start)
	c.end(key, took, err)
	if err != nil {
		log.Slog().Error("a job failed", "job", j.What, "took", took, "error", err)
		return err
	}
	log.Slog().Info("a job was done", "job", j.What, "took", took)
	return nil
}

func (c *cron) begin(key jobKey, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before := c.done[key]; before != nil && before.running {
		return false
	}
	if c.done == nil {
		c.done = map[jobKey]*outcome{}
	}
	c.done[key] = &outcome{begun: now, running: true}
	return true
}

func (c *cron) end(key jobKey, took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.done[key]
	o.running, o.took, o.err = false, took, err
}

// work makes the request of a job, or runs its program with the tenant's log as
// output.
func (c *cron) work(ctx context.Context, tenant string, j tenants.Job, log *tenantlog.Log) error {
	if !j.Path() {
		out := wasi.LineWriter(func(line string) { log.Slog().Info(line, "source", "cron") }, 16<<10)
		status, err := c.deployer.execute(ctx, tenant, program{j.Args(), nil, out, out})
		if err == nil && status != 0 {
			err = fmt.Errorf("exit status %d", status)
		}
		return err
	}
	s := c.deployer.fleet.routes.Load().sites[tenant]
	if s == nil {
		return errNoTenant
	}
	status, err := s.get(ctx, j.What, "wasgi-cron", log)
	if err == nil && status >= 400 {
		err = fmt.Errorf("GET %s was answered with %d", j.What, status)
	}
	return err
}

// last is the outcome of a job's last run.
func (c *cron) last(key jobKey) (outcome, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.done[key]
	if o == nil {
		return outcome{}, false
	}
	return *o, true
}

// Jobs implements api.Backend.
func (b backend) Jobs(tenant string) ([]api.Job, error) {
	all, err := b.jobs(tenant)
	var out []api.Job
	for _, j := range all {
		one := api.Job{What: j.What, Schedule: j.Text}
		if next, comes := j.Schedule.Next(b.now()); comes {
			one.Next = &next
		}
		if o, ran := b.host.cron.last(jobKey{tenant, j.What}); ran {
			begun := o.begun.UTC()
			one.Last, one.Running, one.Millis = &begun, o.running, o.took.Milliseconds()
			if o.err != nil {
				one.Error = o.err.Error()
			}
		}
		out = append(out, one)
	}
	return out, b.problem(err)
}

// jobs are those of what a tenant serves.
func (d *deployer) jobs(tenant string) ([]tenants.Job, error) {
	s := d.fleet.routes.Load().sites[tenant]
	if s == nil {
		return nil, errNoTenant
	}
	if a := s.serving(); a != nil {
		return a.tenant.Manifest.Jobs(), nil
	}
	return nil, nil
}

// RunJob implements api.Backend.
func (b backend) RunJob(ctx context.Context, tenant, what string) error {
	all, err := b.jobs(tenant)
	if err != nil {
		return b.problem(err)
	}
	for _, j := range all {
		if j.What == what {
			if err := b.host.cron.do(ctx, tenant, j); err != nil {
				return b.problem(&jobError{err})
			}
			return nil
		}
	}
	return b.problem(fmt.Errorf("%s has no job %q: `wasgi cron ls %s` lists them: %w", tenant, what, tenant, errNoTenant))
}

// jobError is a job's own failure.
type jobError struct{ err error }

func (e *jobError) Error() string { return "the job failed: " + e.err.Error() }
func (e *jobError) Unwrap() error { return e.err }
