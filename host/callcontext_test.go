package host

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestCallContext compares with the context of package context that it stands for, when
// somebody has waited for its end and when nobody has.
func TestCallContext(t *testing.T) {
	cause := errors.New("the release retires")
	for _, c := range []struct {
		name string
		do   func(cancelParent context.CancelCauseFunc, end func())
	}{
		{"nothing happens", func(context.CancelCauseFunc, func()) {}},
		{"the call ends", func(_ context.CancelCauseFunc, end func()) { end() }},
		{"the call ends twice", func(_ context.CancelCauseFunc, end func()) { end(); end() }},
		{"its time passes", func(context.CancelCauseFunc, func()) { time.Sleep(2 * time.Second) }},
		{"its time ends just now", func(context.CancelCauseFunc, func()) { time.Sleep(time.Second) }},
		{"the release ends", func(parent context.CancelCauseFunc, _ func()) { parent(cause) }},
		{"the release and then the call", func(parent context.CancelCauseFunc, end func()) { parent(cause); end() }},
		{"the call and then the release", func(parent context.CancelCauseFunc, end func()) { end(); parent(cause) }},
	} {
		for _, waited := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { compareCall(t, c.do, waited) })
			})
		}
	}
}

func compareCall(t *testing.T, do func(context.CancelCauseFunc, func()), waited bool) {
	parent, cancelParent := context.WithCancelCause(context.WithValue(t.Context(), keyOfCall{}, "value"))
	defer cancelParent(nil)
	var got callContext
	got.begin(parent, time.Second)
	defer got.end()
	want, end := context.WithTimeout(parent, time.Second)
	defer end()
	if waited {
		got.Done()
	}
	do(cancelParent, func() { got.end(); end() })
	synctest.Wait()
	for range 2 {
		if g, w := got.Err(), want.Err(); !errors.Is(g, w) {
			t.Errorf("Err: %v, want %v", g, w)
		}
		select {
		case <-want.Done():
			<-got.Done() // a bubble that waits for ever fails
		default:
			select {
			case <-got.Done():
				t.Error("done")
			default:
			}
		}
	}
	g, gok := got.Deadline()
	w, wok := want.Deadline()
	if !g.Equal(w) || gok != wok {
		t.Errorf("Deadline: %v %v, want %v %v", g, gok, w, wok)
	}
	if g := got.Value(keyOfCall{}); g != "value" {
		t.Errorf("Value: %v", g)
	}
}

type keyOfCall struct{}

// TestCallContextEndsWhatIsDerived: contexts and functions of it, at its deadline and
// at its end, without a goroutine for each.
func TestCallContextEndsWhatIsDerived(t *testing.T) {
	for name, end := range map[string]func(*callContext){
		"deadline": func(*callContext) { time.Sleep(time.Second) },
		"end":      (*callContext).end,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var c callContext
				c.begin(t.Context(), time.Second)
				defer c.end()
				derived, cancel := context.WithCancel(&c)
				defer cancel()
				called, stopped := false, false
				context.AfterFunc(&c, func() { called = true })
				stop := context.AfterFunc(&c, func() { stopped = true })
				if !stop() {
					t.Error("it was not stopped")
				}
				end(&c)
				synctest.Wait()
				if derived.Err() == nil || !called || stopped {
					t.Errorf("derived: %v; called %v, one that was stopped %v", derived.Err(), called, stopped)
				}
			})
		})
	}
}

// TestCallContextThatIsOverStaysSo: who was told that the time is over is told no other
// reason later.
func TestCallContextThatIsOverStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(t.Context())
		defer cancel()
		var c callContext
		c.begin(parent, time.Second)
		time.Sleep(time.Second)
		for range 2 {
			if err := c.Err(); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			c.end()
			cancel()
		}
	})
}

// TestCallContextHasItsParentsDeadline where that is earlier.
func TestCallContextHasItsParentsDeadline(t *testing.T) {
	parent, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	var c callContext
	c.begin(parent, time.Hour)
	defer c.end()
	if err := c.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	want, _ := parent.Deadline()
	if got, _ := c.Deadline(); !got.Equal(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
