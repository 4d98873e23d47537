package api

import (
	"crypto/rand"
	"sync"
)

// followers are the streams of events that are open. A client that has made a
// change ends its stream by name, and so reads every event of the change: if it
// only hung up, it would lose those that are still on their way.
type followers struct {
	mu   sync.Mutex
	open map[string]chan struct{} // by a name that only the stream's client knows
}

// add gives a new stream its name, and a channel that is closed when it is to end.
func (f *followers) add() (name string, ended <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		f.open = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	name = rand.Text()
	f.open[name] = c
	return name, c
}

// end ends a stream, and says whether there was one.
func (f *followers) end(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, found := f.open[name]
	if found {
		close(c)
		delete(f.open, name)
	}
	return found
}
