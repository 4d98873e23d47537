package postgres

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	resetTimeout  = 5 * time.Second
	cancelTimeout = 5 * time.Second
	farewell      = time.Second // for a last word to a server
	bufferSize    = 16 << 10    // of each direction
)

// past is a deadline that is over.
func past() time.Time { return time.Unix(1, 0) }

// server is a connection to the server, logged in. One session has it at a time,
// or the pool.
type server struct {
	*pgconn.HijackedConn
	identity identity
	born     time.Time
	freed    time.Time // when it became idle
	up, down []byte
}

var errChatty = errors.New("the server says more than it was asked")

// login makes a connection.
func login(ctx context.Context, p *pgconn.Config) (*server, error) {
	c, err := pgconn.ConnectConfig(ctx, p)
	if err != nil {
		return nil, err
	}
	h, err := c.Hijack()
	if err != nil {
		return nil, err
	}
	s := &server{HijackedConn: h, born: time.Now(), up: make([]byte, bufferSize), down: make([]byte, bufferSize)}
	if h.Frontend.ReadBufferLen() != 0 || h.TxStatus != 'I' {
		s.shut()
		return nil, errChatty
	}
	h.ParameterStatuses = maps.Clone(h.ParameterStatuses)
	return s, nil
}

// reset puts the session into its first state. An error says that nothing is known
// about it.
func (s *server) reset(rollback bool) error {
	if err := s.Conn.SetDeadline(time.Now().Add(resetTimeout)); err != nil {
		return err
	}
	if rollback {
		s.Frontend.SendQuery(&pgproto3.Query{String: "ROLLBACK"})
	}
	s.Frontend.SendQuery(&pgproto3.Query{String: "DISCARD ALL"})
	if err := s.Frontend.Flush(); err != nil {
		return err
	}
	if rollback {
		if err := s.awaitReady(); err != nil {
			return err
		}
	}
	if err := s.awaitReady(); err != nil {
		return err
	}
	if s.Frontend.ReadBufferLen() != 0 {
		return errChatty
	}
	return s.Conn.SetDeadline(time.Time{})
}

// awaitReady reads up to the end of an answer that must have no error in it.
func (s *server) awaitReady() error {
	for {
		m, err := s.Frontend.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			if m.TxStatus != 'I' {
				return errors.New("a transaction stays open")
			}
			return nil
		case *pgproto3.ParameterStatus:
			s.ParameterStatuses[m.Name] = m.Value
		case *pgproto3.ErrorResponse:
			return errors.New(m.Message)
		}
	}
}

// cancel ends what the server does for this session.
func (s *server) cancel() {
	c, err := pgconn.Construct(s.HijackedConn)
	if err != nil {
		return
	}
	ctx, done := context.WithTimeout(context.Background(), cancelTimeout)
	defer done()
	_ = c.CancelRequest(ctx) // the connection is closed besides
}

// shut says goodbye and closes.
func (s *server) shut() {
	_ = s.Conn.SetDeadline(time.Now().Add(farewell))
	_, _ = s.Conn.Write([]byte{'X', 0, 0, 0, 4})
	_ = s.Conn.Close()
}
