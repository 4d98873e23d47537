package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// file is what is patched, below the root of Go.
const file = "src/net/http/server.go"

// overlay is what go build -overlay takes.
type overlay struct {
	root, version string // of Go
	patch         []byte
	out           string // folder
}

func (o overlay) link() string { return filepath.Join(o.out, "go") }
func (o overlay) json() string { return filepath.Join(o.out, "overlay.json") }

// unfitError says that Go's file is another one than the patch is for.
type unfitError struct {
	version string
	said    []byte
}

func (e unfitError) Error() string {
	return fmt.Sprintf("net/http of %s is used as it is, which costs a tenth of the requests of a small application: host/nethttp/server.patch does not fit\n%s",
		e.version, bytes.TrimSpace(e.said))
}

// make writes link, file and overlay.json; what is right already keeps its time.
// After unfitError the overlay replaces nothing.
func (o overlay) make(ctx context.Context) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if err := o.point(); err != nil {
		return err
	}
	patched, err := o.patched(ctx)
	var unfit unfitError
	if err != nil && !errors.As(err, &unfit) {
		return err
	}
	replace := map[string]string{}
	if err == nil {
		name := filepath.Join(o.out, "server.go")
		if err := keep(name, patched); err != nil {
			return err
		}
		replace[filepath.Join(o.link(), filepath.FromSlash(file))] = name
	}
	b, failed := json.Marshal(map[string]any{"Replace": replace})
	return errors.Join(err, failed, keep(o.json(), b))
}

// point has the link name the root of Go.
func (o overlay) point() error {
	if to, err := os.Readlink(o.link()); err == nil && to == o.root {
		return nil
	}
	if err := os.RemoveAll(o.link()); err != nil { // of a link, the link
		return err
	}
	return os.Symlink(o.root, o.link())
}

// patched is Go's file with the patch.
func (o overlay) patched(ctx context.Context) ([]byte, error) {
	original, err := os.ReadFile(filepath.Join(o.root, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp(o.out, "making-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	name := filepath.Join(work, "server.go")
	if err := os.WriteFile(name, original, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "patch", "--batch", "--forward", "--fuzz=0", "--no-backup-if-mismatch", name)
	cmd.Stdin = bytes.NewReader(o.patch)
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return nil, unfitError{o.version, said}
	case err != nil:
		return nil, fmt.Errorf("the program patch is missing: install it (Debian: apt-get install patch): %w", err)
	}
	return os.ReadFile(name)
}

// keep writes a file that differs.
func keep(name string, content []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
		return nil
	}
	return os.WriteFile(name, content, 0o644)
}
