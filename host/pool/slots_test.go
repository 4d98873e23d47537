package pool

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"
)

// compete lets names ask for one slot again and again for d, each holding it
// for its own time, with several callers a name; it returns the slot time of each.
func compete(t *testing.T, s *Slots, callers map[string]int, hold map[string]time.Duration, d time.Duration) map[string]time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	used := map[string]time.Duration{}
	for name, n := range callers {
		for range n {
			go func() {
				for {
					release, err := s.Acquire(ctx, name)
					if err != nil {
						return
					}
					time.Sleep(hold[name])
					used[name] += hold[name] // one slot, so never two at once
					release()
				}
			}()
		}
	}
	<-ctx.Done()
	synctest.Wait()
	time.Sleep(time.Second)
	synctest.Wait()
	return used
}

func share(used map[string]time.Duration, name string) float64 {
	total := time.Duration(0)
	for _, d := range used {
		total += d
	}
	return float64(used[name]) / float64(total)
}

func TestSlotsShareTimeBetweenNames(t *testing.T) {
	for _, test := range []struct {
		name    string
		callers map[string]int
		hold    map[string]time.Duration
		weights map[string]int
		want    float64 // share of "a"
	}{
		{"many callers gain nothing", map[string]int{"a": 20, "b": 2},
			map[string]time.Duration{"a": 5 * time.Millisecond, "b": 5 * time.Millisecond}, nil, 0.5},
		{"long turns gain nothing", map[string]int{"a": 3, "b": 3},
			map[string]time.Duration{"a": 50 * time.Millisecond, "b": time.Millisecond}, nil, 0.5},
		{"weights count", map[string]int{"a": 3, "b": 3},
			map[string]time.Duration{"a": 5 * time.Millisecond, "b": 5 * time.Millisecond}, map[string]int{"a": 3, "b": 1}, 0.75},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1)
				for name, w := range test.weights {
					defer s.unregister(s.register(name, w))
				}
				used := compete(t, s, test.callers, test.hold, 20*time.Second)
				if got := share(used, "a"); got < test.want-0.03 || got > test.want+0.03 {
					t.Errorf("share of a is %.3f, want %.2f (%v)", got, test.want, used)
				}
			})
		})
	}
}

func TestSlotsGiveNoCreditForAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		defer s.unregister(s.register("late", 1))
		hold := map[string]time.Duration{"busy": 10 * time.Millisecond, "late": 10 * time.Millisecond}
		compete(t, s, map[string]int{"busy": 2}, hold, 10*time.Second)
		used := compete(t, s, map[string]int{"busy": 2, "late": 2}, hold, 10*time.Second)
		if got := share(used, "late"); got < 0.45 || got > 0.55 {
			t.Errorf("share of late is %.3f, want 0.5", got)
		}
	})
}

func TestSlotsForgetNames(t *testing.T) {
	s := NewSlots(2)
	for n := range 100 {
		release, err := s.Acquire(t.Context(), fmt.Sprint(n))
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
	if got, want := s.Stats(), (SlotStats{Size: 2}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

func TestSlotsCancelInTheMiddleOfTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		first, err := s.Acquire(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		ctx, cancel := context.WithCancel(t.Context())
		for n := range 3 {
			go func() {
				c := t.Context()
				if n == 1 {
					c = ctx
				}
				release, err := s.Acquire(c, "a")
				if err == nil {
					order = append(order, n)
					release()
				}
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		first()
		synctest.Wait()
		if want := []int{0, 2}; !reflect.DeepEqual(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

// TestYieldGivesTheTurnToWhoHasUsedLess: and only to them.
func TestYieldGivesTheTurnToWhoHasUsedLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		spinner := start(t, &factory{}, Config[*fake]{Name: "spinner", Slots: s, Max: 2})
		quick := start(t, &factory{}, Config[*fake]{Name: "quick", Slots: s, Max: 1})
		acquire(t, quick).Release() // making an instance takes a turn of its own
		lease, spare := acquire(t, spinner), make(chan struct{})
		go func() {
			acquire(t, spinner).Release()
			close(spare)
		}()
		synctest.Wait()
		time.Sleep(time.Second) // of slot time
		lease.Pause()
		<-spare
		if err := lease.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := lease.Yield(t.Context()); err != nil || !lease.e.lease.hasSlot {
			t.Fatalf("with nobody waiting: %v", err)
		}
		served := make(chan struct{})
		go func() {
			acquire(t, quick).Release()
			close(served)
		}()
		own := make(chan struct{})
		go func() {
			acquire(t, spinner).Release()
			close(own)
		}()
		synctest.Wait()
		if err := lease.Yield(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-served // it had its turn while Yield waited
		synctest.Wait()
		select {
		case <-own:
			t.Error("a request of the same name overtook one that runs")
		default:
		}
		time.Sleep(time.Second)
		if err := lease.Yield(t.Context()); err != nil {
			t.Fatal(err)
		}
		lease.Release()
		<-own
		if got := s.Stats().Running; got != 0 {
			t.Errorf("%d slots are held", got)
		}
	})
}

func TestYieldEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1)
		spinner := start(t, &factory{}, Config[*fake]{Name: "spinner", Slots: s, Max: 1})
		other := start(t, &factory{}, Config[*fake]{Name: "other", Slots: s, Max: 1})
		acquire(t, other).Release()
		lease := acquire(t, spinner)
		time.Sleep(time.Second)
		held := make(chan Lease[*fake])
		go func() { held <- acquire(t, other) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := lease.Yield(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		(<-held).Release()
		lease.Release()
		if got := s.Stats(); got.Running != 0 || got.Waiting != 0 {
			t.Errorf("left %+v", got)
		}
	})
}

// TestPrepareTakesNoSlot: what takes long before an instance is made keeps
// nobody from running.
func TestPrepareTakesNoSlot(t *testing.T) {
	s := NewSlots(1)
	release, err := s.Acquire(t.Context(), "busy")
	if err != nil {
		t.Fatal(err)
	}
	prepared, refused := make(chan struct{}), errors.New("not yet")
	f := &factory{}
	p := start(t, f, Config[*fake]{Slots: s, Max: 1, Prepare: func(context.Context) error {
		close(prepared)
		return refused
	}})
	failed := make(chan error)
	go func() {
		_, err := p.Acquire(t.Context())
		failed <- err
	}()
	<-prepared
	if err := <-failed; !errors.Is(err, refused) || len(f.made) != 0 {
		t.Errorf("got %v, %d instances", err, len(f.made))
	}
	release()
}
