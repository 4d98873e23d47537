package sandbox

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// spareRoom is what an application must be allowed beside the memory of a spare
// interpreter: what that has imported and the application does not need is let go
// only after the application has been loaded.
const spareRoom = 64 << 20

// Spare is an interpreter that waits for an application: it has booted, and has
// imported ahead what most applications import (pywasm/guest, _wasgi_spare.py). One
// application can have it, and nobody has had it before: no tenant's bytes are in it,
// and its hash seed is its own. The zero value holds none.
type Spare struct{ in *Instance }

// NewSpare boots one. Of the spec it takes Policy, whose mounts are those that every
// application has first and whose environment is what most have; Budget, which pays
// while it waits; StartTimeout and Logger.
func (e *Engine) NewSpare(ctx context.Context, spec Spec) (*Spare, error) {
	spec.MemoryLimit = maxMemory // of what is reserved; the application's own limit holds later
	in, err := e.instantiate(instanceConfig{spec: &spec})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTo(spec.StartTimeout, DefaultStartTimeout))
	defer cancel()
	err = in.boot(ctx, abi.Boot{Mode: abi.BootModeSpare, Args: spec.Boot.Args})
	if open := in.sandbox.OpenFiles(); err == nil && len(open) > 0 {
		err = in.fail("boot", &Error{Kind: KindInvalid, Detail: "a spare interpreter keeps files open: " + strings.Join(open, ", ")})
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return &Spare{in}, nil
}

// Close frees it, unless an application has it.
func (s *Spare) Close() error {
	if s.in == nil {
		return nil
	}
	return s.in.Close()
}

// spare asks for an interpreter that waits; nil for none.
func (spec *Spec) spare(ctx context.Context) *Spare {
	if spec.Spare == nil || spec.Boot.Mode != "" && spec.Boot.Mode != abi.BootModeWSGI {
		return nil
	}
	return spec.Spare(ctx, func(s *Spare) bool { return s.in != nil && s.in.suits(spec) })
}

// adoptedBy makes s the application's, or frees it and is false.
func (s *Spare) adoptedBy(ctx context.Context, spec *Spec) bool {
	if s == nil || s.in == nil {
		return false
	}
	if err := s.in.adopt(ctx, spec); err != nil {
		s.in.engine.logger.Debug("a spare interpreter is not used", "tenant", spec.Name, "reason", err)
		_ = s.in.Close() // there is nothing in it
		return false
	}
	s.in.engine.logger.Debug("a spare interpreter is used", "tenant", spec.Name)
	return true
}

var errUnfit = errors.New("the application is to have one of its own: for its memory limit, folders, or environment")

// adopt makes a spare interpreter the application's.
func (in *Instance) adopt(ctx context.Context, spec *Spec) error {
	if !in.suits(spec) {
		return errUnfit
	}
	if !in.moveTo(spec) {
		return errNoMemory
	}
	before := in.sandbox
	in.spec = spec
	if err := in.furnish(spec.Policy); err != nil {
		return err
	}
	if err := before.Close(); err != nil {
		return err
	}
	boot := spec.Boot
	boot.Mode = abi.BootModeWSGI
	return in.deliver(ctx, "boot", callBoot, boot.Encode)
}

// moveTo has the application's budget pay for everything, or changes nothing.
func (in *Instance) moveTo(spec *Spec) bool {
	var b books
	if !b.open(spec.Budget) {
		return false
	}
	if !in.memory.moveTo(spec.Budget, spec.memoryLimit()) {
		b.close(spec.Budget)
		return false
	}
	in.books.close(in.spec.Budget)
	in.books = b
	return true
}

// suits says whether a start of the application would have come to where the spare
// interpreter stands.
func (in *Instance) suits(spec *Spec) bool {
	own, app := in.spec.Policy, spec.Policy
	return spec.memoryLimit() >= in.memory.size+spareRoom &&
		len(app.Mounts) >= len(own.Mounts) &&
		slices.EqualFunc(own.Mounts, app.Mounts[:len(own.Mounts)], func(a, b wasi.Mount) bool { return a.Guest == b.Guest }) &&
		maps.Equal(readAtStart(own.Env), readAtStart(app.Env))
}

// readAtStart is the part of an environment that the interpreter, its C library or a
// module that is imported ahead reads once.
func readAtStart(env []string) map[string]string {
	early := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"PYTHON", "LANG", "LC_", "TZ", "OPENSSL"} {
			if strings.HasPrefix(name, prefix) {
				early[name] = value
			}
		}
	}
	return early
}
