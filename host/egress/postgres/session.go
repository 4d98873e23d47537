package postgres

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// hangupGrace is for what a guest has sent before it closed its connection.
const hangupGrace = time.Second

// session is one connection of a guest. Its goroutine is that of Serve.
type session struct {
	pool   *Pool
	guest  net.Conn
	reader *bufio.Reader
	via    Network
	key    cancelKey
	ledger ledger

	mu        sync.Mutex // guards all below; cancelling holds it as long as it takes
	server    *server    // while it is this session's
	cancelled bool
	hangup    *time.Timer
	over      bool
}

// cancelKey is what a guest is told of its session, and shows to cancel a query.
type cancelKey struct{ process, secret uint32 }

// Serve plays the server towards a guest, in a goroutine that ends with the
// guest's connection. hangup tells it that the guest has closed that, which it
// otherwise notices when it next reads.
func (p *Pool) Serve(guest net.Conn, via Network) (hangup func()) {
	s := &session{pool: p, guest: guest, reader: bufio.NewReaderSize(guest, 1<<10), via: via}
	go s.serve()
	return s.hangUp
}

func (s *session) serve() {
	defer s.finish()
	o, err := readOpening(s.reader, s.guest)
	switch {
	case err != nil:
		return // it is none of this protocol, or gone
	case o.cancel != nil:
		s.pool.cancel(o.cancel)
		return
	}
	to, err := s.begin(o.startup)
	if err != nil {
		if s.say(answerOf(err, s.pool.config.Address())) == nil {
			s.linger()
		}
		return
	}
	if err := s.welcome(to); err != nil {
		s.detach()
		s.pool.put(to) // nothing has been done with it
		return
	}
	s.relay(to)
}

// finish is the end, once.
func (s *session) finish() {
	_ = s.guest.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.hangup != nil {
		s.hangup.Stop()
	}
}

// hangUp makes sure that a session ends whose guest has gone: bytes that the
// server does not take would keep it from noticing.
func (s *session) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.hangup != nil {
		return
	}
	s.hangup = time.AfterFunc(hangupGrace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = s.guest.SetDeadline(past())
		if s.server != nil {
			_ = s.server.Conn.SetWriteDeadline(past())
		}
	})
}

// say sends messages to the guest.
func (s *session) say(messages ...pgproto3.BackendMessage) error {
	var b []byte
	var err error
	for _, m := range messages {
		if b, err = m.Encode(b); err != nil {
			return err
		}
	}
	_, err = s.guest.Write(b)
	return err
}

// begin asks who the guest is and finds it a connection.
func (s *session) begin(m *pgproto3.StartupMessage) (*server, error) {
	who, parameters, err := whoOf(m)
	if err != nil {
		return nil, err
	}
	asked := []pgproto3.BackendMessage{&pgproto3.AuthenticationCleartextPassword{}}
	if n := negotiated(m); n != nil {
		asked = append([]pgproto3.BackendMessage{n}, asked...)
	}
	if err := s.say(asked...); err != nil {
		return nil, err
	}
	password, err := readPassword(s.reader)
	if err != nil {
		return nil, err
	}
	d := demand{identity: s.pool.identify(who, password), parameters: parameters, password: password, via: s.via}
	if ready := s.pool.ready(d); ready != nil {
		return ready, nil
	}
	return s.await(d)
}

// await waits for a connection as long as the guest does.
func (s *session) await(d demand) (*server, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	looked := make(chan struct{})
	go func() { // ends below
		defer close(looked)
		if _, err := s.reader.Peek(1); err != nil {
			cancel()
		}
	}()
	to, err := s.pool.acquire(ctx, d)
	_ = s.guest.SetReadDeadline(past())
	<-looked
	_ = s.guest.SetReadDeadline(time.Time{})
	return to, err
}

// welcome tells the guest that it is logged in, in the words of the real server.
func (s *session) welcome(to *server) error {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	s.key = cancelKey{binary.BigEndian.Uint32(random[:]) >> 1, binary.BigEndian.Uint32(random[4:])}
	s.ledger.tx = 'I'
	s.mu.Lock()
	s.server = to
	s.mu.Unlock()
	s.pool.note(func(*Counts) { s.pool.sessions[s.key] = s })
	messages := []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}}
	for _, name := range slices.Sorted(maps.Keys(to.ParameterStatuses)) {
		messages = append(messages, &pgproto3.ParameterStatus{Name: name, Value: to.ParameterStatuses[name]})
	}
	return s.say(append(messages,
		&pgproto3.BackendKeyData{ProcessID: s.key.process, SecretKey: random[4:]}, &pgproto3.ReadyForQuery{TxStatus: 'I'})...)
}

// cancel passes on that a guest wants a query to end, if it knows the key.
func (p *Pool) cancel(m *pgproto3.CancelRequest) {
	if len(m.SecretKey) != 4 {
		return
	}
	p.mu.Lock()
	s := p.sessions[cancelKey{m.ProcessID, binary.BigEndian.Uint32(m.SecretKey)}]
	p.mu.Unlock()
	if s == nil {
		return
	}
	s.mu.Lock() // the connection stays this session's meanwhile
	defer s.mu.Unlock()
	if s.server != nil {
		s.cancelled = true
		s.server.cancel()
	}
}
