package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker"
	"github.com/wasgi/wasgi/tenants"
)

// isolated says whether a tenant's guests run in a process of their own: when
// the host wants it for all, or the tenant for itself.
func isolated(t *tenants.Tenant, c Config) bool {
	return tenants.IsolationLevel(c.IsolationLevel) == tenants.WorkerProcess ||
		t.Manifest.IsolationLevel == tenants.WorkerProcess
}

// groups is where worker processes get control groups. It is looked for when the
// first one starts.
type groups struct {
	once   sync.Once
	parent string
}

func (g *groups) find(log *slog.Logger) string {
	g.once.Do(func() {
		var err error
		if g.parent, err = worker.GroupParent(); err != nil {
			log.Warn("worker processes have no control groups: the kernel bounds their memory by RLIMIT_DATA alone", "reason", err)
		}
	})
	return g.parent
}

// buildWorker is build for a tenant with worker processes.
func (e *engine) buildWorker(ctx context.Context, a application) (image, error) {
	spec, err := e.outline(a)
	if err != nil {
		return nil, err
	}
	key, err := e.key(a, spec)
	if err != nil {
		return nil, err
	}
	job := e.job(a, spec)
	job.Key = key
	for _, q := range spec.Warmup {
		job.Warmup = append(job.Warmup, q.Environ)
	}
	if a.secret {
		if err := os.RemoveAll(job.Snapshot); err != nil {
			return nil, fmt.Errorf("removing an older snapshot: %w", err)
		}
	}
	im, err := worker.Build(ctx, e.workerConfig(a, job))
	if err != nil {
		return nil, fmt.Errorf("in a worker process: %w", err)
	}
	return workerImage{im}, nil
}

// job is what both images and programs need.
func (e *engine) job(a application, spec sandbox.Spec) worker.Job {
	tenant := *a.tenant
	tenant.Dir = a.folder
	return worker.Job{
		Tenant: tenant, Site: a.release.Site, Data: e.app(a).Data,
		Snapshot: e.workerSnapshot(a.tenant.Name), CacheDir: e.cfg.now().CacheDir,
		MemoryLimit: spec.MemoryLimit, CPULimit: spec.CPULimit, Grace: spec.Grace,
		StartTimeout: spec.StartTimeout, WarmupTimeout: spec.WarmupTimeout,
		MemoryBudget: a.memory.Limit(), Unstored: a.secret,
		EgressRate: int64(e.cfg.now().EgressRate), Running: min(e.cfg.now().Slots, a.tenant.Manifest.Instances.Max),
	}
}

func (e *engine) workerConfig(a application, job worker.Job) worker.Config {
	return worker.Config{
		Job: job, Memory: a.memory, Groups: e.groups.find(e.log),
		Log: a.log, Network: e.network(a), Command: worker.Command(a.tenant.Name),
	}
}

// runInWorker is run for a tenant with worker processes: the program gets one of
// its own.
func (e *engine) runInWorker(ctx context.Context, a application, p program) (int, error) {
	spec, err := e.outline(a)
	if err != nil {
		return 0, err
	}
	job := e.job(a, spec)
	job.Program = append([]string{"python"}, p.args...)
	return worker.Run(ctx, e.workerConfig(a, job), p.stdin, p.stdout, p.stderr)
}

// workerSnapshot lies apart from the snapshots of guests in this process: a
// worker may have been taken over, and what it wrote is for its successor only.
// No tenant's name begins with an underscore.
func (e *engine) workerSnapshot(name string) string {
	return filepath.Join(e.cfg.now().StateDir, "snapshots", "_workers", name, "image")
}

// workerImage is an image of guests in a worker process.
type workerImage struct{ *worker.Image }

func (i workerImage) Restore(ctx context.Context) (instance, error) {
	in, err := i.Image.Restore(ctx)
	if err != nil {
		return nil, err
	}
	return in, nil
}
