package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/host/patching"
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

// make writes link, file and overlay.json; what is right already keeps its time.
// After patching.UnfitError the overlay replaces nothing.
func (o overlay) make(ctx context.Context) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if err := o.point(); err != nil {
		return err
	}
	patched, err := o.patched(ctx)
	if unfit := (patching.UnfitError{}); errors.As(err, &unfit) {
		err = fmt.Errorf("net/http of %s is used as it is, which costs a tenth of the requests of a small application: host/nethttp/server.patch: %w", o.version, err)
	} else if err != nil {
		return err
	}
	replace := map[string]string{}
	if err == nil {
		name := filepath.Join(o.out, "server.go")
		if err := patching.Keep(name, patched); err != nil {
			return err
		}
		replace[filepath.Join(o.link(), filepath.FromSlash(file))] = name
	}
	b, failed := json.Marshal(map[string]any{"Replace": replace})
	return errors.Join(err, failed, patching.Keep(o.json(), b))
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
	name := filepath.Join(work, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(name, original, 0o644); err != nil {
		return nil, err
	}
	if err := patching.Apply(ctx, work, o.patch); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}
