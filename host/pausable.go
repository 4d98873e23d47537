package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/store"
)

// errAway: the state belongs to another process, for a moment or for good.
var errAway = errors.New("another process is taking over: try again soon")

// pausable is a store that can be given up to another process and taken back: the
// embedded one is a file that only one process may have open. What is under way
// when it is given up fails, and leaves things as they are.
type pausable struct {
	open func() (store.Store, error)

	mu    sync.RWMutex // held by every use of inner, which none keeps for long
	inner store.Store  // nil while another process has it
}

func newPausable(open func() (store.Store, error)) (*pausable, error) {
	p := &pausable{open: open}
	return p, p.resume()
}

func (p *pausable) pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner == nil {
		return nil
	}
	inner := p.inner
	p.inner = nil
	return inner.Close()
}

func (p *pausable) resume() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner != nil {
		return nil
	}
	s, err := p.open()
	if err == nil {
		p.inner = s
	}
	return err
}

// use calls f with the store, if this process has it.
func (p *pausable) use(f func(store.Store) error) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.inner == nil {
		return errAway
	}
	return f(p.inner)
}

// Get implements store.Store.
func (p *pausable) Get(ctx context.Context, key string) (e store.Entry, err error) {
	err = p.use(func(s store.Store) error { e, err = s.Get(ctx, key); return err })
	return e, err
}

// CompareAndSet implements store.Store.
func (p *pausable) CompareAndSet(ctx context.Context, key string, value []byte, at store.Revision) (r store.Revision, err error) {
	err = p.use(func(s store.Store) error { r, err = s.CompareAndSet(ctx, key, value, at); return err })
	return r, err
}

// Delete implements store.Store.
func (p *pausable) Delete(ctx context.Context, key string, at store.Revision) error {
	return p.use(func(s store.Store) error { return s.Delete(ctx, key, at) })
}

// List implements store.Store.
func (p *pausable) List(ctx context.Context, prefix string) (out []store.Entry, err error) {
	err = p.use(func(s store.Store) error { out, err = s.List(ctx, prefix); return err })
	return out, err
}

// Watch implements store.Store.
func (p *pausable) Watch(ctx context.Context, prefix string) (out <-chan store.Event, err error) {
	err = p.use(func(s store.Store) error { out, err = s.Watch(ctx, prefix); return err })
	return out, err
}

// Lease implements store.Store.
func (p *pausable) Lease(ctx context.Context, name string, ttl time.Duration) (l store.Lease, err error) {
	err = p.use(func(s store.Store) error { l, err = s.Lease(ctx, name, ttl); return err })
	return l, err
}

// Close implements store.Store.
func (p *pausable) Close() error { return p.pause() }
