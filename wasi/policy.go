package wasi

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// FS is a file system that a guest may see: wazero's own interface.
type FS = sys.FS

// File is an open file of an FS.
type File = sys.File

// DefaultMaxOpenFiles is what a Policy without MaxOpenFiles allows.
const DefaultMaxOpenFiles = 256

// Mount puts a file system at a directory of the guest.
type Mount struct {
	// Guest is where the guest sees it: absolute and clean, such as "/app".
	Guest string
	// Open returns the file system of one instance. It is called once for each sandbox, so that a file system in
	// memory is new each time; Archive, ReadOnlyDir and WritableDir are safe for concurrent use and meant to be
	// opened once and returned each time. The sandbox closes the files, never the file system.
	Open func() (FS, error)
	// Close, when set, is called once for each Open that succeeded, when the sandbox is closed.
	Close func() error
}

// Policy is all that a guest may touch. The zero value grants clocks, randomness and nothing else.
type Policy struct {
	// Mounts become the preopened directories, in this order, from descriptor 3 on. wasi-libc keeps the numbers in
	// the guest's memory: a snapshot may be restored only under a policy with the same Guest paths in the same order.
	Mounts []Mount
	// Env holds "NAME=value" and is the whole environment: nothing of the host's is added.
	Env []string
	// Args are the guest's argv, the program's name first.
	Args []string
	// Stdin is read when the guest reads descriptor 0; nil is at its end at once.
	Stdin io.Reader
	// Stdout and Stderr get what the guest writes to descriptors 1 and 2; nil discards it. They must not block for
	// long: the guest holds its CPU slot meanwhile. LineWriter is made for them.
	Stdout, Stderr io.Writer
	// MaxOpenFiles caps the descriptors beside stdio and mounts; above it the guest gets EMFILE. 0 means
	// DefaultMaxOpenFiles.
	MaxOpenFiles int
	// Network is whom sockets may reach; nil is nobody.
	Network Network
}

// NewSandbox checks the policy, opens the mounts and returns the state of one instance.
func (p Policy) NewSandbox() (*Sandbox, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	s := &Sandbox{policy: p}
	for i, m := range p.Mounts {
		fsys, err := m.Open()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("wasi: opening the mount %s: %w", m.Guest, err), s.closeMounts())
		}
		s.mounts = append(s.mounts, &mount{guest: m.Guest, fs: fsys, dev: uint64(i) + 1, end: m.Close})
	}
	s.files = newTable(s.initialDescriptors(), p.maxOpenFiles())
	return s, nil
}

func (p Policy) maxOpenFiles() int {
	if p.MaxOpenFiles == 0 {
		return DefaultMaxOpenFiles
	}
	return p.MaxOpenFiles
}

func (p Policy) validate() error {
	if p.MaxOpenFiles < 0 {
		return fmt.Errorf("wasi: MaxOpenFiles is %d: it must not be negative", p.MaxOpenFiles)
	}
	for _, arg := range p.Args {
		if strings.IndexByte(arg, 0) >= 0 {
			return fmt.Errorf("wasi: the argument %q contains NUL: remove it", arg)
		}
	}
	return errors.Join(validateEnv(p.Env), validateMounts(p.Mounts))
}

// validateEnv names the variable and never its value, which may be a secret.
func validateEnv(env []string) error {
	seen := make(map[string]bool, len(env))
	for i, entry := range env {
		name, _, found := strings.Cut(entry, "=")
		switch {
		case !found || name == "":
			return fmt.Errorf("wasi: environment entry %d is not NAME=value", i)
		case strings.IndexByte(entry, 0) >= 0:
			return fmt.Errorf("wasi: the environment variable %q contains NUL: remove it", name)
		case seen[name]:
			return fmt.Errorf("wasi: the environment variable %q is set twice: keep one", name)
		}
		seen[name] = true
	}
	return nil
}

func validateMounts(mounts []Mount) error {
	seen := make(map[string]bool, len(mounts))
	for _, m := range mounts {
		switch {
		case !path.IsAbs(m.Guest) || path.Clean(m.Guest) != m.Guest || checkText(m.Guest[1:]+".") != 0:
			return fmt.Errorf("wasi: %q is not an absolute, clean path: cannot mount there", m.Guest)
		case m.Open == nil:
			return fmt.Errorf("wasi: the mount %s has no Open function", m.Guest)
		case seen[m.Guest]:
			return fmt.Errorf("wasi: %s is mounted twice: keep one", m.Guest)
		}
		seen[m.Guest] = true
	}
	return nil
}
