package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/store"
)

// leases are those of this process, by name.
type leases struct {
	mu   sync.Mutex
	held map[string]*lease
}

// lease implements store.Lease.
type lease struct {
	store *Store
	name  string
	ttl   time.Duration
	until time.Time // guarded by leases.mu
}

// Lease implements store.Store.
func (s *Store) Lease(ctx context.Context, name string, ttl time.Duration) (store.Lease, error) {
	if err := errors.Join(ctx.Err(), store.CheckKey(name)); err != nil {
		return nil, err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	now := s.now()
	if other := l.held[name]; other != nil && other.until.After(now) {
		return nil, fmt.Errorf("%s: %w", name, store.ErrHeld)
	}
	if l.held == nil {
		l.held = map[string]*lease{}
	}
	mine := &lease{store: s, name: name, ttl: ttl, until: now.Add(ttl)}
	l.held[name] = mine
	return mine, nil
}

// Renew implements store.Lease.
func (l *lease) Renew(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	all := &l.store.leases
	all.mu.Lock()
	defer all.mu.Unlock()
	now := l.store.now()
	if all.held[l.name] != l || !l.until.After(now) {
		return fmt.Errorf("%s: %w", l.name, store.ErrLost)
	}
	l.until = now.Add(l.ttl)
	return nil
}

// Release implements store.Lease.
func (l *lease) Release(context.Context) error {
	all := &l.store.leases
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.held[l.name] == l {
		delete(all.held, l.name)
	}
	return nil
}
