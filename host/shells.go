package host

import (
	"context"
	"time"

	"github.com/wasgi/wasgi/tenants"
)

// stocker is a maker that can make parts of instances ahead, until ctx ends.
type stocker interface {
	stock(ctx context.Context, quiet func(context.Context) error)
}

// How long a quiet moment is waited for: one in which no guest runs, then one in
// which another could. On a host that is never quiet, what is not made ahead
// would be made while a request waits. See DESIGN.md.
const (
	quietEvery = time.Millisecond
	quietIdle  = 100 // times quietEvery
	quietMost  = 200
)

// stock lets the maker make ahead what instances need, in a goroutine that ends
// with ctx and before close returns.
func (f *fleet) stock(ctx context.Context) {
	if m, ok := f.maker.(stocker); ok {
		f.running.Go(func() { m.stock(ctx, f.quiet) })
	}
}

// quiet waits for a moment in which no guest runs. It takes no slot.
func (f *fleet) quiet(ctx context.Context) error {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	for i := range quietMost {
		if s := f.slots.Stats(); s.Running == 0 || i >= quietIdle && s.Running < s.Size {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// stock makes instances ahead, unless all tenants have processes of their own.
func (e *engine) stock(ctx context.Context, quiet func(context.Context) error) {
	if !isolated(tenants.Tenant{}, *e.cfg.now()) {
		e.sandbox.Stock(ctx, quiet)
	}
}
