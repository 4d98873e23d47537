package host

import (
	"context"
	"sync"
)

// turns are locks by name whose wait ends with a context. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when it is given back
}

// take waits for the turn of a name. Its error is ctx's.
func (t *turns) take(ctx context.Context, name string) error {
	for {
		other := t.enter(name)
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// enter takes the turn, or returns what is closed at the end of somebody else's.
func (t *turns) enter(name string) (other <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, busy := t.held[name]; busy {
		return c
	}
	if t.held == nil {
		t.held = map[string]chan struct{}{}
	}
	t.held[name] = make(chan struct{})
	return nil
}

// give ends a turn that was taken.
func (t *turns) give(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.held[name])
	delete(t.held, name)
}
