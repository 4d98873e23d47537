package sandbox

import (
	"context"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// DefaultGrace is what a Spec without Grace allows.
const DefaultGrace = 2 * time.Second

// ending is how a call that must end is brought to it: first the guest is
// asked, which raises an exception in Python, and when its grace is over it is
// unwound. After either the instance is dead.
type ending struct {
	why    *Error             // why it must end; nil while it need not
	until  time.Time          // the end of its grace
	cancel context.CancelFunc // frees the context of the grace
}

// mayGoOn is asked wherever the guest comes by. It returns while the guest may
// run.
func (in *Instance) mayGoOn(now time.Time) {
	if e := &in.ending; e.why != nil {
		if !now.Before(e.until) {
			in.stop(e.why)
		}
		return
	}
	if why := in.account.over(now); why != nil && !in.ask(why, now) {
		in.stop(why)
	}
}

// ask raises an exception in the guest and gives it its grace. false means that
// it cannot be asked.
func (in *Instance) ask(why *Error, now time.Time) bool {
	if in.spec.Grace < 0 {
		return false
	}
	grace := defaultTo(in.spec.Grace, DefaultGrace)
	until := now.Add(grace)
	if end := in.account.deadline; !end.IsZero() && end.Add(grace).Before(until) {
		until = end.Add(grace) // what it waited after its deadline is part of its grace
	}
	if !now.Before(until) {
		return false
	}
	// Set first: the guest may come by the meter before it returns.
	in.ending = ending{why: why, until: until}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	in.ending.cancel = cancel
	in.sandbox.SetContext(ctx) // what it sleeps from now on
	return in.interrupt()
}

// interrupt runs a signal handler's worth of guest code inside the call that is
// suspended in a host function. The code generated for a leaf function may keep
// values below the stack pointer.
func (in *Instance) interrupt() bool {
	stack := in.stackPointer.Get()
	in.stackPointer.Set(uint64(uint32(stack) - abi.InterruptRedZone))
	defer in.stackPointer.Set(stack)
	signal := uint64(abi.SignalTime)
	if in.python {
		signal = abi.SignalInterrupt
	}
	results, err := in.module.ExportedFunction(abi.ExportInterrupt).Call(in.ctx, signal)
	return err == nil && abi.Status(int32(uint32(results[0]))) == abi.StatusOK
}

// ended is nil unless the guest was asked to end: then the call has failed,
// whatever it returned.
func (in *Instance) ended() *Error {
	if in.ending.why == nil {
		return nil
	}
	e := *in.ending.why
	e.Traceback = in.trace.String()
	return &e
}

// settle frees what the ending of a call has used.
func (in *Instance) settle() {
	if in.ending.cancel != nil {
		in.ending.cancel()
	}
	in.ending = ending{}
}
