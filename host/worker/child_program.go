//go:build linux

package worker

import (
	"context"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
)

// runProgram runs the job's program in the jail and returns its exit status as an
// error of KindExit, or why there is none. The end of the control socket asks the
// program to end.
func (w *child) runProgram() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	spec, _, err := w.settle(ctx)
	if err != nil {
		return err
	}
	go func() { // ends with the socket, and that with the process
		defer cancel()
		_, _ = w.control.Read(make([]byte, 1))
	}()
	status, err := w.engine.Python(ctx, sandbox.PythonSpec{
		Name: spec.Name, Policy: spec.Policy, Budget: spec.Budget, MemoryLimit: spec.MemoryLimit,
		Boot:   abi.Boot{Args: w.job.Program, Paths: spec.Boot.Paths, Cwd: policy.AppDir},
		Logger: spec.Logger,
	})
	if err != nil {
		return err
	}
	return &sandbox.Error{Kind: sandbox.KindExit, Op: "run", Tenant: spec.Name, Code: status}
}
