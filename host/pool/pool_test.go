package pool

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an instance that checks how it is treated.
type fake struct {
	id       int
	mu       sync.Mutex
	inUse    bool
	dirty    bool
	broken   bool
	closed   int
	resets   int
	resetErr error
	resetFor time.Duration
	closeFor time.Duration
}

func (f *fake) Reset() error {
	time.Sleep(f.resetFor)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.resets++
	f.dirty = false
	return f.resetErr
}

func (f *fake) Usable() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.broken
}

func (f *fake) Close() error {
	time.Sleep(f.closeFor)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

// use is what a request does; it fails when somebody else does it too.
func (f *fake) use(t *testing.T, d time.Duration) {
	t.Helper()
	f.mu.Lock()
	if f.inUse || f.closed > 0 {
		t.Errorf("instance %d: in use %t, closed %d times", f.id, f.inUse, f.closed)
	}
	f.inUse = true
	f.mu.Unlock()
	time.Sleep(d)
	f.mu.Lock()
	f.inUse, f.dirty = false, true
	f.mu.Unlock()
}

// factory makes fakes and remembers them.
type factory struct {
	mu    sync.Mutex
	made  []*fake
	takes time.Duration
	fail  error
	setup func(*fake)
}

func (f *factory) new(ctx context.Context) (*fake, error) {
	if f.takes > 0 {
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return nil, f.fail
	}
	i := &fake{id: len(f.made)}
	if f.setup != nil {
		f.setup(i)
	}
	f.made = append(f.made, i)
	return i, nil
}

// start makes a pool that is closed, with every instance, when the test ends.
func start(t *testing.T, f *factory, c Config[*fake]) *Pool[*fake] {
	t.Helper()
	if c.New = f.new; c.Name == "" {
		c.Name = "shop"
	}
	if c.Slots == nil {
		c.Slots = NewSlots(8)
	}
	p := New(c)
	t.Cleanup(func() {
		p.Close()
		for _, i := range f.made {
			if i.closed != 1 {
				t.Errorf("instance %d was closed %d times, want once", i.id, i.closed)
			}
		}
	})
	return p
}

func acquire(t *testing.T, p *Pool[*fake]) Lease[*fake] {
	t.Helper()
	l, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatalf("Acquire: %v", err)
	}
	return l
}

// counts are the Stats that a test compares.
func counts(p *Pool[*fake]) string {
	s := p.Stats()
	return fmt.Sprintf("idle %d busy %d creating %d waiting %d created %d discarded %d", s.Idle, s.Busy, s.Creating, s.Waiting, s.Created, s.Discarded)
}

func expect(t *testing.T, p *Pool[*fake], want string) {
	t.Helper()
	if got := counts(p); got != want {
		t.Errorf("stats\n got %s\nwant %s", got, want)
	}
}

func TestLastUsedServesFirst(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Max: 3})
	a, b := acquire(t, p), acquire(t, p)
	a.Release()
	b.Release()
	if got := acquire(t, p); got.Instance() != b.Instance() {
		t.Errorf("served by instance %d, want %d", got.Instance().id, b.Instance().id)
	} else {
		got.Release()
	}
	expect(t, p, "idle 2 busy 0 creating 0 waiting 0 created 2 discarded 0")
}

func TestQueueIsBoundedAndFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := start(t, f, Config[*fake]{Max: 1, QueueLength: 2})
		held := acquire(t, p)
		var order []int
		for n := range 2 {
			go func() {
				l := acquire(t, p)
				order = append(order, n)
				l.Release()
			}()
			synctest.Wait()
		}
		if _, err := p.Acquire(t.Context()); err != ErrQueueFull {
			t.Errorf("third in the queue: %v, want ErrQueueFull", err)
		}
		held.Release()
		synctest.Wait()
		if want := []int{0, 1}; !reflect.DeepEqual(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		if s := p.Stats(); s.QueueFull != 1 || s.Queued < 2 || s.Requests != 3 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Max: 1, QueueLength: 1, QueueTimeout: 3 * time.Second})
		held := acquire(t, p)
		began := time.Now()
		if _, err := p.Acquire(t.Context()); err != ErrQueueTimeout {
			t.Errorf("%v, want ErrQueueTimeout", err)
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("waited %s, want 3s", waited)
		}
		held.Release()
		if s := p.Stats(); s.TimedOut != 1 || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestQueueTimeoutCoversTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 2, QueueTimeout: time.Second, Slots: slots})
		release, err := slots.Acquire(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Acquire(t.Context()); err != ErrQueueTimeout {
			t.Errorf("%v, want ErrQueueTimeout", err)
		}
		expect(t, p, "idle 0 busy 0 creating 1 waiting 0 created 0 discarded 0") // creating takes a turn too
		release()
		release()
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
		if s := slots.Stats(); s.Running != 0 || s.Waiting != 0 {
			t.Errorf("slots %+v", s)
		}
	})
}

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Max: 1, QueueLength: 1})
		held := acquire(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := p.Acquire(ctx); err != context.Canceled {
				t.Errorf("%v, want context.Canceled", err)
			}
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		expect(t, p, "idle 0 busy 1 creating 0 waiting 0 created 1 discarded 0")
		held.Release()
	})
}

func TestCreationIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{takes: time.Second}
		p := start(t, f, Config[*fake]{Max: 5, Creators: 2})
		for range 5 {
			go func() { acquire(t, p).Instance().use(t, time.Hour) }()
		}
		for _, want := range []string{
			"idle 0 busy 0 creating 2 waiting 5 created 0 discarded 0",
			"idle 0 busy 2 creating 2 waiting 3 created 2 discarded 0",
			"idle 0 busy 4 creating 1 waiting 1 created 4 discarded 0",
			"idle 0 busy 5 creating 0 waiting 0 created 5 discarded 0",
		} {
			synctest.Wait()
			expect(t, p, want)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		for i := range f.made { // the leases were never ended: account for their instances here
			f.made[i].closed = 1
		}
	})
}

func TestCreateErrorBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		f := &factory{fail: boom}
		p := start(t, f, Config[*fake]{Max: 2, BackoffMin: time.Second, BackoffMax: 3 * time.Second})
		for n, pause := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second} {
			for _, elapsed := range []time.Duration{0, pause / 4} {
				time.Sleep(elapsed)
				_, err := p.Acquire(t.Context())
				want := &CreateError{Pool: "shop", Failures: n + 1, RetryAfter: pause - elapsed, Err: boom}
				if got := new(CreateError); !errors.As(err, &got) || *got != *want {
					t.Fatalf("attempt %d after %s: %v, want %v", n, elapsed, err, want)
				}
			}
			time.Sleep(pause - pause/4)
		}
		f.fail = nil
		acquire(t, p).Release()
		if s := p.Stats(); s.CreateFailed != 4 || s.Created != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCreateErrorSparesThoseWhoCanStillBeServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := start(t, f, Config[*fake]{Max: 2, QueueLength: 2})
		held := acquire(t, p)
		f.fail = errors.New("boom")
		go func() { acquire(t, p).Release() }()
		synctest.Wait()
		if s := p.Stats(); s.Waiting != 1 || s.CreateFailed != 1 {
			t.Errorf("stats %+v", s)
		}
		held.Release()
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
	})
}

func TestMinIsMadeAheadAndRefilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Min: 2, Max: 4})
		synctest.Wait()
		expect(t, p, "idle 2 busy 0 creating 0 waiting 0 created 2 discarded 0")
		acquire(t, p).Discard()
		synctest.Wait()
		expect(t, p, "idle 2 busy 0 creating 0 waiting 0 created 3 discarded 1")
	})
}

func TestMinIsRetriedAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{fail: errors.New("boom")}
		p := start(t, f, Config[*fake]{Min: 1, Max: 1, BackoffMin: time.Second})
		synctest.Wait()
		f.mu.Lock()
		f.fail = nil
		f.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 1 discarded 0")
	})
}

func TestIdleInstancesAreReapedDownToMin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Min: 1, Max: 3, IdleTimeout: time.Minute})
		leases := []Lease[*fake]{acquire(t, p), acquire(t, p), acquire(t, p)}
		for _, l := range leases {
			l.Release()
			time.Sleep(10 * time.Second)
		}
		time.Sleep(25 * time.Second) // 55 s after the first
		expect(t, p, "idle 3 busy 0 creating 0 waiting 0 created 3 discarded 0")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		expect(t, p, "idle 2 busy 0 creating 0 waiting 0 created 3 discarded 1")
		time.Sleep(time.Hour)
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 3 discarded 2")
		if got := p.Stats().Reasons["idle"]; got != 2 {
			t.Errorf("discarded as idle: %d, want 2", got)
		}
	})
}

func TestTrimClosesWhatIsIdleDownToMin(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Min: 1, Max: 4})
	leases := []Lease[*fake]{acquire(t, p), acquire(t, p), acquire(t, p), acquire(t, p)}
	for _, l := range leases[:3] {
		l.Release()
	}
	if n := p.Trim(); n != 3 {
		t.Errorf("%d were closed, want the 3 idle ones: the busy one is Min", n)
	}
	expect(t, p, "idle 0 busy 1 creating 0 waiting 0 created 4 discarded 3")
	leases[3].Release()
	if n := p.Trim(); n != 0 {
		t.Errorf("%d were closed, below Min", n)
	}
	if got := p.Stats().Reasons["pressure"]; got != 3 {
		t.Errorf("discarded under pressure: %d, want 3", got)
	}
}

func TestOnlyAnUnusedPoolRetires(t *testing.T) {
	f := &factory{}
	p := New(Config[*fake]{New: f.new, Slots: NewSlots(1), Max: 1})
	l, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.RetireUnused() {
		t.Error("it retires under a lease")
	}
	l.Release()
	if p.RetireUnused() {
		t.Error("it retires with an instance")
	}
	p.Trim()
	if !p.RetireUnused() {
		t.Error("it does not retire")
	}
	if _, err := p.Acquire(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	if p.RetireUnused() {
		t.Error("it retires twice")
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	p.Close()
}

func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Min: 1, Max: 2, MaxAge: time.Minute})
		l := acquire(t, p)
		time.Sleep(61 * time.Second)
		l.Release() // too old when its lease ends
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 2 discarded 1")
		time.Sleep(61 * time.Second) // too old while idle
		synctest.Wait()
		expect(t, p, "idle 1 busy 0 creating 0 waiting 0 created 3 discarded 2")
		if got := p.Stats().Reasons["aged"]; got != 2 {
			t.Errorf("discarded for age: %d, want 2", got)
		}
	})
}

func TestMaxRequests(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Max: 1, MaxRequests: 10})
	for range 100 {
		acquire(t, p).Release()
	}
	// Each serves 9 or 10.
	if n := p.Stats().Reasons["worn"]; n < 10 || n > 11 {
		t.Errorf("%d instances worn out by 100 requests, want 10 or 11", n)
	}
}

func TestTooLargeInstancesAreReplaced(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Max: 1, TooLarge: func(i *fake) bool { return i.id%2 == 0 }})
	seen := map[int]int{}
	for range 10 {
		l := acquire(t, p)
		seen[l.Instance().id]++
		l.Release()
	}
	replaced := 0
	for id, n := range seen {
		if id%2 == 0 {
			replaced++
			if n != 1 {
				t.Errorf("the instance %d is too large and served %d times", id, n)
			}
		}
	}
	if n := p.Stats().Reasons["memory"]; replaced == 0 || n != uint64(replaced) {
		t.Errorf("%d were closed for their memory, want %d; served %v", n, replaced, seen)
	}
}

func TestFreshResetsBetweenLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{setup: func(i *fake) { i.resetFor = time.Second }}
		p := start(t, f, Config[*fake]{Max: 2, QueueLength: 50, Fresh: true})
		var done sync.WaitGroup
		for range 20 {
			done.Go(func() {
				l := acquire(t, p)
				i := l.Instance()
				if i.dirty {
					t.Errorf("instance %d was not reset", i.id)
				}
				i.use(t, time.Second)
				l.Release()
			})
		}
		done.Wait()
		if resets := f.made[0].resets + f.made[1].resets; resets != 20 {
			t.Errorf("%d resets for 20 leases", resets)
		}
	})
}

func TestWhatIsNotUsableIsClosed(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Max: 1, Fresh: true})
	l := acquire(t, p)
	l.Instance().broken = true
	l.Release()
	l = acquire(t, p)
	l.Instance().resetErr = errors.New("cannot put memory back")
	l.Release()
	acquire(t, p).Discard()
	if f.made[0].resets != 0 {
		t.Error("an unusable instance was reset")
	}
	want := map[string]uint64{"caller": 1, "unusable": 1, "reset": 1, "worn": 0, "aged": 0, "idle": 0, "memory": 0, "pressure": 0, "closed": 0}
	if got := p.Stats().Reasons; !reflect.DeepEqual(got, want) {
		t.Errorf("reasons %v, want %v", got, want)
	}
}

func TestALeaseEndsOnce(t *testing.T) {
	p := start(t, &factory{}, Config[*fake]{Max: 1})
	old := acquire(t, p)
	old.Release()
	current := acquire(t, p)
	old.Release()
	old.Discard()
	old.Pause()
	expect(t, p, "idle 0 busy 1 creating 0 waiting 0 created 1 discarded 0")
	if s := p.cfg.Slots.Stats(); s.Running != 1 {
		t.Errorf("%d slots run, want 1", s.Running)
	}
	current.Release()
	Lease[*fake]{}.Release()
}

func TestPauseGivesTheSlotBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(1)
		p := start(t, &factory{}, Config[*fake]{Max: 2, Slots: slots})
		a := acquire(t, p)
		a.Pause()
		a.Pause()
		b := acquire(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Resume(ctx); err != context.DeadlineExceeded {
			t.Errorf("Resume: %v, want the deadline", err)
		}
		b.Release()
		if err := a.Resume(t.Context()); err != nil {
			t.Errorf("Resume: %v", err)
		}
		if s := slots.Stats(); s.Running != 1 {
			t.Errorf("%d slots run, want 1", s.Running)
		}
		a.Pause()
		a.Release()
		if s := slots.Stats(); s.Running != 0 {
			t.Errorf("%d slots run, want 0", s.Running)
		}
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, &factory{}, Config[*fake]{Max: 1, QueueLength: 5})
		held := acquire(t, p)
		served := false
		go func() {
			l := acquire(t, p)
			served = true
			l.Release()
		}()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := p.Drain(short)
		if want := "pool shop: drain: 1 leases and 1 callers left: context deadline exceeded"; err == nil || err.Error() != want {
			t.Errorf("Drain: %v, want %s", err, want)
		}
		if _, err := p.Acquire(t.Context()); err != ErrClosed {
			t.Errorf("Acquire while draining: %v, want ErrClosed", err)
		}
		held.Release()
		if err := p.Drain(t.Context()); err != nil || !served {
			t.Errorf("Drain: %v; served %t", err, served)
		}
	})
}

func TestCloseRefusesTheQueueAndEndsCreations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{takes: time.Hour}
		p := start(t, f, Config[*fake]{Max: 1, QueueLength: 5})
		go func() {
			if _, err := p.Acquire(t.Context()); err != ErrClosed {
				t.Errorf("%v, want ErrClosed", err)
			}
		}()
		synctest.Wait()
		p.Close()
		p.Close()
		synctest.Wait()
		if _, err := p.Acquire(t.Context()); err != ErrClosed {
			t.Errorf("%v, want ErrClosed", err)
		}
		expect(t, p, "idle 0 busy 0 creating 0 waiting 0 created 0 discarded 0")
	})
}

func TestALeaseOutlivesClose(t *testing.T) {
	f := &factory{}
	p := start(t, f, Config[*fake]{Max: 1})
	l := acquire(t, p)
	p.Close()
	if f.made[0].closed != 0 {
		t.Error("an instance was closed under its lease")
	}
	l.Release()
}

// TestStorm checks the invariants under everything at once; run it with -race.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := NewSlots(2)
		var all []*Pool[*fake]
		var done sync.WaitGroup
		for range 3 {
			f := &factory{takes: time.Millisecond}
			p := start(t, f, Config[*fake]{Min: 1, Max: 4, QueueLength: 8, QueueTimeout: 50 * time.Millisecond, MaxRequests: 7,
				MaxAge: 80 * time.Millisecond, IdleTimeout: 20 * time.Millisecond, Fresh: true, Slots: slots})
			all = append(all, p)
			for n := range 40 {
				done.Go(func() { storm(t, p, n) })
			}
		}
		end := watchOver(t, slots, all)
		done.Wait()
		end()
		for _, p := range all {
			if err := p.Drain(t.Context()); err != nil {
				t.Error(err)
			}
			p.Close() // a creation may run yet, with a slot
		}
		if s := slots.Stats(); s.Running != 0 || s.Waiting != 0 {
			t.Errorf("slots were lost: %+v", s)
		}
	})
}

func storm(t *testing.T, p *Pool[*fake], n int) {
	for k := range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+(n*k)%60)*time.Millisecond)
		l, err := p.Acquire(ctx)
		if err == nil {
			l.Instance().use(t, time.Duration(k%3)*time.Millisecond)
			if k%5 == 0 {
				l.Pause()
				if l.Resume(ctx) != nil {
					l.Instance().broken = true
				}
			}
			if k%7 == 0 {
				l.Discard()
			}
			l.Release()
		}
		cancel()
	}
}

func TestStateTable(t *testing.T) {
	var got []string
	for from := Creating; from <= Closed; from++ {
		for to := Creating; to <= Closed; to++ {
			if from.may(to) {
				got = append(got, from.String()+">"+to.String())
			}
		}
	}
	want := []string{"creating>idle", "creating>busy", "creating>closed", "idle>busy", "idle>closed",
		"busy>idle", "busy>busy", "busy>resetting", "busy>closed", "resetting>idle", "resetting>busy", "resetting>closed"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("transitions\n got %v\nwant %v", got, want)
	}
}

func TestIllegalStepPanics(t *testing.T) {
	defer func() {
		if got, want := recover(), "pool shop: illegal step from closed to busy"; got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	p := start(t, &factory{}, Config[*fake]{})
	p.move(&entry[*fake]{state: Closed}, Busy)
}

// TestNoJanitorWhileNothingLives: a tenant that sleeps keeps no goroutine, and
// one that woke up has a janitor until its last instance is gone.
func TestNoJanitorWhileNothingLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := New(Config[*fake]{Name: "a", New: f.new, Slots: NewSlots(1), Max: 1, IdleTimeout: time.Minute})
		defer p.Close()
		watched := func() bool {
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.watched
		}
		for range 2 {
			if watched() {
				t.Error("a janitor without work")
			}
			l, err := p.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !watched() {
				t.Error("nobody will close the instance")
			}
			l.Release()
			time.Sleep(3 * time.Minute)
		}
		if s := p.Stats(); watched() || s.Idle != 0 {
			t.Errorf("a janitor for %d instances", s.Idle)
		}
	})
}
