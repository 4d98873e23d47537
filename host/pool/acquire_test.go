package pool

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// hog takes a slot for another name until it is called.
func hog(t *testing.T, slots *Slots) func() {
	t.Helper()
	release, err := slots.Acquire(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	return release
}

// TestWhoWaitsForASlotNeedsNoInstance: the one that has served is warm, and the next
// takes it. So there are as many as slots, however many clients wait.
func TestWhoWaitsForASlotNeedsNoInstance(t *testing.T) {
	for name, release := range map[string]func(*testing.T, Lease[*fake], *Seat){
		"without a seat":    func(_ *testing.T, l Lease[*fake], _ *Seat) { l.Release() },
		"to a seat":         func(_ *testing.T, l Lease[*fake], s *Seat) { l.ReleaseTo(s); s.Leave() },
		"to a seat, later":  func(_ *testing.T, l Lease[*fake], s *Seat) { l.ReleaseLater(s, nil, nil); s.Leave() },
		"to its next lease": func(t *testing.T, l Lease[*fake], s *Seat) { l.ReleaseTo(s); from(t, l.e.pool, s).Release() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slots := NewSlots(2)
				p := start(t, &factory{}, Config[*fake]{Max: 8, Slots: slots, QueueLength: 10})
				held := [2]Lease[*fake]{acquire(t, p), acquire(t, p)}
				for range 5 {
					go func() {
						var own Seat
						l := from(t, p, &own)
						time.Sleep(time.Millisecond)
						release(t, l, &own)
					}()
				}
				synctest.Wait()
				expect(t, p, "idle 0 busy 2 creating 0 waiting 5 created 2 discarded 0")
				for _, l := range held {
					l.Release()
				}
				time.Sleep(time.Second)
				expect(t, p, "idle 2 busy 0 creating 0 waiting 0 created 2 discarded 0")
				if got := p.Stats(); got.Queued < 5 || got.QueueTime == 0 {
					t.Errorf("stats %+v", got)
				}
				running(t, slots, 0)
			})
		})
	}
}

// TestASlotKeepsItsInstance: a core has that one's memory in its cache.
func TestASlotKeepsItsInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Max: 3, Slots: NewSlots(2), QueueLength: 2})
		var first, second, third Seat
		a, b := from(t, p, &first), from(t, p, &second)
		waits := make(chan Lease[*fake])
		go func() { waits <- from(t, p, &third) }()
		synctest.Wait()
		a.ReleaseTo(&first)
		b.ReleaseTo(&second) // is on top now
		first.Leave()
		in := <-waits
		if in.Instance() != a.Instance() {
			t.Errorf("the next one in the first's slot has instance %d, want %d", in.Instance().id, a.Instance().id)
		}
		in.ReleaseTo(&third) // on top again
		if l := from(t, p, &second); l.Instance() != b.Instance() {
			t.Errorf("the second has instance %d now, want %d", l.Instance().id, b.Instance().id)
		} else {
			l.Release()
		}
		third.Leave()
	})
}

// TestWhoIsInTurnFindsNoInstance: it is paused, or has gone. Then one is made, in a turn
// of its own.
func TestWhoIsInTurnFindsNoInstance(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		end  func(Lease[*fake])
		fail error
		want string
	}{
		"paused":                 {Lease[*fake].Pause, nil, "idle 0 busy 2 creating 0 waiting 0 created 2 discarded 0"},
		"gone":                   {Lease[*fake].Discard, nil, "idle 0 busy 1 creating 0 waiting 0 created 2 discarded 1"},
		"gone, and none is made": {Lease[*fake].Discard, broken, "idle 0 busy 0 creating 0 waiting 0 created 1 discarded 1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, slots := &factory{}, NewSlots(1)
				p := start(t, f, Config[*fake]{Max: 8, Slots: slots, QueueLength: 2})
				held := acquire(t, p)
				f.fail = c.fail
				got := make(chan Lease[*fake])
				go func() {
					l, err := p.Acquire(t.Context())
					if !errors.Is(err, c.fail) {
						t.Errorf("got %v, want %v", err, c.fail)
					}
					got <- l
				}()
				synctest.Wait()
				expect(t, p, "idle 0 busy 1 creating 0 waiting 1 created 1 discarded 0")
				c.end(held)
				l := <-got
				synctest.Wait()
				expect(t, p, c.want)
				if c.fail == nil {
					l.Release()
				}
				held.Release()
				running(t, slots, 0)
			})
		})
	}
}

// TestThoseInTurnHearOfAFailure at once, and not at the next attempt.
func TestThoseInTurnHearOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := start(t, f, Config[*fake]{Max: 8, Slots: NewSlots(1), QueueLength: 2})
		held := acquire(t, p)
		f.fail = errors.New("broken")
		got := make(chan error)
		for range 2 {
			go func() {
				_, err := p.Acquire(t.Context())
				got <- err
			}()
		}
		synctest.Wait()
		begun := time.Now()
		held.Discard()
		for range 2 {
			if err := <-got; !errors.Is(err, f.fail) || time.Since(begun) != 0 {
				t.Errorf("got %v after %v", err, time.Since(begun))
			}
		}
	})
}

// TestThoseInTurnAreCounted, as if each waited for an instance.
func TestThoseInTurnAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots, QueueLength: 1})
		held := acquire(t, p)
		for range 2 { // one has a place in the queue, one could have an instance made
			go func() { acquire(t, p).Release() }()
			synctest.Wait()
		}
		if _, err := p.Acquire(t.Context()); err != ErrQueueFull {
			t.Errorf("got %v, want ErrQueueFull", err)
		}
		held.Release()
		synctest.Wait()
		if s := p.Stats(); s.QueueFull != 1 || s.Requests != 3 || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
		running(t, slots, 0)
	})
}

// TestTheWaitInTurnEnds with what ends the wait for an instance.
func TestTheWaitInTurnEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*Pool[*fake], context.CancelFunc)
		want error
	}{
		"its client goes":   {func(_ *Pool[*fake], cancel context.CancelFunc) { cancel() }, context.Canceled},
		"the pool closes":   {func(p *Pool[*fake], _ context.CancelFunc) { p.Close() }, ErrClosed},
		"the queue's limit": {func(*Pool[*fake], context.CancelFunc) { time.Sleep(time.Minute) }, ErrQueueTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slots := NewSlots(1)
				p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots, QueueLength: 1, QueueTimeout: time.Minute})
				held := acquire(t, p)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := make(chan error)
				go func() {
					_, err := p.Acquire(ctx)
					got <- err
				}()
				synctest.Wait()
				c.end(p, cancel)
				if err := <-got; err != c.want {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if s := p.Stats(); s.Waiting != 0 {
					t.Errorf("stats %+v", s)
				}
				held.Release()
				running(t, slots, 0)
				if s := slots.Stats(); s.Waiting != 0 {
					t.Errorf("slots %+v", s)
				}
			})
		})
	}
}

// TestDrainServesThoseInTurn, with the instance that there is.
func TestDrainServesThoseInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: NewSlots(1), QueueLength: 2})
		held := acquire(t, p)
		served := make(chan int, 2)
		for range 2 {
			go func() {
				l := acquire(t, p)
				served <- l.Instance().id
				l.Release()
			}()
		}
		synctest.Wait()
		drained := make(chan error)
		go func() { drained <- p.Drain(t.Context()) }()
		synctest.Wait()
		if _, err := p.Acquire(t.Context()); err != ErrClosed {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if len(drained) > 0 || len(served) > 0 {
			t.Error("nothing has ended yet")
		}
		held.Release()
		if err := <-drained; err != nil || len(served) != 2 || <-served+<-served != 0 {
			t.Errorf("drained: %v; %d served", err, len(served))
		}
		if s := p.Stats(); s.Created != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestDrainWaitsForThoseInTurn, though no lease is left: others have the slot.
func TestDrainWaitsForThoseInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots, QueueLength: 2})
		acquire(t, p).Release()
		other := hog(t, slots)
		got := served(t, p)
		synctest.Wait()
		drained := make(chan error, 1)
		go func() { drained <- p.Drain(t.Context()) }()
		synctest.Wait()
		if len(drained) > 0 {
			t.Error("drained while somebody waits")
		}
		other()
		<-got
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

// TestAPoolThatIsWaitedForDoesNotRetire, though its last instance has gone.
func TestAPoolThatIsWaitedForDoesNotRetire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots, QueueLength: 2, IdleTimeout: time.Minute})
		acquire(t, p).Release()
		other := hog(t, slots)
		got := served(t, p)
		synctest.Wait()
		if n := p.Trim(); n != 0 {
			t.Errorf("trimmed %d, which is the instance that the next one is to have", n)
		}
		time.Sleep(2 * time.Minute)
		expect(t, p, "idle 0 busy 0 creating 0 waiting 1 created 1 discarded 1")
		if p.RetireUnused() {
			t.Error("retired while somebody waits")
		}
		other()
		<-got
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 2 discarded 1")
	})
}

// TestASlotThatIsLostOnTheWay: it was granted, and then taken again before the instance
// was there. The caller waits for another one.
func TestASlotThatIsLostOnTheWay(t *testing.T) {
	slots := NewSlots(1)
	p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots})
	acquire(t, p).Release()
	if ok, err := p.admit(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	lost := &slotWaiter{turn: new(turn), granted: make(chan struct{})}
	close(lost.granted)
	l, err := p.acquireInTurn(t.Context(), lost, true)
	if err != nil {
		t.Fatal(err)
	}
	running(t, slots, 1)
	l.Release()
	running(t, slots, 0)
	expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
}

// TestSlotsAreKnownByTheirNumber: each is one of those that there are, and no two
// holders have the same.
func TestSlotsAreKnownByTheirNumber(t *testing.T) {
	slots := NewSlots(3)
	a := slots.register("shop", 1)
	defer slots.unregister(a)
	turns := [3]turn{}
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}} {
		seen := map[int]bool{}
		for i := range turns {
			if _, ok := slots.try(a, &turns[i]); !ok {
				t.Fatal("no slot is free")
			}
			seen[turns[i].slot] = true
		}
		if got := fmt.Sprint(seen); got != "map[0:true 1:true 2:true]" {
			t.Errorf("slots %s", got)
		}
		for _, i := range order {
			slots.give(a, &turns[i], 0)
		}
	}
}

// TestOneThatIsMissingIsReplacedOnce: not all that wait ask for another one, and those
// who had to wait for one are in turn again.
func TestOneThatIsMissingIsReplacedOnce(t *testing.T) {
	for name, miss := range map[string]func(*testing.T, Lease[*fake]){
		"paused": func(t *testing.T, l Lease[*fake]) {
			l.Pause()
			time.Sleep(time.Millisecond)
			if err := l.Resume(t.Context()); err != nil {
				t.Error(err)
			}
			l.Release()
		},
		"discarded": func(_ *testing.T, l Lease[*fake]) { l.Discard() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := start(t, &factory{takes: 5 * time.Millisecond}, Config[*fake]{Max: 16, Slots: NewSlots(2), QueueLength: 100})
				a, b := acquire(t, p), acquire(t, p)
				for range 14 {
					go func() {
						for range 50 {
							l := acquire(t, p)
							time.Sleep(time.Millisecond)
							l.Release()
						}
					}()
				}
				synctest.Wait()
				go miss(t, a)
				time.Sleep(500 * time.Microsecond)
				b.Release()
				time.Sleep(5 * time.Second)
				if s := p.Stats(); s.Created > 4 || s.Requests != 2+14*50 {
					t.Errorf("for two slots, with one missing: %+v", s)
				}
			})
		})
	}
}

// TestWhoCameFirstIsServedFirst, though it had a turn in vain meanwhile.
func TestWhoCameFirstIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 1, Slots: slots, QueueLength: 10})
		acquire(t, p).Release()
		other := hog(t, slots)
		var order []int
		ask := func(n int) {
			go func() {
				l := acquire(t, p)
				order = append(order, n)
				time.Sleep(time.Millisecond)
				l.Pause()
				time.Sleep(10 * time.Millisecond)
				if err := l.Resume(t.Context()); err != nil {
					t.Error(err)
				}
				l.Release()
			}()
			synctest.Wait()
			time.Sleep(time.Microsecond)
		}
		ask(0)
		ask(1)
		ask(2)
		other()
		time.Sleep(500 * time.Microsecond)
		ask(3)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[0 1 2 3]" {
			t.Errorf("order %s", got)
		}
	})
}

// TestOneThatIsClosedHasNoSlot: what is worn out is closed, and nobody waits for that.
func TestOneThatIsClosedHasNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		worn := start(t, &factory{setup: func(f *fake) { f.closeFor = 50 * time.Millisecond }}, Config[*fake]{Name: "worn", Slots: slots, Max: 3, MaxRequests: 1, QueueLength: 1})
		other := start(t, &factory{}, Config[*fake]{Name: "other", Slots: slots, Max: 1})
		acquire(t, other).Release()
		l := acquire(t, worn)
		next := served(t, worn)
		got := served(t, other)
		synctest.Wait()
		expect(t, worn, "idle 0 busy 1 creating 0 waiting 1 created 1 discarded 0")
		l.Release()
		if waited := <-got; waited != 0 {
			t.Errorf("waited %v for another's Close", waited)
		}
		<-next
	})
}

// TestAllArePaused: the next one is begun at once, before there is a slot.
func TestAllArePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots, began := NewSlots(1), time.Time{}
		p := start(t, &factory{}, Config[*fake]{Max: 8, Slots: slots, QueueLength: 10, Prepare: func(context.Context) error {
			began = time.Now()
			return nil
		}})
		l := acquire(t, p)
		l.Pause()
		l.Pause()
		other := hog(t, slots)
		asked := time.Now()
		got := served(t, p)
		time.Sleep(time.Second)
		other()
		<-got
		if late := began.Sub(asked); late != 0 {
			t.Errorf("the creation began after %v", late)
		}
		l.Release()
		// It has ended, and is no longer counted: the next one is in turn.
		held := acquire(t, p)
		got = served(t, p)
		synctest.Wait()
		expect(t, p, "idle 1 busy 1 creating 0 waiting 1 created 2 discarded 0")
		held.Release()
		<-got
	})
}

// TestAnInstanceIsKnownByItsLastSlot, not by the one that its lease began in.
func TestAnInstanceIsKnownByItsLastSlot(t *testing.T) {
	slots := NewSlots(2)
	p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots})
	l := acquire(t, p)
	l.Pause()
	other := hog(t, slots) // takes that slot
	defer other()
	if err := l.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := l.e.lease.turn.slot
	l.Release()
	if e := p.idle[0]; e.slot != last {
		t.Errorf("ran in slot %d, the pool says %d", last, e.slot)
	}
}

// TestANewAttemptIsNotForgotten: the last one failed while nobody waited any more.
func TestANewAttemptIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{takes: 200 * time.Millisecond}
		p := start(t, f, Config[*fake]{Max: 2, Slots: NewSlots(1), QueueLength: 10, BackoffMin: time.Second})
		l := acquire(t, p)
		l.Pause()
		f.fail = errors.New("broken")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := p.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		f.fail = nil
		if waited := <-served(t, p); waited > 2*time.Second {
			t.Errorf("served after %v", waited)
		}
		l.Discard()
	})
}

// TestWhoYieldsKeepsTheOrder of the names that wait.
func TestWhoYieldsKeepsTheOrder(t *testing.T) {
	s := NewSlots(2)
	a, b, c := s.register("a", 1), s.register("b", 1), s.register("c", 1)
	first, last := new(turn), new(turn)
	s.try(a, first)
	s.try(c, last)
	s.takeOrQueue(a, new(turn), time.Now())
	wants := s.takeOrQueue(b, new(turn), time.Now())
	a.used, b.used = 10*time.Microsecond, 20*time.Microsecond
	if w := s.yield(a, first, 0); w != nil {
		t.Fatal("a has used least")
	}
	s.give(c, last, 0)
	select {
	case <-wants.granted:
	default:
		t.Error("a goes before b, who has used less")
	}
}

// TestTheQueueOfANameIsByArrival, whenever they joined it; first is who has begun.
func TestTheQueueOfANameIsByArrival(t *testing.T) {
	s := NewSlots(1)
	a, now := s.register("a", 1), time.Now()
	held := new(turn)
	s.try(a, held)
	waiters := map[*slotWaiter]string{}
	for _, came := range []time.Duration{2, 1, 3} {
		waiters[s.line(a, now.Add(came*time.Second))] = fmt.Sprint(int(came))
	}
	waiters[s.line(a, begun())] = "0"
	order := ""
	for range 4 {
		s.give(a, held, 0)
		for w, name := range waiters {
			select {
			case <-w.granted:
				order += name
				held = w.turn
				delete(waiters, w)
			default:
			}
		}
	}
	if order != "0123" {
		t.Errorf("order %s", order)
	}
}

// TestATurnInVainCostsNothing, to the name that had it.
func TestATurnInVainCostsNothing(t *testing.T) {
	s := NewSlots(1)
	a := s.register("a", 2)
	other := new(turn)
	s.try(a, other)
	before := a.used
	w := s.line(a, time.Now())
	s.give(a, other, 0)
	<-w.granted
	s.refuse(a, w.turn)
	if a.used != before {
		t.Errorf("used %v, then %v", before, a.used)
	}
	running(t, s, 0)
}

func TestListInsert(t *testing.T) {
	type item struct {
		links[item]
		n int
	}
	var l list[item, *item]
	for _, n := range []int{5, 3, 9, 5, 1, 7} {
		l.insert(&item{n: n}, func(other *item) bool { return other.n > n })
	}
	var got []int
	for i := l.tail; i != nil; i = i.prev {
		got = append(got, i.n)
	}
	for i := l.pop(); i != nil; i = l.pop() {
		got = append(got, i.n)
	}
	if want := "[9 7 5 5 3 1 1 3 5 5 7 9]"; fmt.Sprint(got) != want || l.length != 0 {
		t.Errorf("%v, want %s; %d left", got, want, l.length)
	}
}
