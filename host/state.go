package host

import (
	"fmt"
	"slices"
)

// State is where a tenant is in its life.
//
//	Cold ─► Preparing ─► Booting ─► Serving ⇄ Reloading
//	            ▲ └────────┬─┘
//	            └─ Failed ◄┘          every state ─► Stopped
//
// While a tenant is Reloading its older release serves; a release that cannot
// be served leaves it Serving the older one, with TenantStatus.Err set. Both go back
// to Cold when the snapshot is gone that a tenant at rest was to be served from.
type State int

// The states.
const (
	Cold      State = iota // known, not begun
	Preparing              // dependencies are being installed
	Booting                // the interpreter starts and imports the application
	Serving
	Reloading // serves, and a newer release is in the making
	Failed    // nothing to serve; tried again when files change, and after a pause
	Stopped   // gone
)

// String is the lower-case word for a log or a status page.
func (s State) String() string {
	names := []string{"cold", "preparing", "booting", "serving", "reloading", "failed", "stopped"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return names[s]
}

// next lists the states that may follow s.
func (s State) next() []State {
	switch s {
	case Cold:
		return []State{Preparing, Stopped}
	case Preparing:
		return []State{Booting, Failed, Stopped}
	case Booting:
		return []State{Preparing, Serving, Failed, Stopped}
	case Serving:
		return []State{Reloading, Cold, Stopped}
	case Reloading:
		return []State{Serving, Cold, Stopped}
	case Failed:
		return []State{Preparing, Stopped}
	default:
		return nil
	}
}

// to is the transition to t. One that the table does not have is a fault of
// this package and panics.
func (s State) to(t State) State {
	if !slices.Contains(s.next(), t) {
		panic(fmt.Sprintf("host: a tenant cannot go from %s to %s", s, t))
	}
	return t
}
