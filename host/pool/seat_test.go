package pool

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// from is acquire for a client with a seat.
func from(t *testing.T, p *Pool[*fake], seat *Seat) Lease[*fake] {
	t.Helper()
	l, err := p.AcquireFrom(t.Context(), seat)
	if err != nil {
		t.Fatalf("AcquireFrom: %v", err)
	}
	return l
}

// running is how many slots are held.
func running(t *testing.T, s *Slots, want int) {
	t.Helper()
	if got := s.Stats().Running; got != want {
		t.Errorf("%d slots are held, want %d", got, want)
	}
}

// TestASeatKeepsInstanceAndSlotUntilItIsLeft: the client has its answer first.
func TestASeatKeepsInstanceAndSlotUntilItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := &factory{}, NewSlots(1)
		p := start(t, f, Config[*fake]{Max: 1, QueueLength: 5, Slots: s, Fresh: true})
		var seat Seat
		ended := 0
		from(t, p, &seat).ReleaseLater(&seat, func(i *fake) { ended += 10 * i.resets }, func() { ended++ })
		running(t, s, 1)
		next := served(t, p)
		synctest.Wait()
		if got := f.made[0].resets; got != 0 || ended != 0 || len(next) > 0 {
			t.Errorf("before the client was answered: %d resets, ended %d, the next one served: %d", got, ended, len(next))
		}
		time.Sleep(time.Second)
		seat.Leave()
		seat.Leave()
		if got := <-next; got != time.Second || ended != 11 {
			t.Errorf("the next one was served after %v, ended %d; want 1s and 11", got, ended)
		}
		synctest.Wait()
		running(t, s, 0)
	})
}

// TestAnotherRequestQueuesBehindThoseWhoWait, though its client has the slot.
func TestAnotherRequestQueuesBehindThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Min: 3, Max: 3, Slots: s})
		synctest.Wait() // to make them takes turns
		var seat Seat
		var order []string
		serve := func(name string, seat *Seat) {
			l := from(t, p, seat)
			order = append(order, name)
			l.ReleaseLater(seat, nil, nil)
		}
		serve("a1", &seat)
		var all sync.WaitGroup
		for _, name := range []string{"b", "c"} {
			all.Go(func() {
				var own Seat
				serve(name, &own)
				own.Leave()
			})
			synctest.Wait()
		}
		serve("a2", &seat)
		serve("a3", &seat) // nobody waits now
		running(t, s, 1)
		seat.Leave()
		all.Wait()
		if want := []string{"a1", "b", "c", "a2", "a3"}; !reflect.DeepEqual(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		running(t, s, 0)
	})
}

// TestASeatGivesNoPrecedence: among names it is who has used least.
func TestASeatGivesNoPrecedence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		greedy := start(t, &factory{}, Config[*fake]{Name: "greedy", Max: 1, QueueLength: 5, Slots: s})
		modest := start(t, &factory{}, Config[*fake]{Name: "modest", Max: 1, QueueLength: 5, Slots: s})
		acquire(t, modest).Release() // making an instance takes a turn of its own
		var seat Seat
		l := from(t, greedy, &seat)
		time.Sleep(time.Second)
		l.ReleaseLater(&seat, nil, nil)
		done := make(chan struct{})
		go func() {
			acquire(t, modest).Release()
			close(done)
		}()
		synctest.Wait()
		l = from(t, greedy, &seat)
		select {
		case <-done:
		default:
			t.Error("the greedy one was served first, because its client had the slot")
		}
		l.Release()
		running(t, s, 0)
	})
}

func TestASeatThatCallsAnotherTenantLeavesItsSlot(t *testing.T) {
	s := NewSlots(2)
	a := start(t, &factory{}, Config[*fake]{Name: "a", Max: 1, Slots: s})
	b := start(t, &factory{}, Config[*fake]{Name: "b", Max: 1, Slots: s})
	var seat Seat
	from(t, a, &seat).ReleaseLater(&seat, nil, nil)
	from(t, b, &seat).ReleaseLater(&seat, nil, nil)
	running(t, s, 1)
	expect(t, a, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
	seat.Leave()
	running(t, s, 0)
}

// TestWhoWaitsForAnInstanceHasNoSlot, from a last request either.
func TestWhoWaitsForAnInstanceHasNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(2)
		p := start(t, &factory{}, Config[*fake]{Max: 1, QueueLength: 5, Slots: s})
		var seat Seat
		l := from(t, p, &seat)
		taken := make(chan Lease[*fake])
		go func() { taken <- acquire(t, p) }()
		synctest.Wait()
		l.ReleaseLater(&seat, nil, nil)
		again := make(chan Lease[*fake])
		go func() { again <- from(t, p, &seat) }()
		other := <-taken
		synctest.Wait()
		running(t, s, 1)
		other.Release()
		(<-again).Release()
		running(t, s, 0)
	})
}

// TestReleaseToKeepsTheSlotAlone: the instance that is warm serves the next one.
func TestReleaseToKeepsTheSlotAlone(t *testing.T) {
	s := NewSlots(2)
	p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: s})
	var seat Seat
	from(t, p, &seat).ReleaseTo(&seat)
	running(t, s, 1)
	acquire(t, p).Release()
	expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
	seat.Leave()
	running(t, s, 0)
}

// TestALeaseThatSettlesIsNoReasonToRefuse: who has its answer may ask again, on
// another connection, where nobody is to wait.
func TestALeaseThatSettlesIsNoReasonToRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{setup: func(f *fake) { f.resetFor = time.Second }}, Config[*fake]{Max: 1, Fresh: true})
		var seat Seat
		l := from(t, p, &seat)
		if _, err := p.Acquire(t.Context()); err != ErrQueueFull {
			t.Errorf("while the request runs: %v, want ErrQueueFull", err)
		}
		l.ReleaseLater(&seat, nil, nil)
		go seat.Leave()
		synctest.Wait() // it resets
		next := served(t, p)
		synctest.Wait()
		if _, err := p.Acquire(t.Context()); err != ErrQueueFull {
			t.Errorf("one more: %v, want ErrQueueFull", err)
		}
		<-next
		acquire(t, p).Discard()
		acquire(t, p).Release()
	})
}

// TestASeatLosesASlotThatIsOverdue: a client that is slow to take its answer.
func TestASeatLosesASlotThatIsOverdue(t *testing.T) {
	for name, keep := range map[string]func(*Seat){"with its lease": func(*Seat) {}, "alone": (*Seat).Settle} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1).WithPatience(100 * time.Millisecond)
				p := start(t, &factory{}, Config[*fake]{Max: 2, QueueLength: 5, Slots: s})
				var seat Seat
				from(t, p, &seat).ReleaseLater(&seat, nil, nil)
				keep(&seat)
				if got := <-served(t, p); got != 100*time.Millisecond {
					t.Errorf("the next one was served after %v, want the patience", got)
				}
				from(t, p, &seat).Release()
				seat.Leave()
				running(t, s, 0)
			})
		})
	}
}

// TestASeatLooksAroundNowAndThen: with every change of hands it would cost a
// tenth of the requests.
func TestASeatLooksAroundNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks, held := 0, 0
		s := NewSlots(1)
		s.WithLook(func() { looks, held = looks+1, s.Stats().Running })
		p := start(t, &factory{}, Config[*fake]{Max: 1, QueueLength: 5, Slots: s})
		acquire(t, p).Release()
		for _, step := range []struct {
			pause time.Duration
			leave bool
			want  int
		}{{0, true, 1}, {0, true, 1}, {lookEvery - 1, true, 1}, {1, true, 2}, {lookEvery, false, 3}, {0, false, 3}, {lookEvery, true, 4}} {
			time.Sleep(step.pause)
			var seat Seat
			from(t, p, &seat).ReleaseLater(&seat, nil, nil)
			if step.leave {
				seat.Leave()
			} else {
				from(t, p, &seat).Release()
			}
			if looks != step.want || held != 1 {
				t.Errorf("%+v: %d looks, with %d slots held", step, looks, held)
			}
		}
		new(Seat).Leave() // has nothing, so there is nothing to see
		if looks != 4 {
			t.Errorf("%d looks for a seat without a slot", looks)
		}
	})
}

func TestNoSeat(t *testing.T) {
	p := start(t, &factory{}, Config[*fake]{Max: 1})
	var none *Seat
	none.Settle()
	none.Leave()
	from(t, p, none).Release()
	expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
}

// TestALeaseThatHasEndedIsNotReleasedLater: its instance is another client's.
func TestALeaseThatHasEndedIsNotReleasedLater(t *testing.T) {
	p := start(t, &factory{}, Config[*fake]{Max: 1})
	var seat Seat
	old := from(t, p, &seat)
	old.Discard()
	ended := 0
	old.ReleaseLater(&seat, nil, func() { ended++ })
	l := from(t, p, &seat)
	l.ReleaseLater(&seat, nil, nil)
	l.Discard() // as when a handler panics: what is left to do finds nothing
	seat.Leave()
	expect(t, p, "idle 0 busy 0 creating 0 waiting 0 created 2 discarded 2")
	if ended != 1 {
		t.Errorf("ended %d times, want once", ended)
	}
}

// TestSeatsInAStorm: connections that are closed by others at any moment.
func TestSeatsInAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(2).WithPatience(3 * time.Millisecond).WithLook(func() { time.Sleep(10 * time.Microsecond) })
		pools := make([]*Pool[*fake], 3)
		for n := range pools {
			pools[n] = start(t, &factory{takes: time.Millisecond}, Config[*fake]{Name: string(rune('a' + n)), Max: 3, QueueLength: 8,
				QueueTimeout: 50 * time.Millisecond, MaxRequests: 7, Fresh: n == 1, Slots: slots})
		}
		var done sync.WaitGroup
		for n := range 40 {
			var seat Seat
			done.Go(func() { sit(t, pools, &seat, n) })
			done.Go(func() {
				for k := range 30 {
					time.Sleep(time.Duration((n*k)%7) * 300 * time.Microsecond)
					seat.Leave()
				}
			})
		}
		end := watchOver(t, slots, pools)
		done.Wait()
		end()
		for _, p := range pools {
			if err := p.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if s := slots.Stats(); s.Running != 0 || s.Waiting != 0 {
			t.Errorf("slots were lost: %+v", s)
		}
	})
}

func sit(t *testing.T, pools []*Pool[*fake], seat *Seat, n int) {
	defer seat.Leave()
	for k := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(n*k)%60)*time.Millisecond)
		l, err := pools[(n+k/10)%3].AcquireFrom(ctx, seat)
		cancel()
		if err != nil {
			continue
		}
		l.Instance().use(t, time.Duration(k%4)*time.Millisecond)
		if k%4 == 0 {
			l.Pause()
			time.Sleep(time.Millisecond)
			if err := l.Resume(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := l.Yield(t.Context()); err != nil {
			t.Error(err)
		}
		switch k % 5 {
		case 0:
			l.Discard()
		case 1:
			l.Release()
		case 2:
			l.ReleaseTo(seat)
		default:
			l.ReleaseLater(seat, nil, nil)
		}
		if k%3 == 0 {
			seat.Leave()
		}
	}
}
