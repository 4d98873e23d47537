package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// PythonSpec is what one run of the interpreter needs.
type PythonSpec struct {
	// Name is for errors and logs; it may be empty.
	Name string
	// Policy has the script's files and its standard streams.
	Policy wasi.Policy
	// Boot has the command line of python in Args; Mode is set by Python.
	Boot abi.Boot
	// MemoryLimit and Budget are as in Spec.
	MemoryLimit uint64
	Budget      *Budget
	// Grace is what the program has after ctx has ended, when it sees a
	// KeyboardInterrupt; as in Spec.
	Grace time.Duration
	// Logger gets what the gateway logs; nil means the engine's.
	Logger *slog.Logger
}

// Python runs the interpreter once, without a snapshot, as the python command
// does: a script, a module, a shell. It returns the exit status, that of
// sys.exit included, and an error only when there is none: the guest trapped,
// the memory limit is too low, ctx ended. There is no timeout but ctx; with the
// error at its end comes the status of a program that ended by itself within its
// grace, 0 otherwise.
func (e *Engine) Python(ctx context.Context, p PythonSpec) (int, error) {
	spec := &Spec{Name: p.Name, Policy: p.Policy, MemoryLimit: p.MemoryLimit, Budget: p.Budget, Grace: p.Grace, Logger: p.Logger}
	in, err := e.instantiate(instanceConfig{spec: spec})
	if err != nil {
		return 0, err
	}
	defer in.Close()
	in.python = true
	boot := p.Boot
	boot.Mode = abi.BootModePython
	if err := in.boot(ctx, boot); err != nil {
		return exitStatus(err)
	}
	if err := in.move(StateRunning); err != nil {
		return 0, err
	}
	status, failure := in.call(ctx, callRun, 0, 0)
	if failure != nil {
		code, err := exitStatus(in.fail("run", failure))
		return max(code, int(status)), err
	}
	return int(status), in.move(StateDead)
}

// exitStatus tells proc_exit from a failure.
func exitStatus(err error) (int, error) {
	var e *Error
	if errors.As(err, &e) && e.Kind == KindExit {
		return e.Code, nil
	}
	return 0, err
}
