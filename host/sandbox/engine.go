package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// linear is the interface by which wazero sees a linearMemory.
type linear = experimental.LinearMemory

// importModules are all that a guest may use.
func importModules() []string {
	return []string{abi.Module, abi.FilesModule, abi.SocketModule, wasi.ModuleName}
}

// initializeExport is what a reactor's constructors run in.
const initializeExport = "_initialize"

// EngineConfig is how an engine is made.
type EngineConfig struct {
	// Module is the guest in the WebAssembly binary format, metered. It is
	// read during NewEngine only.
	Module []byte
	// CacheDir keeps compiled code between runs, in a subfolder of mode 0700;
	// empty compiles anew each time. Nobody else may write to it: what lies
	// there is executed.
	CacheDir string
	// CacheChecked says that the host has made an engine from CacheDir already,
	// and that nobody has written to it since who could not write to this
	// process: it is used as it is, and left as it is.
	CacheChecked bool
	// Logger gets what the operator should know; nil discards it.
	Logger *slog.Logger
	// Yield, if not nil, lets the host's other goroutines go first: it is called in
	// the goroutine of a guest that has run for two milliseconds, once for each two.
	// request says that it serves one, if only to warm the application up.
	Yield func(request bool)
	// CompileWorkers is how many threads compile; 0 means one for each CPU.
	CompileWorkers int
}

// Engine holds the compiled guest. It is safe for concurrent use.
type Engine struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	guest    *guest
	digest   [sha256.Size]byte
	dirty    *dirtyPages
	logger   *slog.Logger
	yield    func(request bool)
	guarded  bool      // memories have a guard
	verify   bool      // compare all of memory after each Reset
	buffers  sync.Pool // *[verifyBuffer]byte
}

// NewEngine compiles the guest, once for booting and restoring alike. It
// refuses a guest of another ABI version, one that lacks an export, and one
// with state that a snapshot could not hold, and says which.
func NewEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) {
	g, err := parseGuest(cfg.Module)
	if err != nil {
		return nil, fmt.Errorf("sandbox: the guest cannot be used: %w", err)
	}
	e := &Engine{guest: g, digest: sha256.Sum256(cfg.Module), logger: cfg.Logger, yield: cfg.Yield}
	if e.yield == nil {
		e.yield = func(bool) {}
	}
	if e.logger == nil {
		e.logger = slog.New(slog.DiscardHandler)
	}
	if err := e.start(ctx, cfg); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	g.code = nil
	return e, nil
}

func (e *Engine) start(ctx context.Context, cfg EngineConfig) error {
	var err error
	if e.dirty, err = openDirtyPages(); err != nil {
		return err
	}
	e.guarded = e.canGuard()
	if cfg.CompileWorkers == 0 {
		cfg.CompileWorkers = runtime.NumCPU()
	}
	if err := e.compile(experimental.WithCompilationWorkers(ctx, cfg.CompileWorkers), cfg); err != nil {
		return err
	}
	if err := checkExports(e.compiled); err != nil {
		return fmt.Errorf("sandbox: the guest cannot be used: %w", err)
	}
	return e.checkVersion(ctx)
}

// Digest is the SHA-256 of the guest module, one part of a [Key].
func (e *Engine) Digest() [sha256.Size]byte { return e.digest }

// Close frees the compiled code. Close every instance and image first.
func (e *Engine) Close(ctx context.Context) error {
	var errs []error
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	if e.cache != nil {
		errs = append(errs, e.cache.Close(ctx))
	}
	if e.dirty != nil {
		errs = append(errs, e.dirty.Close())
	}
	e.runtime, e.cache, e.dirty = nil, nil, nil
	return errors.Join(errs...)
}

// newRuntime links the host modules. A machine for which wazero has no
// compiler gets its interpreter, which is right but about fifty times slower.
func (e *Engine) newRuntime(ctx context.Context, cache wazero.CompilationCache) error {
	config := wazero.NewRuntimeConfigCompiler()
	if !compilerSupported() {
		e.logger.Warn("no compiler for this machine: guests are interpreted, about fifty times slower", "arch", runtime.GOARCH)
		config = wazero.NewRuntimeConfigInterpreter()
	}
	if cache != nil {
		config = config.WithCompilationCache(cache)
	}
	e.runtime, e.cache = wazero.NewRuntimeWithConfig(ctx, config), cache
	if _, err := wasi.Instantiate(ctx, e.runtime); err != nil {
		return err
	}
	return instantiateImports(ctx, e.runtime)
}

// compilerSupported asks wazero, which panics when it has none.
func compilerSupported() (ok bool) {
	defer func() { ok = recover() == nil }()
	ctx := context.Background()
	return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler()).Close(ctx) == nil
}

// checkExports compares the guest's exports with the contract.
func checkExports(m wazero.CompiledModule) error {
	functions := m.ExportedFunctions()
	for _, x := range guestExports() {
		f, ok := functions[x.name]
		if !ok {
			return fmt.Errorf("it does not export the function %s", x.name)
		}
		if !isI32(f.ParamTypes(), x.params) || !isI32(f.ResultTypes(), 1) {
			return fmt.Errorf("its export %s has another signature than the ABI says", x.name)
		}
	}
	if _, ok := m.ExportedMemories()[abi.ExportMemory]; !ok {
		return fmt.Errorf("it does not export its memory as %q", abi.ExportMemory)
	}
	return nil
}

func isI32(types []api.ValueType, n int) bool {
	if len(types) != n {
		return false
	}
	for _, t := range types {
		if t != api.ValueTypeI32 {
			return false
		}
	}
	return true
}

// checkVersion asks the guest, in an instance of its own.
func (e *Engine) checkVersion(ctx context.Context) error {
	in, err := e.instantiate(instanceConfig{spec: &Spec{MemoryLimit: e.guest.min, Logger: e.logger}})
	if err != nil {
		return err
	}
	defer in.Close()
	in.writeData()
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	version, failure := in.call(ctx, callVersion, 0, 0)
	if failure != nil {
		return in.fail("version", failure)
	}
	if version != abi.Version {
		return fmt.Errorf("sandbox: the guest cannot be used: it speaks version %d of the ABI, this host version %d: rebuild it", version, abi.Version)
	}
	return nil
}
