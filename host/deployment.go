package host

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/static"
	"github.com/wasgi/wasgi/tenants"
)

// killGrace is how long a guest may take to unwind, after its own grace.
const killGrace = 5 * time.Second

// deployment is a release that serves: an image and the pool of its instances.
// It is immutable; a reload makes another one.
type deployment struct {
	application
	image image
	pool  *pool.Pool[instance]
	fresh bool
	bounds
	size      uint64        // of the snapshot, bytes; 0 when that is not known
	static    *static.Files // nil for none
	files     *release.Use  // of a release that was deployed; nil for a folder
	redirects tenants.Redirects
	made      time.Time
	past      past // of its time before it slept

	life     context.Context // of every request; it ends when they must go
	kill     context.CancelCauseFunc
	called   atomic.Int64 // unix time of the last request
	environs sync.Pool    // *abi.Environ, wiped; this tenant's only
}

// bounds are what holds of a manifest's limits within the host's.
type bounds struct {
	bodyLimit int64
	timeout   time.Duration // of one request
	grace     time.Duration // after that
}

func boundsOf(m tenants.Manifest, c Config) bounds {
	return bounds{
		bodyLimit: min(m.Limits.BodySize.Bytes(), int64(c.MaxBody)),
		timeout:   min(m.Limits.RequestTimeout.Duration, c.RequestTimeout),
		grace:     min(m.Limits.Grace.Duration, c.Grace),
	}
}

// deploy starts the pool of an image. It serves until retire.
func deploy(a application, im image, files *static.Files, f *fleet) *deployment {
	c, m := f.cfg.now(), a.tenant.Manifest
	a.verified = nil // what it was compared with is needed no more
	d := &deployment{
		application: a, image: im, made: time.Now(),
		fresh:     m.Isolation == tenants.Fresh,
		bounds:    boundsOf(m, *c),
		size:      snapshotSize(im),
		static:    files,
		redirects: m.RedirectTable(),
	}
	d.life, d.kill = context.WithCancelCause(context.Background())
	d.environs.New = func() any { return new(abi.Environ) }
	d.pool = pool.New(pool.Config[instance]{
		Name: a.tenant.Name, Prepare: preparation(im), New: f.roomFor(im), Slots: f.slots, Weight: m.Instances.Weight,
		Min: m.Instances.Min, Max: m.Instances.Max,
		QueueLength: m.Instances.Queue, QueueTimeout: m.Instances.QueueTimeout.Duration,
		MaxRequests: m.Instances.MaxRequests, MaxAge: m.Instances.MaxAge.Duration,
		IdleTimeout: m.Instances.Idle.Duration, Fresh: d.fresh, TooLarge: largerThan(m.Instances.MaxMemory),
	})
	return d
}

// largerThan says of an instance whether it has grown beyond a size, nil for no
// limit.
func largerThan(most tenants.Size) func(instance) bool {
	if most == 0 {
		return nil
	}
	return func(in instance) bool {
		s, ok := statsOf(in)
		return ok && s.MemorySize > uint64(most)
	}
}

// statsOf is what an instance has used, if it keeps count.
func statsOf(in instance) (sandbox.InstanceStats, bool) {
	meter, ok := in.(interface{ Stats() sandbox.InstanceStats })
	if !ok {
		return sandbox.InstanceStats{}, false
	}
	return meter.Stats(), true
}

// preparation is what an image can do before it makes an instance, nil for
// nothing.
func preparation(im image) func(context.Context) error {
	if p, ok := im.(interface{ Prepare(context.Context) error }); ok {
		return p.Prepare
	}
	return nil
}

// retire lets the running requests end until ctx does, kills the rest, and
// frees pool and image. The release's files are the caller's.
func (d *deployment) retire(ctx context.Context, log *slog.Logger) {
	err := d.pool.Drain(ctx)
	d.kill(context.Canceled)
	if err != nil {
		log.Warn("requests were still running: killed", "error", err)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.grace+killGrace)
		defer cancel()
		err = d.pool.Drain(grace)
	}
	d.pool.Close()
	if err != nil {
		log.Error("guests did not stop: their memory is freed when they do", "error", err)
	}
	if err := d.image.Close(); err != nil {
		log.Error("the image could not be freed", "error", err)
	}
}

// is says whether a is this tenant as it is now, after so many changes of the host's
// settings.
func (a *application) is(w wish, fingerprint string, turn uint64) bool {
	return a.fingerprint == fingerprint && a.turn == turn && a.touched == w.touched && sameSettings(a.tenant, w.tenant)
}

// lastCall is the unix time of the last request, 0 for none.
func (d *deployment) lastCall() int64 { return max(d.called.Load(), d.past.called) }

// history is what it and those before it have seen.
func (d *deployment) history() past {
	p := d.pool.Stats()
	return past{called: d.lastCall(), requests: d.past.requests + p.Requests, created: d.past.created + p.Created}
}

// unusedSince says whether nobody has called since a moment.
func (d *deployment) unusedSince(since time.Time) bool {
	return d.made.Before(since) && d.called.Load() < since.Unix()
}

// environ hands out a buffer; forget takes it back and wipes it.
func (d *deployment) environ() *abi.Environ { return d.environs.Get().(*abi.Environ) }

func (d *deployment) forget(e *abi.Environ) {
	if b, err := e.Bytes(); err == nil {
		clear(b)
	}
	e.Reset()
	d.environs.Put(e)
}
