package listen

import (
	"net"
	"testing"
	"time"
)

// ready is a connection that has always something to read, or takes its time.
type ready struct {
	net.Conn
	takes time.Duration
}

func (r *ready) Read(p []byte) (int, error) {
	for begun := time.Now(); time.Since(begun) < r.takes; {
	}
	return len(p), nil
}

// reader is a connection of a gate with open connections on each processors.
func reader(takes time.Duration, open, each int, yield func()) *conn {
	g := NewGate(Limits{Connections: 10, Yield: yield})
	g.each = each
	for range open {
		g.seats <- struct{}{}
	}
	return &conn{Conn: &ready{takes: takes}, gate: g}
}

func TestReadGivesWay(t *testing.T) {
	yielded := 0
	yield := func() { yielded++ }
	for _, tc := range []struct {
		what   string
		c      *conn
		since  time.Duration
		yields int
	}{
		{"its turn is long", reader(0, 3, 2, yield), time.Second, 1},
		{"its turn has just begun", reader(0, 3, 2, yield), 0, 0},
		{"each has a processor", reader(0, 2, 2, yield), time.Second, 0},
		{"it has waited", reader(2*parked, 3, 2, yield), time.Second, 0},
	} {
		yielded = 0
		tc.c.gate.began = time.Now().Add(-time.Hour)
		begun := time.Hour - tc.since
		tc.c.turn.Store(int64(begun))
		if n, err := tc.c.Read(make([]byte, 5)); n != 5 || err != nil {
			t.Fatalf("%s: read %d bytes, %v", tc.what, n, err)
		}
		if yielded != tc.yields {
			t.Errorf("%s: it gave way %d times, want %d", tc.what, yielded, tc.yields)
		}
		if renewed := tc.c.turn.Load() > int64(begun); renewed == (tc.since == 0) {
			t.Errorf("%s: a new turn has begun: %v", tc.what, renewed)
		}
	}
}
