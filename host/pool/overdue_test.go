package pool

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// served says when a request of p is served, from now.
func served(t *testing.T, p *Pool[*fake]) <-chan time.Duration {
	t.Helper()
	begun, out := time.Now(), make(chan time.Duration, 1)
	go func() {
		acquire(t, p).Release()
		out <- time.Since(begun)
	}()
	return out
}

// TestASilentHolderLosesItsSlot: in its request, in its reset and in its
// creation. A worker process that says nothing must not keep others waiting.
func TestASilentHolderLosesItsSlot(t *testing.T) {
	const patience = 100 * time.Millisecond
	for name, silent := range map[string]func(t *testing.T, s *Slots){
		"request": func(t *testing.T, s *Slots) {
			lease := acquire(t, start(t, &factory{}, Config[*fake]{Name: "silent", Slots: s, Max: 1}))
			go func() {
				time.Sleep(time.Minute)
				lease.Release()
			}()
		},
		"reset": func(t *testing.T, s *Slots) {
			p := start(t, &factory{setup: func(f *fake) { f.resetFor = time.Minute }}, Config[*fake]{Name: "silent", Slots: s, Max: 1, Fresh: true})
			go acquire(t, p).Release()
		},
		"creation": func(t *testing.T, s *Slots) {
			p := start(t, &factory{takes: time.Minute}, Config[*fake]{Name: "silent", Slots: s, Max: 1})
			go func() { acquire(t, p).Release() }()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewSlots(1).WithPatience(patience)
				other := start(t, &factory{}, Config[*fake]{Name: "other", Slots: s, Max: 1})
				acquire(t, other).Release()
				silent(t, s)
				synctest.Wait()
				if got := <-served(t, other); got != patience {
					t.Errorf("the other was served after %v, want %v", got, patience)
				}
				time.Sleep(2 * time.Minute)
				if got := s.Stats(); got.Running != 0 || got.Waiting != 0 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// TestWhoHasLostItsSlotWaitsForAnother: it is one of many again when it comes by.
func TestWhoHasLostItsSlotWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1).WithPatience(100 * time.Millisecond)
		silent := start(t, &factory{}, Config[*fake]{Name: "silent", Slots: s, Max: 1})
		other := start(t, &factory{}, Config[*fake]{Name: "other", Slots: s, Max: 1})
		acquire(t, other).Release()
		lost := acquire(t, silent)
		second := acquire(t, other) // takes its slot
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := lost.Yield(ctx); err == nil {
			t.Error("two hold one slot")
		}
		second.Release()
		if err := lost.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.Stats().Running; got != 1 {
			t.Errorf("%d slots are held, want 1", got)
		}
		time.Sleep(time.Hour) // nobody waits, so nobody takes it
		lost.Release()
		if got := s.Stats().Running; got != 0 {
			t.Errorf("%d slots are held", got)
		}
	})
}

// TestAHolderThatYieldsKeepsItsSlot against those who have used more.
func TestAHolderThatYieldsKeepsItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1).WithPatience(100 * time.Millisecond)
		spender := start(t, &factory{}, Config[*fake]{Name: "spender", Slots: s, Max: 1})
		modest := start(t, &factory{}, Config[*fake]{Name: "modest", Slots: s, Max: 1})
		l := acquire(t, spender)
		time.Sleep(time.Hour)
		l.Release()
		l = acquire(t, modest)
		waiting := served(t, spender)
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			if err := l.Yield(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		select {
		case <-waiting:
			t.Error("the slot was taken from a holder that yields")
		default:
		}
		l.Release()
		<-waiting
	})
}
