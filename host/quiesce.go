package host

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// unread are connections of which nothing has been read yet. net/http drops the
// first request of those when it shuts down, which their clients would not
// understand: another process would have answered.
type unread struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// watch is for http.Server.ConnState.
func (u *unread) watch(c net.Conn, s http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s != http.StateNew {
		delete(u.conns, c)
		return
	}
	if u.conns == nil {
		u.conns = map[net.Conn]struct{}{}
	}
	u.conns[c] = struct{}{}
}

func (u *unread) none() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.conns) == 0
}

// How often connections are looked at, and how long those that say nothing are
// waited for.
const (
	quiesceEvery = 20 * time.Millisecond
	quiesceMost  = 5 * time.Second
)

// quiesce is for a service that was handed over: it accepts nothing any more, and
// returns when each connection that it has accepted has come to its request.
func (s *service) quiesce(ctx context.Context) {
	_ = closeAll(s.listeners) // http.Server would close them again
	s.client.SetKeepAlivesEnabled(false)
	ctx, cancel := context.WithTimeout(ctx, quiesceMost)
	defer cancel()
	tick := time.NewTicker(quiesceEvery)
	defer tick.Stop()
	// Twice, because a connection is counted a moment before its request is safe.
	for quiet := 0; quiet < 2; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if quiet++; !s.unread.none() {
			quiet = 0
		}
	}
}

// ending makes the regular end of a listener none: of a service that ends, or that
// was handed over.
func (s *service) ending(err error) error {
	if s.handedOver() && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return serving(err)
}

// handedOver says whether a younger process serves.
func (s *service) handedOver() bool {
	select {
	case <-s.handed:
		return true
	default:
		return false
	}
}
