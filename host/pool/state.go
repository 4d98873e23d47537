package pool

import "fmt"

// State is where an instance stands in its life.
type State uint8

// The states of an instance.
const (
	Creating  State = iota // Config.New runs
	Idle                   // on the idle stack
	Busy                   // held by a lease
	Resetting              // its lease has ended, Reset runs
	Closed                 // never used again
)

// transitions says which states may follow a state, as bits 1<<State.
var transitions = [...]uint8{
	Creating:  1<<Idle | 1<<Busy | 1<<Closed,
	Idle:      1<<Busy | 1<<Closed,
	Busy:      1<<Idle | 1<<Busy | 1<<Resetting | 1<<Closed,
	Resetting: 1<<Idle | 1<<Busy | 1<<Closed,
	Closed:    0,
}

// String is the lower-case name of the state.
func (s State) String() string {
	switch s {
	case Creating:
		return "creating"
	case Idle:
		return "idle"
	case Busy:
		return "busy"
	case Resetting:
		return "resetting"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// may reports whether the table allows the step from s to next.
func (s State) may(next State) bool {
	return int(s) < len(transitions) && transitions[s]&(1<<next) != 0
}
