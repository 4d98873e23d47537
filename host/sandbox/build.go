package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

const (
	// DefaultMemoryLimit is what a Spec without MemoryLimit allows.
	DefaultMemoryLimit = 256 << 20
	// DefaultStartTimeout is what a Spec without StartTimeout allows.
	DefaultStartTimeout = 60 * time.Second
	// DefaultWarmupTimeout is what a Spec without WarmupTimeout allows.
	DefaultWarmupTimeout = 30 * time.Second

	maxMemory      = 1 << 32
	versionTimeout = 5 * time.Second
	restoreTimeout = 5 * time.Second
)

// Spec is what an image is built from.
type Spec struct {
	// Name is the tenant's, for errors and logs.
	Name string
	// Policy is what the guest may touch. Each instance gets a sandbox of its
	// own from it; the mounts must be the same for an image and its instances.
	Policy wasi.Policy
	// Boot starts the interpreter; an empty Mode is abi.BootModeWSGI.
	Boot abi.Boot
	// Spare, if not nil, is asked for an interpreter that waits for an application and
	// fits, once one has to be started, and before StartTimeout begins. It may have none,
	// and return nil. An application whose memory that has not room for is started once
	// more, without.
	Spare func(ctx context.Context, fits func(*Spare) bool) *Spare
	// Load names the application.
	Load abi.Load
	// Warmup is served before the snapshot, so that what an application
	// imports or compiles at its first request is in the image. An exception
	// or a status of 500 or more fails the build.
	Warmup []Request
	// WarmupRounds is how often all of Warmup is served, in order; 0 is once. A
	// round after the first has no bodies. It does not begin when those before took
	// more than a second, or a quarter of StartTimeout, and what an application
	// says in it fails nothing.
	WarmupRounds int
	// MemoryLimit is the most linear memory of one instance, in bytes, rounded
	// down to 64 KiB; 0 means DefaultMemoryLimit. At most 4 GiB.
	MemoryLimit uint64
	// Budget is what all instances of the tenant share beside their own limits;
	// nil is no limit. A growth that it refuses is a MemoryError in Python; an
	// instance that has written to more than it allows ends with KindMemory.
	Budget *Budget
	// CPULimit is the most CPU time of one request; 0 is none.
	CPULimit time.Duration
	// Grace is how long a call that must end may go on after it was asked to:
	// time for finally clauses and close(). 0 means DefaultGrace; below 0
	// nobody is asked.
	Grace time.Duration
	// StartTimeout bounds boot and load together, 0 means
	// DefaultStartTimeout; it bounds all warm-up requests together as well.
	// WarmupTimeout bounds each of them, 0 means DefaultWarmupTimeout.
	StartTimeout, WarmupTimeout time.Duration
	// Logger gets what the guest logs outside of requests; nil means the
	// engine's.
	Logger *slog.Logger
}

func (s *Spec) memoryLimit() uint64 {
	limit := s.MemoryLimit
	if limit == 0 {
		limit = DefaultMemoryLimit
	}
	return min(limit, maxMemory) / wasmPage * wasmPage
}

// Build boots an interpreter, loads the application, warms it up and keeps
// its memory as an image in RAM. ctx ends it early; the deadline of the spec
// applies besides.
func (e *Engine) Build(ctx context.Context, spec Spec) (*Image, error) {
	in, err := e.prepare(ctx, &spec)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return in.keep()
}

// keep makes an image in RAM of a prepared instance.
func (in *Instance) keep() (*Image, error) {
	s, err := storeInMemory(in.snapshot(), in.spec.Budget)
	if err != nil {
		return nil, in.fail("snapshot", hostError(err))
	}
	return in.engine.newImage(*in.spec, s)
}

// prepare returns an instance that waits to become a snapshot.
func (e *Engine) prepare(ctx context.Context, spec *Spec) (*Instance, error) {
	if spare := spec.spare(ctx); spare != nil {
		in, err := e.prepareIn(ctx, spec, spare)
		if err == nil || ctx.Err() != nil || !spare.in.memory.everRefused || !forMemory(err) {
			return in, err
		}
		// It has less room for the application than one that has imported nothing ahead.
	}
	return e.prepareIn(ctx, spec, nil)
}

// forMemory says whether a start has ended for want of memory.
func forMemory(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Kind == KindMemory || e.Kind == KindException && strings.HasPrefix(lastLine(e.Traceback), "MemoryError"))
}

// prepareIn uses a spare interpreter, if it is not nil.
func (e *Engine) prepareIn(ctx context.Context, spec *Spec, spare *Spare) (*Instance, error) {
	in, err := e.loaded(ctx, spec, spare)
	if err != nil {
		return nil, err
	}
	if err = in.warmUp(ctx); err == nil {
		err = in.freeze(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// loaded returns an instance that is ready for its first request.
func (e *Engine) loaded(ctx context.Context, spec *Spec, spare *Spare) (*Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultTo(spec.StartTimeout, DefaultStartTimeout))
	defer cancel()
	in, err := e.booted(ctx, spec, spare)
	if err != nil {
		return nil, err
	}
	if err := in.load(ctx); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// booted returns an interpreter that has the application still to load: the one that
// waits, or else a new one.
func (e *Engine) booted(ctx context.Context, spec *Spec, spare *Spare) (*Instance, error) {
	if spare.adoptedBy(ctx, spec) {
		return spare.in, nil
	}
	in, err := e.instantiate(instanceConfig{spec: spec})
	if err != nil {
		return nil, err
	}
	boot := spec.Boot
	if boot.Mode == "" {
		boot.Mode = abi.BootModeWSGI
	}
	if err := in.boot(ctx, boot); err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

func (in *Instance) load(ctx context.Context) error {
	if err := in.deliver(ctx, "load", callLoad, in.spec.Load.Encode); err != nil {
		return err
	}
	return errors.Join(in.move(StateLoaded), in.move(StateReady))
}

// boot runs the guest's constructors and starts the interpreter.
func (in *Instance) boot(ctx context.Context, boot abi.Boot) error {
	in.writeData()
	if err := in.initialize(ctx); err != nil {
		return in.fail("initialize", err)
	}
	if err := in.deliver(ctx, "boot", callBoot, boot.Encode); err != nil {
		return err
	}
	return in.move(StateBooted)
}

// initialize runs _initialize, which only reactors have.
func (in *Instance) initialize(ctx context.Context) *Error {
	f := in.module.ExportedFunction(initializeExport)
	if f == nil {
		return nil
	}
	in.fatal = nil
	in.begin(ctx)
	defer in.finish()
	if _, err := f.Call(in.ctx); err != nil {
		return in.classify(err)
	}
	return nil
}

// deliver sends one of the two messages of the start. An exception here ends
// the instance like everything else: half an application serves nobody.
func (in *Instance) deliver(ctx context.Context, op string, x export, encode func() ([]byte, error)) error {
	message, err := encode()
	if err != nil {
		return in.fail(op, &Error{Kind: KindInvalid, Detail: "the message is above the limits of the ABI", Err: err})
	}
	if e := in.send(ctx, x, message); e != nil {
		in.kill()
		return in.fail(op, e)
	}
	return nil
}

// quickWarmup is how long warming up may have taken for another round to begin:
// that one is for speed alone, and must not double what takes long.
const quickWarmup = time.Second

// warmUp has a start's time for all requests together: there may be many.
//
// CPython specialises an instruction when it runs for the second time. After one
// round every request of a fresh tenant, and the first of every instance, would do
// so again, and write to the pages that hold it: Flask 128 µs after one round and 103
// after two, Django 168 and 145 (BenchmarkFresh). More rounds change nothing.
func (in *Instance) warmUp(ctx context.Context) error {
	limit := defaultTo(in.spec.StartTimeout, DefaultStartTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begin := time.Now()
	if err := in.warmUpRound(ctx); err != nil {
		return err
	}
	for round := 1; round < in.spec.WarmupRounds && time.Since(begin) < min(quickWarmup, limit/4); round++ {
		err := in.warmUpRound(ctx)
		if e := (*Error)(nil); errors.As(err, &e) && e.Kind == KindException {
			in.logger().Info("the application answers a warm-up request once only", "tenant", in.spec.Name, "error", e.Detail)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) warmUpRound(ctx context.Context) error {
	for i := range in.spec.Warmup {
		if err := in.warmUpOnce(ctx, &in.spec.Warmup[i]); err != nil {
			return fmt.Errorf("warm-up request %d: %w", i+1, err)
		}
	}
	return nil
}

func (in *Instance) warmUpOnce(ctx context.Context, q *Request) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTo(in.spec.WarmupTimeout, DefaultWarmupTimeout))
	defer cancel()
	w := &warmupResponder{in: in}
	if err := in.Serve(ctx, q, w); err != nil {
		return err
	}
	if w.status >= 500 {
		return in.fail("warm-up", &Error{Kind: KindException, Detail: fmt.Sprintf("the application answered %d", w.status)})
	}
	return nil
}

// warmupResponder drops the response but for its status, and passes the log on.
type warmupResponder struct {
	in     *Instance
	status int
}

func (w *warmupResponder) Start(h abi.ResponseHead) error {
	w.status = h.Status
	return nil
}

func (w *warmupResponder) Write([]byte, bool) error { return nil }

func (w *warmupResponder) Log(level abi.LogLevel, text string) {
	w.in.logger().Info("guest", "tenant", w.in.spec.Name, "level", int(level), "text", text)
}

// freeze leaves no Python frame, no open file and a message buffer in memory.
func (in *Instance) freeze(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, defaultTo(in.spec.StartTimeout, DefaultStartTimeout))
	defer cancel()
	if in.buffer.size == 0 {
		if err := in.allocate(ctx, messageSlack); err != nil {
			return in.fail("snapshot", err)
		}
	}
	status, err := in.call(ctx, callBeforeSnapshot, 0, 0)
	if err == nil {
		err = statusError(abi.Status(status), in.trace.String())
	}
	if err != nil {
		in.kill()
		return in.fail("snapshot", err)
	}
	if open := in.sandbox.OpenFiles(); len(open) > 0 {
		return in.fail("snapshot", &Error{Kind: KindInvalid, Detail: "the application keeps files open: " +
			strings.Join(open, ", ") + ": open them in the request, or close them after the import"})
	}
	return nil
}

func defaultTo(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
