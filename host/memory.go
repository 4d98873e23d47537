package host

import (
	"cmp"
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/sandbox"
)

const (
	// reliefEvery is how often the guests' memory is looked at.
	reliefEvery = 100 * time.Millisecond
	// reliefAbove and reliefBelow are the hundredths of it at which idle
	// instances begin to be closed, and at which enough have been.
	reliefAbove, reliefBelow = 80, 60
)

// guestMemory is what all tenants share.
func guestMemory(c Config) *sandbox.Budget {
	return sandbox.NewBudget(uint64(max(c.GuestMemory(), 1)), nil)
}

// heap tells the collector how much of the budget is left for Go's own memory.
// Guests' linear memories are no part of that, their files in /tmp and their
// native stacks are: they count twice, to be safe. An operator's GOMEMLIMIT
// stays.
type heap struct {
	budget, least int64
	limit         int64 // what was set last
	before        int64 // what held before, below 0 when nothing is to be set
}

// heapStep is by how much the limit must change to be set again.
const heapStep = 16 << 20

func newHeap(c Config) *heap {
	h := &heap{budget: int64(c.MemoryBudget - unmanaged), least: int64(c.HostMemory() / 2), before: -1}
	if os.Getenv("GOMEMLIMIT") == "" {
		h.before = debug.SetMemoryLimit(-1)
	}
	return h
}

// unmanaged is what the process has beside Go's memory and the guests': the
// code that wazero made, above all.
const unmanaged = 96 * config.MiB

func (h *heap) bound(guests uint64) {
	limit := max(h.budget-int64(guests), h.least)
	if h.before < 0 || limit > h.limit-heapStep && limit < h.limit+heapStep {
		return
	}
	debug.SetMemoryLimit(limit)
	h.limit = limit
}

func (h *heap) close() {
	if h.before >= 0 {
		debug.SetMemoryLimit(h.before)
	}
}

// relieve closes idle instances while memory is short, until ctx ends: the
// host's, those of the tenants that were called the longest ago first, or a
// tenant's own.
func (f *fleet) relieve(ctx context.Context) {
	tick := time.NewTicker(reliefEvery)
	defer tick.Stop()
	heap := newHeap(*f.cfg.now())
	defer heap.close()
	for {
		heap.bound(f.memory.Used())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if f.memory.Garbage() > heapStep {
			runtime.GC() // what is booked until then keeps others from growing
		}
		if short(f.memory, reliefAbove) {
			f.spares.drop()
			f.trim()
		} else if !f.needsSpare() {
			f.spares.drop()
		}
		if f.memory.Used() == f.spares.held() {
			continue // nobody has an instance, of ten thousand
		}
		for _, s := range f.routes.Load().sites {
			s.trim()
		}
	}
}

// roomFor makes instances of im. When memory is short, the spare interpreter and idle
// ones of other tenants are closed first.
func (f *fleet) roomFor(im image) func(context.Context) (instance, error) {
	return func(ctx context.Context) (instance, error) {
		in, err := im.Restore(ctx)
		var e *sandbox.Error
		if !errors.As(err, &e) || e.Kind != sandbox.KindMemory || !short(f.memory, reliefAbove) {
			return in, err
		}
		if dropped := f.spares.drop(); f.trim() > 0 || dropped {
			return im.Restore(ctx)
		}
		return in, err
	}
}

// short says whether so many hundredths of a budget are used up.
func short(b *sandbox.Budget, hundredths uint64) bool {
	return b.Used() > b.Limit()/100*hundredths
}

// trim closes idle instances of a tenant that is short of its own memory.
func (s *site) trim() {
	if d := s.live.Load(); d != nil && short(s.memory, reliefAbove) {
		d.pool.Trim()
	}
}

// relieve closes the tenant's idle instances for one that is refused memory: what
// they grew by is the tenant's, and of no use to it there. Others' stay, or one
// tenant could have all others start anew.
func (s *site) relieve() bool {
	d := s.live.Load()
	if d == nil || isolated(d.tenant, *s.fleet.cfg.now()) {
		return false // a worker process gives its memory back when it has ended
	}
	return d.pool.Trim() > 0
}

// trim closes idle instances until reliefBelow and says how many.
func (f *fleet) trim() int {
	closed := 0
	for _, d := range f.byLastCall() {
		if !short(f.memory, reliefBelow) {
			break
		}
		closed += d.pool.Trim()
	}
	if closed > 0 {
		f.log.Warn("memory is short: idle instances were closed", "instances", closed,
			"used", f.memory.Used(), "limit", f.memory.Limit())
	}
	return closed
}

// byLastCall lists what serves, the longest unused first.
func (f *fleet) byLastCall() []*deployment {
	var all []*deployment
	for _, s := range f.routes.Load().sites {
		if d := s.live.Load(); d != nil {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *deployment) int { return cmp.Compare(a.lastCall(), b.lastCall()) })
	return all
}
