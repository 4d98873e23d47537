package worker

import (
	"errors"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/worker/wire"
)

// outcomeOf describes an error, nil for none, for the host.
func outcomeOf(err error) wire.Outcome {
	if err == nil {
		return wire.Outcome{}
	}
	o := wire.Outcome{Kind: uint8(sandbox.KindHost), Text: err.Error()}
	var e *sandbox.Error
	if errors.As(err, &e) {
		o.Kind, o.Op, o.Status, o.Code = uint8(e.Kind), e.Op, int32(e.Status), int32(e.Code)
		o.Detail, o.Traceback = e.Detail, e.Traceback
	}
	return o
}

// reported is an error as a worker tells it.
type reported struct {
	text string
	err  *sandbox.Error
}

func (r *reported) Error() string { return r.text }

func (r *reported) Unwrap() error { return r.err }

// errorOf is what an outcome says, nil for success. What a worker calls a fault
// of the host is its own, and a kind that does not exist is a lie.
func errorOf(o wire.Outcome, tenant string) error {
	if o.Kind == 0 {
		return nil
	}
	kind := sandbox.Kind(o.Kind)
	if kind < sandbox.KindException || kind >= sandbox.KindHost {
		kind = sandbox.KindTrap
	}
	return &reported{text: o.Text, err: &sandbox.Error{
		Kind: kind, Op: o.Op, Tenant: tenant, Status: abi.Status(o.Status), Code: int(o.Code),
		Detail: o.Detail, Traceback: o.Traceback,
	}}
}

func statsOf(s sandbox.InstanceStats) wire.Stats {
	return wire.Stats{Fuel: s.Fuel, CPU: s.CPU, Dirty: uint32(s.OwnPages), Memory: s.MemorySize}
}

// statsFrom keeps the numbers of a worker within what a log can bear.
func statsFrom(s wire.Stats) sandbox.InstanceStats {
	return sandbox.InstanceStats{
		Account:  sandbox.Account{Fuel: s.Fuel, CPU: max(s.CPU, 0)},
		OwnPages: int(s.Dirty), MemorySize: s.Memory,
	}
}
