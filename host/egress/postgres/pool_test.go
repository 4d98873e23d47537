package postgres

import (
	"errors"
	"net"
	"testing"
	"time"
)

// TestConnectionsAreUsedAgain by whoever is the same, after a reset.
func TestConnectionsAreUsedAgain(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 10)
	a := enter(t, p)
	f.expect(t, "login ada")
	if a.ParameterStatus("server_version") != "15.0" || a.query("pid") != "1" {
		t.Error("the session is not the server's")
	}
	a.query("begin")
	a.leave()
	f.expect(t, "query ROLLBACK")
	f.expect(t, "query DISCARD ALL")
	idle(t, p, 1)
	b := enter(t, p)
	if got := b.query("pid"); got != "1" || b.TxStatus() != 'I' {
		t.Errorf("connection %s in state %c", got, b.TxStatus())
	}
	for other, login := range map[string]string{"user=bob": "login bob", "dbname=other": "login ada", "options=-cx=y": "login ada -cx=y"} {
		g, err := connect(t, p, straight{}, other)
		if err != nil {
			t.Fatal(err)
		}
		f.expect(t, login)
		g.leave()
		f.expect(t, "query DISCARD ALL")
	}
	b.leave()
	idle(t, p, 4)
	if c := p.Counts(); c.Reused != 1 || c.Logins != 4 {
		t.Errorf("%+v", c)
	}
}

// TestPasswordsDecide: who does not know the password gets nobody's connection, and
// hears what the server says.
func TestPasswordsDecide(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 3)
	enter(t, p).leave()
	idle(t, p, 1)
	for _, password := range []string{"password=guess", "password=''", "password=secret0"} {
		if _, err := connect(t, p, straight{}, password); codeOf(err) != "28P01 no such password" {
			t.Errorf("%s: %v", password, err)
		}
	}
	if c := p.Counts(); c.Failed != 3 || c.Reused != 0 || c.Idle != 1 || c.Used != 0 {
		t.Errorf("%+v", c)
	}
}

// TestWhatIsUnderWayIsCancelled when its guest goes, and is used by nobody else.
func TestWhatIsUnderWayIsCancelled(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 1)
	g := enter(t, p)
	f.expect(t, "login ada")
	if _, err := g.conn.Write([]byte("Q\x00\x00\x00\x09hang\x00")); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "hangs")
	g.conn.Close()
	f.expect(t, "cancel")
	f.expect(t, "end")
	idle(t, p, 0)
	if got := enter(t, p).query("pid"); got != "2" {
		t.Errorf("connection %s", got)
	}
	if c := p.Counts(); c.Dropped != 1 {
		t.Errorf("%+v", c)
	}
}

// TestHalfMessagesEndConnections: what has gone to the server cannot be taken back.
func TestHalfMessagesEndConnections(t *testing.T) {
	for name, bytes := range map[string]string{
		"half a head": "Q\x00", "half a query": "Q\x00\x00\x00\x20select", "no Sync": "P\x00\x00\x00\x08\x00\x00\x00\x00",
		"a length that is none": "Q\x00\x00\x00\x01", "a huge length": "Q\xff\xff\xff\xff", "a kind that is none": "!\x00\x00\x00\x04",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			p := f.pool(t, 1)
			g := enter(t, p)
			if _, err := g.conn.Write([]byte(bytes)); err != nil {
				t.Fatal(err)
			}
			g.conn.Close()
			idle(t, p, 0)
			if c := p.Counts(); c.Dropped != 1 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestCancelRequests of guests reach their own query, with the key that the pool
// gave them, and the connection is not used again.
func TestCancelRequests(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 1)
	g := enter(t, p)
	f.expect(t, "login ada")
	done := make(chan error, 1)
	go func() { _, err := g.Exec(t.Context(), "hang").ReadAll(); done <- err }()
	f.expect(t, "hangs")
	wrong := dial(t, p, straight{})
	if _, err := wrong.Write([]byte("\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01\x01\x02\x03\x04")); err != nil {
		t.Fatal(err)
	}
	if n, err := wrong.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := g.CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "cancel")
	if err := <-done; err != nil {
		t.Error(err)
	}
	g.leave()
	f.expect(t, "end")
	idle(t, p, 0)
}

// TestDeadConnectionsAreReplaced, those that are idle and those in use.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 2)
	a, b := enter(t, p), enter(t, p)
	b.leave()
	until(t, p, "one idle", func(c Counts) bool { return c.Idle == 1 })
	f.restart()
	if _, err := a.Exec(t.Context(), "pid").ReadAll(); err == nil {
		t.Error("a dead connection answers")
	}
	for range 4 {
		<-f.events // two logins, a reset, an end or two
	}
	g := enter(t, p)
	if got := g.query("pid"); got != "3" {
		t.Errorf("connection %s", got)
	}
	g.leave()
	if c := p.Counts(); c.Dead != 1 || c.Dropped != 1 {
		t.Errorf("%+v", c)
	}
}

// TestRoom: more than the size wait, for a time, and go when their guest does.
func TestRoom(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 1)
	a := enter(t, p)
	want := "53300 all 1 connections of network.pool to " + p.config.Address() + " are in use, and none has come free for 50ms: raise network.pool.size, or close connections sooner"
	if _, err := connect(t, p, straight{}, ""); codeOf(err) != want {
		t.Errorf("%v", err)
	}
	a.leave()
	idle(t, p, 1)
	g, err := connect(t, p, straight{}, "user=bob") // makes room of an idle one
	if err != nil {
		t.Fatal(err)
	}
	g.leave()
	idle(t, p, 1)
	if c := p.Counts(); c.Waits != 1 || c.Exhausted != 1 || c.Logins != 2 {
		t.Errorf("%+v", c)
	}
}

// TestWaitingEndsWithTheGuest.
func TestWaitingEndsWithTheGuest(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 1)
	p.config.Wait = time.Hour
	a := enter(t, p)
	c := dial(t, p, straight{})
	if _, err := c.Write([]byte("\x00\x00\x00\x12\x00\x03\x00\x00user\x00ada\x00\x00" + "p\x00\x00\x00\x0bsecret\x00")); err != nil {
		t.Fatal(err)
	}
	until(t, p, "one waiting", func(c Counts) bool { return c.Waiting == 1 })
	c.Close()
	until(t, p, "none waiting", func(c Counts) bool { return c.Waiting == 0 })
	a.leave()
	idle(t, p, 1)
}

// TestNobodyThere: guests hear what went wrong, in words that name nothing of this
// machine.
func TestNobodyThere(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 1)
	if _, err := connect(t, p, closed{}, ""); codeOf(err) != "08001 the server "+p.config.Address()+" of network.pool cannot be reached: the policy says no" {
		t.Errorf("%v", err)
	}
	f.listener.Close()
	if _, err := connect(t, p, straight{}, ""); codeOf(err) != "08001 the server "+p.config.Address()+" of network.pool cannot be reached: connection refused" {
		t.Errorf("%v", err)
	}
	if _, err := connect(t, p, straight{}, "replication=database"); codeOf(err) != "0A000 a connection for replication cannot come from a pool: take the server out of network.pool" {
		t.Errorf("%v", err)
	}
	if c := p.Counts(); c.Used != 0 || c.Failed != 2 {
		t.Errorf("%+v", c)
	}
}

// TestAge: connections are closed when they are old, or have been idle for long.
func TestAge(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 2)
	enter(t, p).leave()
	idle(t, p, 1)
	p.config.Idle = time.Nanosecond
	p.sweep()
	idle(t, p, 0)
	p.config.Idle, p.config.Lifetime = time.Hour, time.Nanosecond
	enter(t, p).leave()
	idle(t, p, 0)
	if c := p.Counts(); c.Expired != 1 || c.Logins != 2 {
		t.Errorf("%+v", c)
	}
}

// TestClosedPools keep nothing.
func TestClosedPools(t *testing.T) {
	f := newFake(t)
	p := f.pool(t, 2)
	a, b := enter(t, p), enter(t, p)
	b.leave()
	for p.Counts().Idle != 1 {
		time.Sleep(time.Millisecond)
	}
	p.Close()
	a.leave()
	idle(t, p, 0)
}

// TestGuestsMayWriteAfterAnError: drivers say goodbye to a server that has ended
// the session, and over TCP that works.
func TestGuestsMayWriteAfterAnError(t *testing.T) {
	f := newFake(t)
	c := dial(t, f.pool(t, 1), straight{})
	if _, err := c.Write([]byte("\x00\x00\x00\x12\x00\x03\x00\x00user\x00ada\x00\x00" + "p\x00\x00\x00\x0aguess\x00")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 0, 200)
	for {
		b := make([]byte, 200)
		n, err := c.Read(b)
		if got = append(got, b[:n]...); err != nil {
			break
		}
	}
	if len(got) < 20 || got[0] != 'R' || got[9] != 'E' {
		t.Errorf("%q", got)
	}
	for range 3 {
		if _, err := c.Write([]byte("X\x00\x00\x00\x04")); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		}
	}
}
