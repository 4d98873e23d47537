package watch

import (
	"errors"
	"sync"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// mostEvents is how many wait at most: more are lost, as the kernel's are.
const mostEvents = 200_000

// inbox takes what fsnotify has to say at once, whatever Run is doing. fsnotify holds a
// lock while it waits for somebody to take an error, and Add waits for that lock; and
// while it waits for somebody to take an event the kernel's queue fills, with what Run
// itself causes above all: each folder that is let go is an event.
type inbox struct {
	news chan struct{}

	mu      sync.Mutex
	events  []fsnotify.Event
	written map[string]bool // of those events that are a write and no more
	lost    error           // why some are missing
}

func newInbox() *inbox { return &inbox{news: make(chan struct{}, 1), written: map[string]bool{}} }

// collect goes on until w is closed.
func (b *inbox) collect(w *fsnotify.Watcher) {
	events, troubles := w.Events, w.Errors
	for events != nil || troubles != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			b.event(e)
		case err, ok := <-troubles:
			if !ok {
				troubles = nil
				continue
			}
			b.trouble(err)
		}
		select {
		case b.news <- struct{}{}:
		default:
		}
	}
}

func (b *inbox) event(e fsnotify.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Op == fsnotify.Write {
		if b.written[e.Name] {
			return
		}
		b.written[e.Name] = true
	}
	if len(b.events) == mostEvents {
		b.lost = fsnotify.ErrEventOverflow
		return
	}
	b.events = append(b.events, e)
}

// trouble keeps one of the errors: each is answered by a look at everything. EINVAL is
// that of a folder which was moved, and had gone before it was let go.
func (b *inbox) trouble(err error) {
	if errors.Is(err, syscall.EINVAL) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = err
}

// take is what has come.
func (b *inbox) take() (events []fsnotify.Event, lost error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events, lost = b.events, b.lost
	b.events, b.lost = nil, nil
	clear(b.written)
	return events, lost
}
