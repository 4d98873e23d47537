package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A builder runs the steps of a plan.
type builder struct {
	steps    []step
	cache    *cache
	guest    string // folder of our C and Python sources, absolute
	jobs     int    // processes that make may start, and steps at a time
	from     string // first step whose kept result is not used
	progress *progress

	mu      sync.Mutex
	keys    map[string]digest
	digests map[string]digest
	made    map[string]bool // steps that ran in this build
}

// out is the folder with the result of a finished step.
func (b *builder) out(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return filepath.Join(b.cache.path(name, b.keys[name]), "out")
}

// build brings every step up to date. Steps that do not need each other run
// at the same time.
func (b *builder) build(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, max(1, b.jobs))
	done := map[string]chan struct{}{}
	for _, s := range b.steps {
		done[s.name] = make(chan struct{})
	}
	for _, s := range b.steps {
		g.Go(func() error {
			if err := b.await(ctx, s, done); err != nil {
				return err
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := b.update(ctx, s); err != nil {
				return err
			}
			close(done[s.name])
			return nil
		})
	}
	return g.Wait()
}

// await waits until everything that a step needs is done.
func (b *builder) await(ctx context.Context, s step, done map[string]chan struct{}) error {
	for _, n := range s.needs {
		select {
		case <-done[n]:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// update makes a step's result, unless the cache has it.
func (b *builder) update(ctx context.Context, s step) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.mu.Lock()
	key, err := stepKey(s, b.digests)
	forced := s.name == b.from || slices.ContainsFunc(s.needs, func(n string) bool { return b.made[n] && b.from != "" })
	b.keys[s.name] = key
	b.mu.Unlock()
	if err != nil {
		return err
	}
	if r, ok, err := b.cache.get(s.name, key); err != nil || ok && !forced && !s.always {
		b.finish(s, r, false)
		return err
	}
	r, err := b.make(ctx, s, key)
	if err == nil {
		b.finish(s, r, true)
	}
	return err
}

// finish records a result and tells about it.
func (b *builder) finish(s step, r result, made bool) {
	b.mu.Lock()
	b.digests[s.name] = r.Digest
	b.made[s.name] = made && !s.always
	b.mu.Unlock()
	b.progress.finished(s.name, r, made)
}

// make runs a step in a temporary folder and keeps what it made.
func (b *builder) make(ctx context.Context, s step, key digest) (result, error) {
	b.progress.started(s.name)
	start := time.Now()
	tmp, err := os.MkdirTemp(filepath.Join(b.cache.dir, "tmp"), s.name+"-")
	if err != nil {
		return result{}, err
	}
	if err := b.runIn(ctx, s, tmp); err != nil {
		return result{}, err
	}
	r := result{Digest: key, Seconds: time.Since(start).Seconds()}
	if s.content {
		if r.Digest, err = treeDigest(filepath.Join(tmp, "out")); err != nil {
			return result{}, err
		}
	}
	if err := b.cache.put(s.name, key, tmp, r); err != nil {
		return result{}, fmt.Errorf("step %s: keeping the result: %w", s.name, err)
	}
	return r, b.cache.prune(s.name, key, 4)
}

// runIn runs a step with its work, out and log in place. An error becomes a
// failure that tells about the log.
func (b *builder) runIn(ctx context.Context, s step, tmp string) error {
	work, out := filepath.Join(tmp, "work"), filepath.Join(tmp, "out")
	for _, dir := range []string{tmp, work, out} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	log, err := os.Create(b.cache.log(s.name))
	if err != nil {
		return err
	}
	defer log.Close()
	j := &job{ctx: ctx, b: b, name: s.name, needs: slices.Clone(s.needs), work: work, out: out, log: log}
	if err := s.run(j); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &failure{step: s.name, log: log.Name(), hint: s.hint, err: err}
	}
	return os.RemoveAll(work)
}
