// Package patching is what the commands have in common that patch what wasgi is
// built with: host/sandbox/wazero and host/nethttp.
package patching

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// UnfitError says that a patch is for other files than those that are there.
type UnfitError struct {
	Said []byte // by the program patch
	Exit error
}

// Error implements error.
func (e UnfitError) Error() string {
	return fmt.Sprintf("the patch does not fit (%v):\n%s", e.Exit, bytes.TrimSpace(e.Said))
}

// Unwrap is how the program patch ended.
func (e UnfitError) Unwrap() error { return e.Exit }

// Apply applies a unified diff whose names begin with a/ and b/ to the files
// below dir, line by line as they are. It fails with UnfitError, and then some of
// it may have been applied.
func Apply(ctx context.Context, dir string, diff []byte) error {
	cmd := exec.CommandContext(ctx, "patch", "-p1", "--batch", "--forward", "--fuzz=0", "--no-backup-if-mismatch")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(diff)
	said, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the program patch is missing: install it (Debian: apt-get install patch)")
	case err != nil:
		return UnfitError{said, err}
	}
	return nil
}

// Keep writes a file that differs from content. One that is right keeps its time,
// so that nothing is built again.
func Keep(name string, content []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
		return nil
	}
	return os.WriteFile(name, content, 0o644)
}

// Output runs a program and returns what it prints; what it complains about is
// part of the error. A go command sees the project's go.mod, and nothing that a
// patching command has written.
func Output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	b, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s %q: %w: %s", name, args, err, exit.Stderr)
	}
	return b, err
}
