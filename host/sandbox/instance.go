package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// Instance is one interpreter. It serves one request at a time and belongs to
// whoever got it from [Image.Restore] until Close. Its methods must not be
// called concurrently: an attempt is refused with KindHost.
type Instance struct {
	life
	engine       *Engine
	image        *Image // nil while an image is being built
	spec         *Spec
	sandbox      *wasi.Sandbox
	memory       *linearMemory
	module       api.Module
	ctx          *callContext
	exports      [exportCount]api.Function
	globals      []api.MutableGlobal // in the order of guest.globals
	fuel         api.MutableGlobal
	stackPointer api.MutableGlobal
	python       bool // runs python's command line
	buffer       messageBuffer

	account  account
	ending   ending
	books    books
	exchange exchange
	printed  [2]*wasi.Lines // by Stream; nil where the policy's own is written to
	trace    traceback
	fatal    *Error    // why the running call must not go on
	stack    [2]uint64 // parameters and result of a call
	dirty    scratch
	stats    InstanceStats
}

// InstanceStats is what an instance has used.
type InstanceStats struct {
	Account           // of the last request
	DirtyPages int    // pages put back by the last Reset
	OwnPages   int    // pages of the snapshot that were written to since, when somebody last looked
	MemorySize uint64 // bytes of linear memory
}

// messageBuffer is what wasgi_alloc returned. It lies in the image, so that a
// restored instance needs no wasgi_alloc.
type messageBuffer struct{ address, size uint32 }

// callContext is the context of every call into one instance. Host functions
// find the instance by a type assertion, which costs nothing; wasi finds its
// sandbox by Value.
type callContext struct {
	context.Context
	instance *Instance
}

type instanceConfig struct {
	spec    *Spec
	storage *storage // nil without a snapshot
}

// instantiate makes an instance without running any guest code.
func (e *Engine) instantiate(c instanceConfig) (*Instance, error) {
	in := &Instance{engine: e, spec: c.spec}
	if err := in.build(c); err != nil {
		return nil, errors.Join(in.fail("instantiate", hostError(err)), in.Close())
	}
	return in, nil
}

func (in *Instance) build(c instanceConfig) error {
	limit := c.spec.memoryLimit()
	if limit < in.engine.guest.min {
		return fmt.Errorf("a memory limit of %d bytes is below the %d that the guest starts with: raise it", limit, in.engine.guest.min)
	}
	if err := in.furnish(c.spec.Policy); err != nil {
		return err
	}
	if !in.books.open(c.spec.Budget) {
		return errNoMemory
	}
	if err := in.moveIn(limit, c.storage); err != nil {
		return err
	}
	return in.bind()
}

// furnish gives the instance files, environment and the rest of a policy.
func (in *Instance) furnish(policy wasi.Policy) error {
	policy.Stdout, policy.Stderr = in.apart(Stdout, policy.Stdout), in.apart(Stderr, policy.Stderr)
	sandbox, err := policy.NewSandbox()
	if err != nil {
		return err
	}
	in.sandbox = sandbox
	in.ctx = &callContext{sandbox.Context(context.Background()), in}
	sandbox.OnSleep(in.beforeSleep, in.afterSleep)
	sandbox.OnToll(in.hurry)
	return nil
}

// moveIn gives the instance a memory of limit bytes, the image at its start, and
// a module in it. Without an image the budget pays for what the module starts with.
func (in *Instance) moveIn(limit uint64, s *storage) error {
	var err error
	if in.memory, err = newMemory(limit, in.engine.guarded); err != nil {
		return err
	}
	if s == nil {
		in.memory.budget = in.spec.Budget
		// What boots writes to all of its memory, and walks through it: the boot and
		// import of Flask and Django take 5 % less. A restored one writes to few pages.
		in.memory.huge = true
	}
	if in.memory.Reallocate(in.engine.guest.min) == nil { // wazero panics when it is refused
		return errNoMemory
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), in.memory)
	in.module, err = in.engine.runtime.InstantiateModule(ctx, in.engine.compiled, wasi.ModuleConfig().WithName("").WithStartFunctions())
	if err != nil || s == nil {
		return err
	}
	in.memory.budget = in.spec.Budget
	return in.memory.view(s)
}

// bind looks the globals up.
func (in *Instance) bind() error {
	in.globals = make([]api.MutableGlobal, len(in.engine.guest.globals))
	for i, name := range in.engine.guest.globals {
		g, ok := in.module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("the global %s is missing", name)
		}
		in.globals[i] = g
		switch name {
		case abi.ExportFuel:
			in.fuel = g
		case abi.ExportStackPointer:
			in.stackPointer = g
		}
	}
	return nil
}

// writeData does what wazero would have done, had the data segments not been
// taken out of the module.
func (in *Instance) writeData() {
	for _, s := range in.engine.guest.data {
		copy(in.memory.base[s.offset:in.engine.guest.min], s.bytes)
	}
}

// Usable says whether the instance may serve another request. One that has
// outgrown the tenant's or the host's memory may not.
func (in *Instance) Usable() bool { return in.now() == StateReady && !in.books.outgrown }

// State is where the instance stands in its life.
func (in *Instance) State() State { return in.now() }

// Stats is what the instance has used so far. Not to be called during Serve.
func (in *Instance) Stats() InstanceStats {
	s := in.stats
	s.Account = in.account.Account
	if in.memory != nil {
		s.MemorySize = in.memory.size
	}
	return s
}

// Close frees the instance. Closing twice does nothing; closing during Serve
// is refused.
func (in *Instance) Close() error {
	if in.now() == StateClosed {
		return nil
	}
	if err := in.move(StateClosed); err != nil {
		return err
	}
	var errs []error
	if in.module != nil {
		errs = append(errs, in.module.Close(in.ctx))
	}
	if in.sandbox != nil {
		in.leaveFiles()
		errs = append(errs, in.sandbox.Close())
	}
	if in.memory != nil {
		errs = append(errs, in.memory.release())
	}
	if in.image != nil {
		errs = append(errs, in.image.release())
	}
	in.books.close(in.spec.Budget)
	in.exports = [exportCount]api.Function{}
	return errors.Join(errs...)
}
