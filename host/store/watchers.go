package store

import (
	"context"
	"strings"
	"sync"
)

// Watchers hands events to the watches of one process: what a backend without
// watches of its own needs. The zero value is ready.
type Watchers struct {
	mu  sync.Mutex // guards all below, and pending of every watcher
	all map[*watcher]struct{}

	running sync.WaitGroup // their goroutines
}

// watcher keeps the last event of each key, in the order of their first.
type watcher struct {
	prefix  string
	order   []string
	pending map[string]Event
	wake    chan struct{} // holds one
}

// Watch is that of a Store. Its goroutine ends with ctx.
func (w *Watchers) Watch(ctx context.Context, prefix string) <-chan Event {
	one := &watcher{prefix: prefix, pending: map[string]Event{}, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[*watcher]struct{}{}
	}
	w.all[one] = struct{}{}
	out := make(chan Event)
	w.running.Go(func() { w.run(ctx, one, out) })
	return out
}

// Tell is called after each change, in the order of the changes.
func (w *Watchers) Tell(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		if strings.HasPrefix(e.Key, one.prefix) {
			one.note(e)
		}
	}
}

// Wait returns when the contexts of all watches have ended.
func (w *Watchers) Wait() { w.running.Wait() }

func (w *watcher) note(e Event) {
	if _, there := w.pending[e.Key]; !there {
		w.order = append(w.order, e.Key)
	}
	w.pending[e.Key] = e
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watchers) run(ctx context.Context, one *watcher, out chan<- Event) {
	defer close(out)
	defer w.forget(one)
	for {
		e, found := w.next(one)
		if !found {
			select {
			case <-one.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case out <- e:
		case <-ctx.Done():
			return
		}
	}
}

func (w *Watchers) next(one *watcher) (e Event, found bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(one.order) == 0 {
		return e, false
	}
	e = one.pending[one.order[0]]
	delete(one.pending, one.order[0])
	one.order = one.order[1:]
	return e, true
}

func (w *Watchers) forget(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, one)
}
