package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// patience bounds what a test waits for; nothing is expected to take it.
const patience = 20 * time.Second

// fake is a server that takes one password and does what a few queries ask for:
// "begin", "fail", "hang" (until it is cancelled), "die". It keeps what it was told.
type fake struct {
	listener net.Listener
	tls      *tls.Config // nil for a server without
	events   chan string // "login USER", "cancel", "query TEXT" of resets, "end"

	mu      sync.Mutex
	next    uint32
	hanging map[uint32]chan struct{}
	conns   []net.Conn
}

func newFake(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{listener: l, events: make(chan string, 1000), hanging: map[uint32]chan struct{}{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, c)
			f.mu.Unlock()
			serving.Go(func() {
				defer c.Close()
				f.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		f.restart()
		serving.Wait()
	})
	return f
}

// restart ends all connections, as a server that is started again does.
func (f *fake) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

func (f *fake) serve(c net.Conn) {
	b := pgproto3.NewBackend(c, c)
	m, err := b.ReceiveStartupMessage()
	if _, ok := m.(*pgproto3.SSLRequest); ok && f.tls == nil {
		_, _ = c.Write([]byte{'N'})
		return
	} else if ok {
		if _, err := c.Write([]byte{'S'}); err != nil {
			return
		}
		c = tls.Server(c, f.tls)
		b = pgproto3.NewBackend(c, c)
		m, err = b.ReceiveStartupMessage()
	}
	if err != nil {
		return
	}
	if cancel, ok := m.(*pgproto3.CancelRequest); ok {
		f.events <- "cancel"
		f.mu.Lock()
		defer f.mu.Unlock()
		if h := f.hanging[cancel.ProcessID]; h != nil {
			close(h)
			delete(f.hanging, cancel.ProcessID)
		}
		return
	}
	start := m.(*pgproto3.StartupMessage)
	f.events <- "login " + start.Parameters["user"] + " " + start.Parameters["options"]
	b.Send(&pgproto3.AuthenticationCleartextPassword{})
	_ = b.Flush()
	p, err := b.Receive()
	if err != nil {
		return
	}
	if p, ok := p.(*pgproto3.PasswordMessage); !ok || p.Password != "secret" {
		b.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "28P01", Message: "no such password"})
		_ = b.Flush()
		return
	}
	f.mu.Lock()
	f.next++
	pid := f.next
	f.mu.Unlock()
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "15.0"})
	b.Send(&pgproto3.BackendKeyData{ProcessID: pid, SecretKey: []byte{1, 2, 3, 4}})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if b.Flush() == nil {
		f.session(b, pid)
	}
	f.events <- "end"
}

func (f *fake) session(b *pgproto3.Backend, pid uint32) {
	tx := byte('I')
	for {
		m, err := b.Receive()
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *pgproto3.Query:
			if strings.ToUpper(m.String) == m.String {
				f.events <- "query " + m.String
			}
			switch m.String {
			case "begin":
				tx = 'T'
			case "ROLLBACK":
				tx = 'I'
			case "die":
				return
			case "hang":
				h := make(chan struct{})
				f.mu.Lock()
				f.hanging[pid] = h
				f.mu.Unlock()
				f.events <- "hangs"
				<-h
			case "fail":
				b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601", Message: "no"})
			case "pid":
				b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("pid")}}})
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(strconv.Itoa(int(pid)))}})
			}
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("OK")})
			b.Send(&pgproto3.ReadyForQuery{TxStatus: tx})
		case *pgproto3.Sync:
			b.Send(&pgproto3.ReadyForQuery{TxStatus: tx})
		case *pgproto3.Terminate:
			return
		}
		if b.Flush() != nil {
			return
		}
	}
}

// expect reads one event.
func (f *fake) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-f.events:
		if strings.TrimSpace(got) != want {
			t.Fatalf("the server saw %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("the server does not see %q", want)
	}
}

// straight reaches everybody.
type straight struct{}

func (straight) Lookup(_ context.Context, host string) ([]netip.Addr, error) {
	a, err := netip.ParseAddr(host)
	return []netip.Addr{a}, err
}

func (straight) Connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", to.String())
}

// closed reaches nobody.
type closed struct{ straight }

type policy struct{}

func (policy) Error() string { return "10.0.0.1 says no" }
func (policy) Plain() string { return "the policy says no" }

func (closed) Connect(context.Context, netip.AddrPort) (net.Conn, error) { return nil, policy{} }

func (f *fake) pool(t *testing.T, size int) *Pool {
	t.Helper()
	to := f.listener.Addr().(*net.TCPAddr).AddrPort()
	p, err := New(Config{Host: to.Addr().String(), Port: to.Port(), Size: size, Wait: 50 * time.Millisecond, Idle: time.Hour, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// guest is a client of a pool, which knows nothing of it.
type guest struct {
	*pgconn.PgConn
	t    *testing.T
	conn net.Conn
}

// dial makes the guest's end of a connection to a pool.
func dial(t *testing.T, p *Pool, via Network) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	p.Serve(ours, via)
	return theirs
}

func connect(t *testing.T, p *Pool, via Network, more string) (guest, error) {
	t.Helper()
	c, err := pgconn.ParseConfig("host=127.0.0.1 port=1 user=ada password=secret database=shop sslmode=prefer " + more)
	if err != nil {
		t.Fatal(err)
	}
	g := guest{t: t}
	c.DialFunc = func(context.Context, string, string) (net.Conn, error) {
		g.conn = dial(t, p, via)
		return g.conn, nil
	}
	c.Fallbacks = nil
	c.TLSConfig = nil
	g.PgConn, err = pgconn.ConnectConfig(t.Context(), c)
	return g, err
}

func enter(t *testing.T, p *Pool) guest {
	t.Helper()
	g, err := connect(t, p, straight{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g guest) query(text string) string {
	g.t.Helper()
	r, err := g.Exec(g.t.Context(), text).ReadAll()
	if err != nil {
		g.t.Fatalf("%s: %v", text, err)
	}
	if len(r) == 0 || len(r[0].Rows) == 0 {
		return ""
	}
	return string(r[0].Rows[0][0])
}

func (g guest) leave() {
	g.t.Helper()
	if err := g.Close(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
}

// idle waits until a pool has as many idle connections and nothing in use.
func idle(t *testing.T, p *Pool, n int) {
	t.Helper()
	until(t, p, fmt.Sprintf("%d idle and none in use", n), func(c Counts) bool { return c.Idle == n && c.Used == 0 })
}

// until waits until what a pool counts is as wanted.
func until(t *testing.T, p *Pool, want string, as func(Counts) bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c := p.Counts()
		if as(c) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the pool has %+v, want %s", c, want)
		}
	}
}

func codeOf(err error) string {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code + " " + p.Message
	}
	return "none"
}
