package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
)

// Sandbox is the host's side of one instance: its mounts, its descriptors, its sleep. Like the instance it belongs to,
// it is used by one goroutine at a time.
type Sandbox struct {
	policy Policy
	mounts []*mount
	files  *table
	locks  locks
	modes  modes
	used   bool // a path on a WritableDir was looked at
	// refusal is the text of the network's last one.
	refusal string
	sleeper
	toll
}

type mount struct {
	guest string
	fs    FS
	dev   uint64
	end   func() error // Mount.Close; nil for none, and once it was called
}

// guestPath is the absolute path by which the guest knows name.
func (m *mount) guestPath(name string) string {
	switch {
	case name == ".":
		return m.guest
	case m.guest == "/":
		return "/" + name
	}
	return m.guest + "/" + name
}

// guestPath is the path by which the guest opened d, or what it is.
func (d *descriptor) guestPath() string {
	if s, ok := socketIn(d); ok {
		return s.describe()
	}
	if d.mount == nil {
		return "a copy of stdin, stdout or stderr"
	}
	return d.mount.guestPath(d.path)
}

type contextKey struct{}

// Context returns a context by which the functions of Instantiate find this sandbox. Every call into the guest,
// instantiation included, must carry it.
func (s *Sandbox) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

// fromContext panics without a sandbox: wazero turns that into the error of the call, and only the host can cause it.
func fromContext(ctx context.Context) *Sandbox {
	s, ok := ctx.Value(contextKey{}).(*Sandbox)
	if !ok {
		panic("wasi: the context of this call carries no sandbox: make it with Sandbox.Context")
	}
	return s
}

// ModuleConfig returns what wazero itself must know, the same for every instance: real clocks and real randomness.
// Arguments, environment and files are not in it, they belong to the functions that Instantiate exports; a guest linked
// with wazero's own WASI functions fails at its first look at a file.
func ModuleConfig() wazero.ModuleConfig {
	tripwire := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(tripwire{}, "/")
	return wazero.NewModuleConfig().
		WithWalltime(walltime, clockResolution).
		WithNanotime(nanotime, clockResolution).
		WithOsyield(runtime.Gosched).
		WithRandSource(rand.Reader).
		WithFSConfig(tripwire)
}

// tripwire stands where wazero's own WASI functions look for files, and says what is wrong. Without it a guest linked
// with them would merely find no file.
type tripwire struct{ unlinked }

type unlinked = sys.UnimplementedFS

func (tripwire) OpenFile(string, sys.Oflag, fsMode) (File, sys.Errno) {
	panic("wasi: the guest is linked with wazero's own WASI functions: link it with wasi.Instantiate")
}

// OpenFiles returns the guest paths of the descriptors that are open beside stdio and mounts, or in place of stdio, and of
// sockets the line that opened them. A snapshot must not be taken while there are any.
func (s *Sandbox) OpenFiles() []string {
	var paths []string
	for fd, d := range s.files.slots {
		if s.files.opened(fd) {
			paths = append(paths, d.guestPath())
		}
	}
	return paths
}

// UsedWritable reports whether the guest has looked at any path of a WritableDir: what it knows from there can be out of
// date by the time a snapshot of it is restored.
func (s *Sandbox) UsedWritable() bool { return s.used }

// MemoryInUse is the number of bytes that file systems in memory and open directories hold for this sandbox.
func (s *Sandbox) MemoryInUse() int64 {
	var n int64
	for _, d := range s.files.slots {
		if d == nil {
			continue
		}
		n += d.listing.size
		if k, ok := d.file.(*socket); ok {
			n += k.inUse()
		}
	}
	for _, m := range s.mounts {
		if r, ok := m.fs.(interface{ InUse() int64 }); ok {
			n += r.InUse()
		}
	}
	return n
}

// resetter is a file system that lives as long as one instance, such as Memory.
type resetter interface{ Reset() }

// Reset puts the sandbox back into the state after NewSandbox: descriptors closed but for stdio and mounts, locks given
// up, file systems in memory empty. The error joins those of closing; the sandbox is reset all the same.
func (s *Sandbox) Reset() error {
	err := s.vacate()
	for _, m := range s.mounts {
		if r, ok := m.fs.(resetter); ok {
			r.Reset()
		}
	}
	return err
}

// Close gives up the guest's locks and closes what it left open, and the mounts. The sandbox must not be used
// afterwards; closing twice does nothing.
func (s *Sandbox) Close() error { return errors.Join(s.vacate(), s.closeMounts()) }

// closeMounts ends what NewSandbox has opened, once.
func (s *Sandbox) closeMounts() error {
	var errs []error
	for _, m := range s.mounts {
		if m.end != nil {
			errs = append(errs, m.end())
			m.end = nil
		}
	}
	return errors.Join(errs...)
}

// vacate is what Reset and Close have in common.
func (s *Sandbox) vacate() error {
	s.modes = modes{}
	s.locks.release()
	return s.files.reset()
}

// initialDescriptors are stdio and one preopened directory for each mount, in the order of the policy.
func (s *Sandbox) initialDescriptors() []*descriptor {
	slots := []*descriptor{
		{file: newStdin(s.policy.Stdin), fixed: true},
		{file: newStdout(s.policy.Stdout), fixed: true},
		{file: newStdout(s.policy.Stderr), fixed: true},
	}
	for _, m := range s.mounts {
		slots = append(slots, &descriptor{file: &rootDir{fs: m.fs}, mount: m, path: ".", dir: true, fixed: true})
	}
	return slots
}
