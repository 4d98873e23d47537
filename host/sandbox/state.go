package sandbox

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// State is where an instance stands in its life.
//
//	New ──► Booted ──► Loaded ──► Ready ◄──► Serving
//	 │        │                    ▲ │          │
//	 │        └──► Running ──┐     │ └► Resetting
//	 └─(restored)────────────│─────┘       │
//	                         ▼             ▼
//	          every state ──► Dead ──► Closed
type State int32

// The states.
const (
	StateNew       State = iota // instantiated, no guest code has run
	StateBooted                 // wasgi_boot returned
	StateLoaded                 // wasgi_load returned
	StateReady                  // waits for a request
	StateServing                // inside wasgi_handle
	StateResetting              // memory is being put back
	StateRunning                // inside wasgi_run
	StateDead                   // must never run again
	StateClosed                 // its memory is gone
)

// String names the state in lower case.
func (s State) String() string {
	names := []string{"new", "booted", "loaded", "ready", "serving", "resetting", "running", "dead", "closed"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("State(%d)", int32(s))
	}
	return names[s]
}

// successors is the transition table. What is not in it is a fault of the
// caller and refused.
func (s State) successors() []State {
	switch s {
	case StateNew:
		return []State{StateBooted, StateReady, StateDead, StateClosed}
	case StateBooted:
		return []State{StateLoaded, StateRunning, StateDead, StateClosed}
	case StateLoaded:
		return []State{StateReady, StateDead, StateClosed}
	case StateReady:
		return []State{StateServing, StateResetting, StateDead, StateClosed}
	case StateServing, StateResetting:
		return []State{StateReady, StateDead}
	case StateRunning:
		return []State{StateDead}
	case StateDead:
		return []State{StateClosed}
	default:
		return nil
	}
}

// life is the state of one instance. It is atomic only so that two goroutines
// that use an instance at once, which is a fault, are told so.
type life struct{ state atomic.Int32 }

func (l *life) now() State { return State(l.state.Load()) }

// move fails when the table does not allow it, or when somebody else moved at
// the same time.
func (l *life) move(to State) error {
	from := l.now()
	if !slices.Contains(from.successors(), to) || !l.state.CompareAndSwap(int32(from), int32(to)) {
		return &Error{Kind: KindHost, Op: "state", Detail: fmt.Sprintf("an instance cannot go from %s to %s", from, to)}
	}
	return nil
}
