//go:build linux

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Pauses before a worker is started again. The first crash costs none; a worker
// that has lived for steady makes the count begin anew.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 30 * time.Second
	steady     = time.Minute
)

// Image makes instances of one release in a worker process, and replaces the
// process when it ends. It is safe for concurrent use.
type Image struct {
	cfg   Config
	life  context.Context
	end   context.CancelFunc
	tasks sync.WaitGroup

	mu       sync.Mutex // guards all below
	current  *process
	users    int // instances, those that are being made too
	idle     *time.Timer
	starting *attempt
	crashes  int
	err      error // of the last crash
	next     time.Time
	closed   bool
}

// attempt is a worker that is being started, and what became of it.
type attempt struct {
	done    chan struct{}
	process *process
	err     error
}

// Build starts the first worker and waits for its image. The errors are those
// of sandbox.Engine.BuildStored as far as a worker can tell them.
func Build(ctx context.Context, cfg Config) (*Image, error) {
	if err := os.MkdirAll(cfg.Job.snapshotFolder(), 0o700); err != nil {
		return nil, fmt.Errorf("worker: making the folder of the snapshot: %w", err)
	}
	if err := removeUnfinished(cfg.Job.snapshotFolder()); err != nil {
		return nil, fmt.Errorf("worker: removing what a killed worker has left: %w", err)
	}
	im := &Image{cfg: cfg}
	im.life, im.end = context.WithCancel(context.Background())
	p, err := start(ctx, &im.cfg, im.bury)
	if err != nil {
		im.end()
		return nil, err
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if !p.lost.Load() {
		im.current = p
	}
	im.rest()
	return im, nil
}

// enter counts an instance, leave takes it back.
func (im *Image) enter() {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.users++
	im.idle.Stop()
}

func (im *Image) leave() {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.users--; im.users == 0 && !im.closed {
		im.rest()
	}
}

// rest has the worker end when nobody needs it for as long as an idle instance
// is kept. Call it with mu held.
func (im *Image) rest() {
	im.idle = time.AfterFunc(im.cfg.Job.idleTime(), im.sleep)
}

// sleep ends a worker that nobody uses, if the next one finds its image.
func (im *Image) sleep() { im.dismiss(func(p *process) bool { return p.stored }) }

// shrink ends a worker that nobody uses and that is too large to be used: what
// its instances had comes back to the kernel late or never.
func (im *Image) shrink() { im.dismiss(func(*process) bool { return true }) }

func (im *Image) dismiss(when func(*process) bool) {
	im.mu.Lock()
	defer im.mu.Unlock()
	p := im.current
	if im.closed || im.users > 0 || p == nil || !when(p) {
		return
	}
	im.current = nil
	im.tasks.Go(func() {
		if err := p.close(); err != nil {
			im.cfg.Log.Slog().Warn("an idle worker process did not end in order", "error", err)
		}
	})
}

// removeUnfinished removes snapshots that were being written when their worker
// was killed (sandbox, writeFileAtomic).
func removeUnfinished(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			err = errors.Join(err, os.RemoveAll(filepath.Join(folder, e.Name())))
		}
	}
	return err
}

// Prepare starts a worker when there is none: the part of Restore that takes
// long and no guest's CPU slot.
func (im *Image) Prepare(ctx context.Context) error {
	_, err := im.worker(ctx)
	return err
}

// worker returns one that lives, starting it when there is none.
func (im *Image) worker(ctx context.Context) (*process, error) {
	p, a, err := im.currentOrAttempt()
	if a == nil {
		return p, err
	}
	select {
	case <-a.done:
		return a.process, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (im *Image) currentOrAttempt() (*process, *attempt, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.closed {
		return nil, nil, ErrClosed
	}
	if p := im.current; p != nil && !p.lost.Load() {
		return p, nil, nil
	}
	im.crashed(im.current, nil)
	if im.starting == nil {
		if wait := time.Until(im.next); wait > 0 {
			return nil, nil, &CrashedError{Tenant: im.cfg.Job.Tenant.Name, Crashes: im.crashes, RetryAfter: wait, Err: im.err}
		}
		a := &attempt{done: make(chan struct{})}
		im.starting = a
		im.tasks.Go(func() { im.restart(a) })
	}
	return nil, im.starting, nil
}

// restart ends with the image.
func (im *Image) restart(a *attempt) {
	before := time.Now()
	a.process, a.err = start(im.life, &im.cfg, im.bury)
	im.mu.Lock()
	im.starting = nil
	if a.err != nil {
		im.count(before, a.err)
	} else {
		im.current = a.process
	}
	im.mu.Unlock()
	if a.err == nil {
		im.cfg.Log.Slog().Info("a worker process was started again", "pid", a.process.cmd.Process.Pid, "took", time.Since(before).Round(time.Millisecond))
	}
	close(a.done)
}

// bury is told of the end of every worker. Of one that was never built somebody
// else tells.
func (im *Image) bury(p *process) {
	if p.asked.Load() || !p.served.Load() {
		return
	}
	err := p.ended(nil)
	im.mu.Lock()
	im.crashed(p, err)
	im.mu.Unlock()
	im.cfg.Log.Slog().Error("a worker process ended: its requests were lost", "pid", p.cmd.Process.Pid, "error", err)
}

// crashed counts the end of the current worker, once. Call it with mu held.
func (im *Image) crashed(p *process, err error) {
	if p == nil || im.current != p {
		return
	}
	im.current = nil
	im.count(p.born, err)
}

func (im *Image) count(born time.Time, err error) {
	if time.Since(born) >= steady {
		im.crashes = 0
	}
	im.crashes++
	im.err = err
	im.next = time.Now().Add(pause(im.crashes))
}

// pause is how long to wait after so many crashes in a row.
func pause(crashes int) time.Duration {
	if crashes < 2 {
		return 0
	}
	d := firstPause
	for range crashes - 2 {
		if d *= 2; d >= lastPause {
			return lastPause
		}
	}
	return d
}

// Close ends the worker. No instance may be in use.
func (im *Image) Close() error {
	im.mu.Lock()
	first := !im.closed
	im.closed = true
	im.idle.Stop()
	im.mu.Unlock()
	if !first {
		return nil
	}
	im.end()
	im.tasks.Wait()
	im.mu.Lock()
	p := im.current
	im.current = nil
	im.mu.Unlock()
	if p == nil {
		return nil
	}
	return p.close()
}
