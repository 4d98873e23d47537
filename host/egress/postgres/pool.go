package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/semaphore"
)

// identity is for whom a connection is logged in.
type identity struct {
	who
	password [sha256.Size]byte // keyed with a secret of the pool
}

// Pool keeps the connections of one tenant to one server. It is safe for concurrent
// use. Those in use belong to sessions, each of which has a place in room.
type Pool struct {
	config   Config
	template *pgconn.Config
	secret   [32]byte
	room     *semaphore.Weighted

	mu       sync.Mutex // guards all below; nothing is waited for under it
	idle     []*server  // the one that was used last is last
	used     int        // places of room that are taken
	waiting  int
	closed   bool
	sweeping *time.Timer
	sessions map[cancelKey]*session
	counts   Counts
}

// New makes a pool, which connects when it is asked for a connection. An error is
// one of the configuration.
func New(c Config) (*Pool, error) {
	t, err := c.template()
	if err != nil {
		return nil, fmt.Errorf("the pool for %s: %w", c.Address(), err)
	}
	p := &Pool{config: c, template: t, room: semaphore.NewWeighted(int64(c.Size)), sessions: map[cancelKey]*session{}}
	_, _ = rand.Read(p.secret[:]) // never fails
	return p, nil
}

// Close closes what is idle now, and what sessions give back from now on.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	if p.sweeping != nil {
		p.sweeping.Stop()
	}
	p.mu.Unlock()
	for _, s := range idle {
		s.shut()
	}
}

func (p *Pool) identify(w who, password string) identity {
	h := hmac.New(sha256.New, p.secret[:])
	h.Write([]byte(password))
	return identity{w, [sha256.Size]byte(h.Sum(nil))}
}

// demand is what a session needs a connection for.
type demand struct {
	identity
	parameters map[string]string
	password   string
	via        Network
}

// ready gives an idle connection without waiting, nil when there is none.
func (p *Pool) ready(d demand) *server {
	if !p.room.TryAcquire(1) {
		return nil
	}
	s, old := p.take(d.identity, false)
	shutAll(old)
	if s == nil {
		p.room.Release(1)
	}
	return s
}

// acquire gives a connection, an idle or a new one, when there is room. Whoever gets
// one has to give it back.
func (p *Pool) acquire(ctx context.Context, d demand) (*server, error) {
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	s, old := p.take(d.identity, true)
	shutAll(old)
	if s != nil {
		return s, nil
	}
	s, err := p.login(ctx, d)
	if err != nil {
		p.leave()
	}
	return s, err
}

// enter waits for room.
func (p *Pool) enter(ctx context.Context) error {
	if p.room.TryAcquire(1) {
		return nil
	}
	p.note(func(c *Counts) { c.Waits++; p.waiting++ })
	defer p.note(func(*Counts) { p.waiting-- })
	within, cancel := context.WithTimeout(ctx, p.config.Wait)
	defer cancel()
	if p.room.Acquire(within, 1) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.note(func(c *Counts) { c.Exhausted++ })
	return &pgError{"53300", fmt.Sprintf("all %d connections of network.pool to %s are in use, and none has come free for %v: raise network.pool.size, or close connections sooner",
		p.config.Size, p.config.Address(), p.config.Wait)}
}

// take looks for an idle connection. If there is none, and one is to be made, the
// oldest of somebody else makes room. What is old or dead comes back besides.
func (p *Pool) take(id identity, orRoom bool) (found *server, old []*server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for i := len(p.idle) - 1; i >= 0 && found == nil; i-- {
		s := p.idle[i]
		if s.identity != id {
			continue
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		if p.expired(s, now) {
			old = append(old, s)
			continue
		}
		found = s
		p.counts.Reused++
	}
	if found == nil && !orRoom {
		return nil, old
	}
	p.used++
	if found == nil && len(p.idle)+p.used > p.config.Size {
		old = append(old, p.idle[0])
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	return found, old
}

// expired says that a connection is not to be used again. The lock is held.
func (p *Pool) expired(s *server, now time.Time) bool {
	switch {
	case !silent(s.Conn):
		p.counts.Dead++
	case now.Sub(s.born) > p.config.Lifetime, now.Sub(s.freed) > p.config.Idle:
		p.counts.Expired++
	default:
		return false
	}
	return true
}

func (p *Pool) login(ctx context.Context, d demand) (*server, error) {
	c := p.template.Copy()
	c.User, c.Password, c.Database, c.RuntimeParams = d.user, d.password, d.database, d.parameters
	through(c, d.via)
	s, err := login(ctx, c)
	if err != nil {
		p.note(func(c *Counts) { c.Failed++ })
		return nil, err
	}
	c.Password = "" // which the connection would keep
	s.identity = d.identity
	p.note(func(c *Counts) { c.Logins++ })
	return s, nil
}

// put takes a clean connection back.
func (p *Pool) put(s *server) {
	p.mu.Lock()
	s.freed = time.Now()
	keep := !p.closed && s.freed.Sub(s.born) <= p.config.Lifetime
	if keep {
		p.idle = append(p.idle, s)
		p.sweepLater()
	}
	p.mu.Unlock()
	if !keep {
		s.shut()
	}
	p.leave()
}

// drop is for a connection that is closed.
func (p *Pool) drop() {
	p.note(func(c *Counts) { c.Dropped++ })
	p.leave()
}

// leave gives up a place.
func (p *Pool) leave() {
	p.note(func(*Counts) { p.used-- })
	p.room.Release(1)
}

func (p *Pool) note(f func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.counts)
}

// sweepEvery is how often idle connections are looked at.
const sweepEvery = 5 * time.Second

// sweepLater has the idle connections looked at as long as there are any. The lock
// is held.
func (p *Pool) sweepLater() {
	if p.sweeping == nil && len(p.idle) > 0 && !p.closed {
		p.sweeping = time.AfterFunc(min(sweepEvery, p.config.Idle), p.sweep)
	}
}

func (p *Pool) sweep() {
	p.mu.Lock()
	var old []*server
	now := time.Now()
	p.idle = slices.DeleteFunc(p.idle, func(s *server) bool {
		if p.expired(s, now) {
			old = append(old, s)
			return true
		}
		return false
	})
	p.sweeping = nil
	p.sweepLater()
	p.mu.Unlock()
	shutAll(old)
}

func shutAll(old []*server) {
	for _, s := range old {
		s.shut()
	}
}
