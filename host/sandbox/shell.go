package sandbox

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasgi/wasgi/wasi"
)

// shell is an instance of the module that belongs to nobody yet: no guest code
// has run in it, its memory is zero, and nothing of it depends on a tenant.
type shell struct {
	memory *linearMemory
	module api.Module
}

// maxShells bounds the stock. A shell costs half a MiB, CPython's table above
// all.
const maxShells = 8

// newShell instantiates the module in a memory of at most limit bytes, which
// books in budget what it starts with.
func (e *Engine) newShell(limit uint64, budget *Budget) (*shell, error) {
	memory, err := newMemory(limit, budget)
	if err != nil {
		return nil, err
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), memory)
	module, err := e.runtime.InstantiateModule(ctx, e.compiled, wasi.ModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, errors.Join(err, memory.release())
	}
	return &shell{memory, module}, nil
}

func (s *shell) close() error {
	return errors.Join(s.module.Close(context.Background()), s.memory.release())
}

// Stock makes shells ahead, so that [Image.Restore] need not instantiate. It
// keeps at most eight, waits for quiet before each, and returns when ctx ends.
// quiet returns when the host has time for it, an error when ctx has ended.
// Without Stock, and when there is no shell left, Restore makes its own. It must
// have returned before Close.
func (e *Engine) Stock(ctx context.Context, quiet func(context.Context) error) {
	defer e.sellOut()
	for quiet(ctx) == nil {
		s, err := e.newShell(maxMemory, nil)
		if err != nil {
			e.logger.Warn("no instances are made ahead any more: each first request waits for its own", "error", err)
			return
		}
		select {
		case e.shells <- s:
		case <-ctx.Done():
			e.discard(s)
			return
		}
	}
}

// sellOut frees what is left of the stock.
func (e *Engine) sellOut() {
	for {
		select {
		case s := <-e.shells:
			e.discard(s)
		default:
			return
		}
	}
}

func (e *Engine) discard(s *shell) {
	if err := s.close(); err != nil {
		e.logger.Error("an instance made ahead could not be freed", "error", err)
	}
}

// takeShell takes one from the stock, or makes one.
func (e *Engine) takeShell(limit uint64) (*shell, error) {
	select {
	case s := <-e.shells:
		return s, s.memory.shrink(limit)
	default:
		return e.newShell(limit, nil)
	}
}
