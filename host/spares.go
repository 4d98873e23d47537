package host

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

const (
	// spareMemory is about what a spare interpreter takes of the guests' memory. There
	// is none where that would come near to what has idle instances closed.
	spareMemory = 33 * config.MiB
	// spareWait is how long a start waits for one in the making, at least. It may be twice
	// as long as the last one took, which is about what it saves, and at most
	// spareWaitMost: a busy machine takes longer for both.
	spareWait     = 300 * time.Millisecond
	spareWaitMost = 3 * time.Second
	// sparePause is how long to wait for the applications that are being prepared.
	sparePause = 50 * time.Millisecond
	// sparePackages is how many packages an application has that will need most of
	// what a spare interpreter has imported. For less, its snapshot would be half as
	// large again (Bottle 18 instead of 13 MB) to save 80 ms, or 30 without any.
	sparePackages = 3
	// sparePackagesRead is how many names are looked at.
	sparePackagesRead = 1000
)

// keeper is a maker that can keep an interpreter ready.
type keeper interface {
	spareInterpreters() *spares
}

// spareInterpreters implements keeper.
func (e *engine) spareInterpreters() *spares { return e.spares }

// spares keep one interpreter ready for the next application that is to be started; nil
// has none. It has booted, and has imported what most applications import, which is half of what
// Flask's start takes (150 of 300 ms). The host makes it while it prepares nothing.
type spares struct {
	boot   func(ctx context.Context, budget *sandbox.Budget) (*sandbox.Spare, error)
	log    *slog.Logger
	wanted chan struct{}

	mu     sync.Mutex
	ready  *sandbox.Spare
	budget *sandbox.Budget // of the one that is ready
	making chan struct{}   // closed when one has been made; nil while none is
	took   time.Duration   // to make the last one
}

func newSpares(log *slog.Logger, boot func(context.Context, *sandbox.Budget) (*sandbox.Spare, error)) *spares {
	s := &spares{boot: boot, log: log, wanted: make(chan struct{}, 1)}
	s.want()
	return s
}

// want has one made when there is time.
func (s *spares) want() {
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

// take gives the one away that is ready, or is after a short wait, if it fits. nil is
// that there is none.
func (s *spares) take(ctx context.Context, fits func(*sandbox.Spare) bool) *sandbox.Spare {
	s.mu.Lock()
	making, wait := s.making, min(max(2*s.took, spareWait), spareWaitMost)
	s.mu.Unlock()
	if making != nil {
		ctx, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		select {
		case <-making:
		case <-ctx.Done():
			return nil
		}
	}
	defer s.want()
	return s.remove(fits)
}

// remove is nil when there is none that fits.
func (s *spares) remove(fits func(*sandbox.Spare) bool) *sandbox.Spare {
	s.mu.Lock()
	defer s.mu.Unlock()
	spare := s.ready
	if spare == nil || !fits(spare) {
		return nil
	}
	s.ready, s.budget = nil, nil
	return spare
}

// drop frees the one that is ready, and says whether there was one. The next is made
// after the next start.
func (s *spares) drop() bool {
	if s == nil {
		return false
	}
	spare := s.remove(func(*sandbox.Spare) bool { return true })
	if spare == nil {
		return false
	}
	if err := spare.Close(); err != nil {
		s.log.Error("a spare interpreter could not be freed", "error", err)
	}
	return true
}

// held is what the one that is ready takes of the guests' memory, in bytes.
func (s *spares) held() uint64 {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.budget.Used()
}

// keep makes one whenever one is wanted and needed, and busy says that nothing else is
// being prepared, until ctx ends.
func (s *spares) keep(ctx context.Context, memory *sandbox.Budget, needed, busy func() bool) {
	defer s.drop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wanted:
		}
		for busy() {
			if !pass(ctx, sparePause) {
				return
			}
		}
		if needed() {
			s.fill(ctx, memory)
		}
	}
}

func (s *spares) fill(ctx context.Context, memory *sandbox.Budget) {
	if !s.begin(memory) {
		return
	}
	budget := sandbox.NewBudget(0, memory)
	begun := time.Now()
	spare, err := s.boot(ctx, budget)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.making)
	s.making, s.took = nil, time.Since(begun)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			s.log.Warn("no interpreter is kept ready: applications start with one of their own, which takes longer", "reason", err)
		}
		return
	}
	s.ready, s.budget = spare, budget
}

// begin says whether to make one.
func (s *spares) begin(memory *sandbox.Budget) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready != nil || memory.Used()+uint64(spareMemory) > memory.Limit()/100*reliefBelow {
		return false
	}
	s.making = make(chan struct{})
	return true
}

// bootSpare boots an interpreter that waits for an application.
func (e *engine) bootSpare(ctx context.Context, budget *sandbox.Budget) (*sandbox.Spare, error) {
	return e.sandbox.NewSpare(ctx, sandbox.Spec{
		Policy: policy.Waiting(e.root), Boot: abi.Boot{Args: policy.Arguments()},
		Budget: budget, StartTimeout: e.cfg.now().StartTimeout, Logger: e.log,
	})
}

// keepSpare keeps an interpreter ready until ctx ends.
func (f *fleet) keepSpare(ctx context.Context) {
	if f.spares != nil {
		f.spares.keep(ctx, f.memory, f.needsSpare, f.builders.busy)
	}
}

// needsSpare is false when no application is started in the host's own process.
func (f *fleet) needsSpare() bool {
	return tenants.IsolationLevel(f.cfg.now().IsolationLevel) != tenants.WorkerProcess
}

// profits says whether an application will import much of what a spare interpreter has
// imported, and nothing of its own before. What leads out of its folder is not looked
// at: the answer shows, and would tell what there is on the host.
func profits(a application, dir string) bool {
	c := packageCount{names: sparePackagesRead}
	if a.release.Site != "" {
		c.read(a.release.Site, ".", isPathFile)
	}
	for _, p := range a.tenant.PythonPath() {
		c.read(dir, p, isCustomization)
	}
	return c.packages >= sparePackages && !c.ownStart
}

// packageCount counts packages until there are enough, or it has read enough names.
type packageCount struct {
	packages, names int
	ownStart        bool // Python's site runs code of the application
}

// isPathFile says whether site runs the code in a file among installed packages, where
// alone it looks for .pth files.
func isPathFile(name string) bool { return strings.HasSuffix(name, ".pth") || isCustomization(name) }

// isCustomization says whether a name is that of the module that site imports.
func isCustomization(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	return stem == "sitecustomize"
}

// read looks into a folder below root. What cannot be read as one has no packages.
func (c *packageCount) read(root, dir string, startsItself func(name string) bool) {
	if c.ownStart || c.names <= 0 {
		return
	}
	c.names-- // many paths that lead nowhere come to an end as well
	r, err := os.OpenRoot(root)
	if err != nil {
		return
	}
	defer r.Close()
	f, err := r.OpenFile(filepath.Clean(dir), os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	names, _ := f.Readdirnames(c.names)
	c.names -= len(names)
	c.ownStart = slices.ContainsFunc(names, startsItself)
	for _, name := range names {
		if c.packages >= sparePackages {
			return
		}
		if strings.Contains(name, ".") {
			continue
		}
		if info, err := r.Lstat(filepath.Join(dir, name, "__init__.py")); err == nil && info.Mode().IsRegular() {
			c.packages++
		}
	}
}
