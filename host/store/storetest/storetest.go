// Package storetest says what every backend of host/store must do.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/store"
)

// patience bounds every wait: it is only reached by a test that fails.
const patience = 20 * time.Second

// Run tests the backend. open returns an empty store that decides about leases
// by now, and is called for each test; the test closes it.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store, *clock){
		"set": set, "conflict": conflict, "delete": remove, "list": list, "own copies": ownCopies, "keys": keys,
		"watch": watch, "watch coalesces": watchCoalesces, "watch ends": watchEnds, "race": race, "lease": lease, "canceled": canceled,
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{}
			c.nanos.Store(int64(time.Hour))
			s := open(t, c.now)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			test(t, s, c)
		})
	}
}

// clock stands still until it is moved.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.nanos.Load()) }

func (c *clock) pass(d time.Duration) { c.nanos.Add(int64(d)) }

func put(t *testing.T, s store.Store, key, value string, at store.Revision) store.Revision {
	t.Helper()
	now, err := s.CompareAndSet(t.Context(), key, []byte(value), at)
	if err != nil {
		t.Fatalf("%s at %d: %v", key, at, err)
	}
	if now <= at {
		t.Fatalf("%s: revision %d after %d", key, now, at)
	}
	return now
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func expect(t *testing.T, s store.Store, key, value string, at store.Revision) {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	if err != nil || e.Key != key || string(e.Value) != value || e.Revision != at {
		t.Errorf("%s: %q at %d, %v; want %q at %d", e.Key, e.Value, e.Revision, err, value, at)
	}
}

func set(t *testing.T, s store.Store, _ *clock) {
	_, err := s.Get(t.Context(), "a/b")
	want(t, "before", err, store.ErrNotFound)
	first := put(t, s, "a/b", "1", 0)
	expect(t, s, "a/b", "1", first)
	second := put(t, s, "a/b", "", first)
	expect(t, s, "a/b", "", second)
	if other := put(t, s, "a/c", "x", 0); other <= second {
		t.Errorf("another key was written at %d, after %d", other, second)
	}
	expect(t, s, "a/b", "", second)
}

func conflict(t *testing.T, s store.Store, _ *clock) {
	first := put(t, s, "k", "1", 0)
	second := put(t, s, "k", "2", first)
	for _, at := range []store.Revision{0, first, second + 1} {
		_, err := s.CompareAndSet(t.Context(), "k", []byte("3"), at)
		want(t, fmt.Sprint("set at ", at), err, store.ErrConflict)
		want(t, fmt.Sprint("delete at ", at), s.Delete(t.Context(), "k", at), store.ErrConflict)
	}
	_, err := s.CompareAndSet(t.Context(), "none", nil, first)
	want(t, "a key that is not there", err, store.ErrConflict)
	expect(t, s, "k", "2", second)
}

func remove(t *testing.T, s store.Store, _ *clock) {
	want(t, "nothing", s.Delete(t.Context(), "k", 0), store.ErrNotFound)
	first := put(t, s, "k", "1", 0)
	if err := s.Delete(t.Context(), "k", first); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), "k")
	want(t, "after", err, store.ErrNotFound)
	if again := put(t, s, "k", "2", 0); again <= first {
		t.Errorf("a new entry has revision %d, and the old one had %d", again, first)
	}
}

func list(t *testing.T, s store.Store, _ *clock) {
	for _, key := range []string{"b", "a/2", "a/1", "a0", "a/1/x"} {
		put(t, s, key, "of "+key, 0)
	}
	for prefix, want := range map[string]string{
		"": "a/1 a/1/x a/2 a0 b", "a/": "a/1 a/1/x a/2", "a": "a/1 a/1/x a/2 a0", "c": "", "a/2": "a/2",
	} {
		all, err := s.List(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, e := range all {
			keys = append(keys, e.Key)
			if string(e.Value) != "of "+e.Key || e.Revision == 0 {
				t.Errorf("%q has %+v", prefix, e)
			}
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%q lists %q, want %q", prefix, got, want)
		}
	}
}

// ownCopies: what a caller does to its bytes changes nothing.
func ownCopies(t *testing.T, s store.Store, _ *clock) {
	value := []byte("12")
	at, err := s.CompareAndSet(t.Context(), "k", value, 0)
	if err != nil {
		t.Fatal(err)
	}
	copy(value, "xx")
	e, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	copy(e.Value, "yy")
	expect(t, s, "k", "12", at)
}

func keys(t *testing.T, s store.Store, _ *clock) {
	for _, key := range []string{"", "/a", "a/", "a//b", "a/../b", ".", "a b", "a\x00", "é", strings.Repeat("k", store.MaxKey+1)} {
		_, err := s.CompareAndSet(t.Context(), key, nil, 0)
		want(t, fmt.Sprintf("set %q", key), err, store.ErrKey)
		_, err = s.Get(t.Context(), key)
		want(t, fmt.Sprintf("get %q", key), err, store.ErrKey)
		want(t, fmt.Sprintf("delete %q", key), s.Delete(t.Context(), key, 0), store.ErrKey)
		_, err = s.Lease(t.Context(), key, time.Second)
		want(t, fmt.Sprintf("lease %q", key), err, store.ErrKey)
	}
	put(t, s, strings.Repeat("k", store.MaxKey), strings.Repeat("v", store.MaxValue), 0)
	_, err := s.CompareAndSet(t.Context(), "k", make([]byte, store.MaxValue+1), 0)
	want(t, "a large value", err, store.ErrTooLarge)
}

func take(t *testing.T, events <-chan store.Event) store.Event {
	t.Helper()
	select {
	case e, open := <-events:
		if !open {
			t.Fatal("the watch has ended")
		}
		return e
	case <-time.After(patience):
		t.Fatal("no event")
	}
	return store.Event{}
}

func watch(t *testing.T, s store.Store, _ *clock) {
	put(t, s, "a/0", "before", 0)
	events, err := s.Watch(t.Context(), "a/")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "b", "elsewhere", 0)
	at := put(t, s, "a/1", "1", 0)
	if e := take(t, events); e.Key != "a/1" || string(e.Value) != "1" || e.Revision != at || e.Deleted {
		t.Errorf("got %+v", e)
	}
	if err := s.Delete(t.Context(), "a/1", at); err != nil {
		t.Fatal(err)
	}
	if e := take(t, events); e.Key != "a/1" || !e.Deleted || e.Revision <= at {
		t.Errorf("got %+v", e)
	}
}

// watchCoalesces: a slow watcher costs no more than the keys that changed, and
// sees the last state of each.
func watchCoalesces(t *testing.T, s store.Store, _ *clock) {
	events, err := s.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var at, last store.Revision
	for i := range 50 {
		at = put(t, s, "k", fmt.Sprint(i), at)
	}
	put(t, s, "z", "end", 0)
	for {
		e := take(t, events)
		if e.Key == "z" {
			break
		}
		if e.Revision <= last {
			t.Errorf("%d after %d", e.Revision, last)
		}
		last = e.Revision
	}
	if last != at {
		t.Errorf("the last event has revision %d, the entry %d", last, at)
	}
}

func watchEnds(t *testing.T, s store.Store, _ *clock) {
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case _, open := <-events:
		if open {
			t.Error("an event of nothing")
		}
	case <-time.After(patience):
		t.Error("the channel stays open")
	}
}

// race: of many that add one to a number, each succeeds in the end and none is
// lost.
func race(t *testing.T, s store.Store, _ *clock) {
	const writers, each = 4, 10
	put(t, s, "n", "", 0)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for done := 0; done < each; {
				e, err := s.Get(t.Context(), "n")
				if err == nil {
					_, err = s.CompareAndSet(t.Context(), "n", append(bytes.Clone(e.Value), 'x'), e.Revision)
				}
				if err == nil {
					done++
				} else if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if e, err := s.Get(t.Context(), "n"); err != nil || len(e.Value) != writers*each {
		t.Errorf("%d, %v; want %d", len(e.Value), err, writers*each)
	}
}

func lease(t *testing.T, s store.Store, c *clock) {
	hold := func() (store.Lease, error) { return s.Lease(t.Context(), "deploy/a", time.Minute) }
	first, err := hold()
	if err != nil {
		t.Fatal(err)
	}
	_, err = hold()
	want(t, "a second one", err, store.ErrHeld)
	if _, err := s.Lease(t.Context(), "deploy/b", time.Minute); err != nil {
		t.Errorf("another name: %v", err)
	}
	c.pass(40 * time.Second)
	want(t, "renewed in time", first.Renew(t.Context()), nil)
	c.pass(40 * time.Second)
	_, err = hold()
	want(t, "a renewed one", err, store.ErrHeld)
	c.pass(20 * time.Second)
	want(t, "renewed too late", first.Renew(t.Context()), store.ErrLost)
	second, err := hold()
	want(t, "one that ran out", err, nil)
	want(t, "released too late", first.Release(t.Context()), nil)
	_, err = hold()
	want(t, "the first holder's release", err, store.ErrHeld)
	want(t, "released", second.Release(t.Context()), nil)
	_, err = hold()
	want(t, "a released one", err, nil)
}

func canceled(t *testing.T, s store.Store, _ *clock) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "k")
	want(t, "get", err, context.Canceled)
	_, err = s.CompareAndSet(ctx, "k", nil, 0)
	want(t, "set", err, context.Canceled)
	_, err = s.List(ctx, "")
	want(t, "list", err, context.Canceled)
	_, err = s.Watch(ctx, "")
	want(t, "watch", err, context.Canceled)
}
