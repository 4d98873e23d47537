package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// How long a session lasts: without a request, and at all.
const (
	sessionIdle = 2 * time.Hour
	sessionMost = 12 * time.Hour
	maxSessions = 1000 // more end the one that was used longest ago
)

// session is a browser that has shown a token.
type session struct {
	token string // asked about again with every request; never shown
	name  string // of who has logged in, for the audit log
	form  string // what a form of this session's pages carries
	began time.Time
	ctx   context.Context // ends with the session
	end   context.CancelFunc

	used time.Time // guarded by sessions.mu
}

// sessions are kept by a hash of what is in the cookie, so that a look-up tells
// nothing by the time it takes.
type sessions struct {
	now func() time.Time

	mu     sync.Mutex // guards all below
	closed bool
	byHash map[[sha256.Size]byte]*session
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, byHash: map[[sha256.Size]byte]*session{}}
}

// random is a secret of 256 bits.
func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// begin makes a session and returns what goes into the cookie.
func (s *sessions) begin(token, name string) (cookie string) {
	cookie = random()
	one := &session{token: token, name: name, form: random(), began: s.now(), used: s.now()}
	one.ctx, one.end = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		one.end()
		return cookie
	}
	s.sweep()
	s.byHash[sha256.Sum256([]byte(cookie))] = one
	return cookie
}

// sweep ends those that are over, and one more when there are too many.
func (s *sessions) sweep() {
	var oldest [sha256.Size]byte
	var since time.Time
	for hash, one := range s.byHash {
		if s.over(one) {
			s.drop(hash)
			continue
		}
		if since.IsZero() || one.used.Before(since) {
			oldest, since = hash, one.used
		}
	}
	if len(s.byHash) >= maxSessions {
		s.drop(oldest)
	}
}

func (s *sessions) over(one *session) bool {
	now := s.now()
	return now.Sub(one.used) >= sessionIdle || now.Sub(one.began) >= sessionMost
}

func (s *sessions) drop(hash [sha256.Size]byte) {
	if one := s.byHash[hash]; one != nil {
		one.end()
		delete(s.byHash, hash)
	}
}

// find is nil when there is none, or it is over. used says that somebody is there,
// and not only a page of theirs.
func (s *sessions) find(cookie string, used bool) *session {
	hash := sha256.Sum256([]byte(cookie))
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.byHash[hash]
	if one == nil {
		return nil
	}
	if s.over(one) {
		s.drop(hash)
		return nil
	}
	if used {
		one.used = s.now()
	}
	return one
}

// lasts says whether a session that was found goes on.
func (s *sessions) lasts(one *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return one.ctx.Err() == nil && !s.over(one)
}

// finish ends the session of a cookie.
func (s *sessions) finish(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(sha256.Sum256([]byte(cookie)))
}

func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for hash := range s.byHash {
		s.drop(hash)
	}
}
