package host

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/store"
)

// program is Python that is run for a tenant beside its requests.
type program struct {
	args           []string // python's command line, without argv[0]
	stdin          io.Reader
	stdout, stderr io.Writer
}

// programs is a maker that can run them.
type programs interface {
	run(ctx context.Context, a application, p program) (status int, err error)
}

// errNoScriptRun says that a program cannot be run here.
var errNoScriptRun = errors.New("programs cannot be run for this tenant")

// runLease is how long a program keeps others of its tenant out at most, should
// the host forget to release it.
const runLease = 24 * time.Hour

// Run implements api.Backend: the program sees what the tenant's instances see,
// and takes of the same memory and quota. One runs at a time for each tenant.
func (b backend) Run(ctx context.Context, tenant string, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	status, err := b.execute(ctx, tenant, program{args, stdin, stdout, stderr})
	return status, b.problem(err)
}

// execute runs a program, one at a time for each tenant: errProgramRuns.
func (d *deployer) execute(ctx context.Context, tenant string, p program) (status int, err error) {
	err = d.asProgram(ctx, tenant, func() error {
		status, err = d.executeAlone(ctx, tenant, p)
		return err
	})
	return status, err
}

// asProgram calls f while no program of the tenant runs: errProgramRuns.
func (d *deployer) asProgram(ctx context.Context, tenant string, f func() error) error {
	lease, err := d.store.Lease(ctx, "run/"+tenant, runLease)
	if errors.Is(err, store.ErrHeld) {
		return errProgramRuns
	}
	if err != nil {
		return err
	}
	return errors.Join(f(), lease.Release(context.WithoutCancel(ctx)))
}

// errProgramRuns says that a program of the tenant runs already.
var errProgramRuns = errors.New("another program runs for this tenant: wait for its end")

func (d *deployer) executeAlone(ctx context.Context, tenant string, p program) (int, error) {
	maker, ok := d.fleet.maker.(programs)
	if !ok {
		return 0, errNoScriptRun
	}
	w, err := d.wishOf(d.record(tenant))
	if err != nil {
		return 0, err
	}
	s := d.fleet.siteFor(tenant)
	a := s.application(w, verification{folder: followed(w.tenant.Dir)}, s.quotasOf(w.tenant))
	a.log = s.log()
	if a.release, err = d.fleet.maker.prepare(ctx, a, func(string) {}); err != nil {
		return 0, err
	}
	use, err := holdFiles(a)
	if err != nil {
		return 0, err
	}
	status, err := maker.run(ctx, a, p)
	return status, errors.Join(err, use.Close())
}

// siteFor is the site of a tenant, or one that does not serve: its memory and its
// log are what a program needs.
func (f *fleet) siteFor(name string) *site {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.sites[name]; s != nil {
		return s
	}
	return stoppedSite(f, name)
}

// run implements programs: where the tenant's other guests run.
func (e *engine) run(ctx context.Context, a application, p program) (int, error) {
	if isolated(a.tenant, *e.cfg.now()) {
		return e.runInWorker(ctx, a, p)
	}
	app := e.app(a)
	app.Network = e.network(a)
	app.Stdin, app.Stdout, app.Stderr = p.stdin, p.stdout, p.stderr
	pol, err := app.Policy()
	if err != nil {
		return 0, err
	}
	return e.sandbox.Python(ctx, sandbox.PythonSpec{
		Name: a.tenant.Name, Policy: pol, Budget: a.memory,
		MemoryLimit: uint64(min(a.tenant.Manifest.Limits.Memory.Bytes(), int64(e.cfg.now().MemoryPerInstance))),
		Boot:        abi.Boot{Args: append([]string{"python"}, p.args...), Paths: app.Paths(), Cwd: policy.AppDir},
	})
}
