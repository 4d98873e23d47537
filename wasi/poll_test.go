package wasi

import (
	"context"
	"encoding/binary"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// subscription encodes one of poll_oneoff's. For a clock, a is the clock, b the timeout and c the flags; else a is the
// descriptor.
func subscription(user uint64, kind byte, a uint32, b uint64, c uint16) []byte {
	s := make([]byte, subscriptionSize)
	binary.LittleEndian.PutUint64(s, user)
	s[8] = kind
	binary.LittleEndian.PutUint32(s[16:], a)
	binary.LittleEndian.PutUint64(s[24:], b)
	binary.LittleEndian.PutUint16(s[40:], c)
	return s
}

type gotEvent struct {
	User  uint64
	Errno uint16
	Kind  byte
}

func (g *guest) poll(subscriptions ...[]byte) []gotEvent {
	g.t.Helper()
	in := g.put(join(subscriptions...))
	out, count := g.space(len(subscriptions)*eventSize), g.space(4)
	g.want(0, "poll_oneoff", in, out, uint64(len(subscriptions)), count)
	var events []gotEvent
	for i := range uint64(g.u32(count)) {
		e := g.bytes(out+i*eventSize, eventSize)
		events = append(events, gotEvent{binary.LittleEndian.Uint64(e), binary.LittleEndian.Uint16(e[8:]), e[10]})
	}
	return events
}

const absolute = 1

func TestPoll(t *testing.T) {
	now := func() uint64 { return uint64(nanotime()) }
	for _, tc := range []struct {
		name string
		subs [][]byte
		want []gotEvent
	}{
		{"one clock", [][]byte{subscription(7, eventClock, clockMonotonic, 1, 0)}, []gotEvent{{7, 0, 0}}},
		{"the first of two", [][]byte{
			subscription(1, eventClock, clockMonotonic, math.MaxUint64, 0),
			subscription(2, eventClock, clockRealtime, 1, 0),
		}, []gotEvent{{2, 0, 0}}},
		{"two at once", [][]byte{
			subscription(1, eventClock, clockRealtime, 5, 0), subscription(2, eventClock, clockRealtime, 5, 0),
		}, []gotEvent{{1, 0, 0}, {2, 0, 0}}},
		{"a time that has passed", [][]byte{
			subscription(1, eventClock, clockMonotonic, now(), absolute),
			subscription(2, eventClock, clockRealtime, 1, absolute),
		}, []gotEvent{{1, 0, 0}, {2, 0, 0}}},
		{"a time to come", [][]byte{
			subscription(1, eventClock, clockMonotonic, now()+uint64(time.Millisecond), absolute),
		}, []gotEvent{{1, 0, 0}}},
		{"a descriptor before a clock", [][]byte{
			subscription(1, eventClock, clockMonotonic, math.MaxUint64, 0),
			subscription(2, eventFdRead, 0, 0, 0),
			subscription(3, eventFdWrite, 1, 0, 0),
		}, []gotEvent{{2, 0, 1}, {3, 0, 2}}},
		{"one that is not open", [][]byte{
			subscription(1, eventClock, clockMonotonic, math.MaxUint64, 0),
			subscription(2, eventFdRead, 99, 0, 0),
			subscription(3, eventFdRead, math.MaxUint32, 0, 0),
		}, []gotEvent{{2, 8, 1}, {3, 8, 1}}},
		{"an unknown clock", [][]byte{
			subscription(1, eventClock, 9, 1, 0), subscription(2, eventClock, clockRealtime, math.MaxUint64, 0),
		}, []gotEvent{{1, 28, 0}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := newGuest(t, Policy{})
			wantEqual(t, "events", g.poll(tc.subs...), tc.want)
		})
	}
	g := newGuest(t, Policy{})
	unknown := g.put(subscription(1, 3, 0, 0, 0))
	g.want(sys.EINVAL, "poll_oneoff", unknown, g.space(32), 1, g.space(4))
}

func newSandbox(t *testing.T) *Sandbox {
	t.Helper()
	s, err := Policy{}.NewSandbox()
	must(t, err)
	return s
}

// TestSleepEndsWithTheRequest runs on a clock that moves only when everybody sleeps, so the times are exact.
func TestSleepEndsWithTheRequest(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	for _, tc := range []struct {
		name  string
		sleep func(ctx context.Context, s *Sandbox)
		want  time.Duration
	}{
		{"its time", func(ctx context.Context, s *Sandbox) { s.sleep(ctx, time.Hour) }, time.Hour},
		{"the deadline of the call", func(ctx context.Context, s *Sandbox) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			s.sleep(ctx, forever)
		}, time.Second},
		{"the deadline of the request", func(ctx context.Context, s *Sandbox) {
			request, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			s.SetContext(request)
			s.sleep(ctx, forever)
		}, 2 * time.Second},
		{"the client's going away", func(ctx context.Context, s *Sandbox) {
			request, cancel := context.WithCancel(ctx)
			s.SetContext(request)
			go func() {
				time.Sleep(3 * time.Second)
				cancel()
			}()
			s.sleep(ctx, forever)
		}, 3 * time.Second},
		{"no request any more", func(ctx context.Context, s *Sandbox) {
			request, cancel := context.WithCancel(ctx)
			cancel()
			s.SetContext(request)
			var none context.Context
			s.SetContext(none)
			s.sleep(ctx, 4*time.Second)
		}, 4 * time.Second},
		{"nothing to wait for", func(ctx context.Context, s *Sandbox) { s.sleep(ctx, 0) }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, start := newSandbox(t), time.Now()
				tc.sleep(t.Context(), s)
				wantEqual(t, "time asleep", time.Since(start), tc.want)
			})
		})
	}
}

func TestSleepCallsHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSandbox(t)
		var calls []string
		s.OnSleep(func() { calls = append(calls, "before") }, func() { calls = append(calls, "after") })
		s.sleep(t.Context(), hookedSleep-1)
		wantEqual(t, "calls for a short sleep", calls, nil)
		s.sleep(t.Context(), hookedSleep)
		wantEqual(t, "calls", calls, []string{"before", "after"})
		s.OnSleep(nil, nil)
		s.sleep(t.Context(), time.Minute)
		wantEqual(t, "calls without hooks", len(calls), 2)
	})
}

func TestPollEndsWithTheCall(t *testing.T) {
	g := newGuest(t, Policy{})
	ctx, cancel := context.WithCancel(g.ctx)
	g.sandbox.OnSleep(cancel, nil)
	g.ctx = ctx
	got := g.poll(subscription(1, eventClock, clockMonotonic, math.MaxUint64, 0))
	wantEqual(t, "events", got, []gotEvent{{1, 0, 0}})
}
