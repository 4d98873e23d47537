package host

import (
	"log/slog"
	"sync"
	"time"
)

// Event is something that an operator wants to see while tenants come and go.
type Event struct {
	Kind   EventKind
	Tenant string        // "" for events of the host
	URL    string        // where it serves: EventListening and EventReady
	Text   string        // what is being done: EventProgress
	Took   time.Duration // since the tenant's preparation began: EventReady, EventFailed
	Err    error         // EventFailed
}

// EventKind says what an Event is.
type EventKind int

// The kinds.
const (
	EventListening EventKind = iota // a client listener is open, once for each
	EventProgress                   // a step of a tenant's preparation, with Text
	EventReady                      // a tenant serves a new release
	EventFailed                     // a release could not be served; an older one may still
	EventStopped                    // a tenant is gone
	EventStep                       // a step of a change that somebody waits for, with Text
)

// WithEvents has f called for every event, one at a time, from goroutines of
// the host. f must not call the host and must not block for long.
func WithEvents(f func(Event)) Option { return func(h *Host) { h.events.f = f } }

// events hands events to one function, one at a time, and to the log.
type events struct {
	log *slog.Logger
	f   func(Event)

	mu    sync.Mutex // guards all below; held while f and listeners run
	next  int
	heard map[int]func(Event)
}

// listen has f called for every event as WithEvents does, until stop is called.
func (e *events) listen(f func(Event)) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heard == nil {
		e.heard = map[int]func(Event){}
	}
	id := e.next
	e.next++
	e.heard[id] = f
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.heard, id)
	}
}

func (e *events) emit(ev Event) {
	e.record(ev)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.f != nil {
		e.f(ev)
	}
	for _, f := range e.heard {
		f(ev)
	}
}

func (e *events) record(ev Event) {
	switch ev.Kind {
	case EventListening:
		e.log.Info("listening", "url", ev.URL)
	case EventProgress, EventStep:
		e.log.Debug("preparing", "tenant", ev.Tenant, "step", ev.Text)
	case EventReady:
		e.log.Info("serving", "tenant", ev.Tenant, "url", ev.URL, "took", ev.Took)
	case EventFailed:
		e.log.Error("cannot be served", "tenant", ev.Tenant, "took", ev.Took, "error", ev.Err)
	case EventStopped:
		e.log.Info("stopped", "tenant", ev.Tenant)
	}
}
