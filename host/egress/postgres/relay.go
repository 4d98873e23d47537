package postgres

import (
	"io"
	"time"
)

// ending is how the guest's side of a session ended.
type ending int

const (
	left   ending = iota // it said so, or broke the protocol
	gone                 // its connection ended, or is to
	broken               // the server takes nothing
)

// relay passes bytes until the guest ends the session or the server does, and then
// gives the connection back.
func (s *session) relay(to *server) {
	down := make(chan error, 1)
	go func() { // ends with the server's connection, or by a deadline
		err := s.down(to)
		_ = s.guest.SetReadDeadline(past())
		_ = to.Conn.SetWriteDeadline(past())
		down <- err
	}()
	how := s.up(to)
	switch {
	case serverEnded(down):
		s.detach()
		s.close(to)
		s.linger()
	case how == broken || !s.ledger.settled():
		_ = s.guest.Close()
		s.detach()
		if how != left || s.ledger.broken() {
			to.cancel()
		}
		s.close(to)
		<-down
	default:
		s.giveBack(to, down)
	}
}

// serverEnded says that the way down has ended because of the server. One that has
// ended because of the guest goes back into the channel.
func serverEnded(down chan error) bool {
	select {
	case err := <-down:
		down <- err
		return err != nil
	default:
		return false
	}
}

// giveBack resets a connection that waits for the next query, for the next session.
func (s *session) giveBack(to *server, down <-chan error) {
	_ = s.guest.SetDeadline(past())
	_ = to.Conn.SetReadDeadline(past())
	err := <-down
	_ = s.guest.Close()
	untouched := s.detach()
	if untouched && (err == nil || isTimeout(err)) && s.ledger.settled() && to.reset(s.ledger.inTransaction()) == nil {
		s.pool.put(to)
		return
	}
	s.close(to)
}

// close is for a connection that nobody is to have any more.
func (s *session) close(to *server) {
	to.shut()
	s.pool.drop()
}

// linger lets a guest read the last that was said, and write a farewell that
// nobody reads: over TCP it could, and drivers do.
func (s *session) linger() {
	if w, ok := s.guest.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
		return
	}
	_ = s.guest.SetReadDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, s.guest)
}

// up takes what the guest sends to the server.
func (s *session) up(to *server) ending {
	for {
		n, err := s.reader.Read(to.up)
		pass, over := s.ledger.sent(to.up[:n])
		if pass > 0 {
			if _, err := to.Conn.Write(to.up[:pass]); err != nil {
				return broken
			}
		}
		switch {
		case over:
			return left
		case err != nil:
			return gone
		}
	}
}

// down takes what the server sends to the guest. An error is the server's.
func (s *session) down(from *server) error {
	for {
		n, err := from.Conn.Read(from.down)
		s.ledger.received(from.down[:n])
		if n > 0 {
			if _, err := s.guest.Write(from.down[:n]); err != nil {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// detach takes the connection out of reach of cancel requests. It waits for one
// that is under way, and is false when there was any: such a connection may still
// be interrupted.
func (s *session) detach() (untouched bool) {
	s.pool.note(func(*Counts) { delete(s.pool.sessions, s.key) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = nil
	return !s.cancelled
}
