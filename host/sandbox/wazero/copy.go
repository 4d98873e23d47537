package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/host/patching"
)

// path is the module that is patched.
const path = "github.com/tetratelabs/wazero"

// module is what `go mod download -json` says of it.
type module struct{ Version, Dir, Sum, Error string }

// download has the go command fetch the version of go.mod and compare it with
// go.sum.
func download(ctx context.Context) (module, error) {
	var m module
	b, err := patching.Output(ctx, "go", "mod", "download", "-json", path)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("go mod download: %w", err)
	}
	if m.Error != "" {
		return m, errors.New(m.Error)
	}
	return m, nil
}

// copyOf is a patched copy of a module in the folder out.
type copyOf struct {
	module  module
	patches []patch
	out     string
}

// patch is a file in this folder.
type patch struct {
	name string
	text []byte
}

func (c copyOf) src() string { return filepath.Join(c.out, "src") }

// stamp says what a copy was made of.
func (c copyOf) stamp() string {
	h := sha256.New()
	parts := [][]byte{[]byte(c.module.Version), []byte(c.module.Sum)}
	for _, p := range c.patches {
		parts = append(parts, p.text)
	}
	for _, part := range parts {
		fmt.Fprintf(h, "%d ", len(part))
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// make makes the copy, unless it is there. It is renamed into place when it is
// whole.
func (c copyOf) make(ctx context.Context) error {
	if b, err := os.ReadFile(filepath.Join(c.src(), ".stamp")); err == nil && string(b) == c.stamp() {
		return nil
	}
	if err := os.MkdirAll(c.out, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.out, "making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	src := filepath.Join(work, "src")
	if err := os.CopyFS(src, os.DirFS(c.module.Dir)); err != nil {
		return err
	}
	for _, p := range c.patches {
		if err := c.apply(ctx, src, p); err != nil {
			return err
		}
	}
	if err := c.nameCache(src); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(src, ".stamp"), []byte(c.stamp()), 0o644); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(c.src()), os.Rename(src, c.src()))
}

// apply patches the copy. A line that does not fit fails: the patch is for one
// version.
func (c copyOf) apply(ctx context.Context, src string, p patch) error {
	err := patching.Apply(ctx, src, p.text)
	if unfit := (patching.UnfitError{}); errors.As(err, &unfit) {
		return fmt.Errorf("a patch does not fit %s %s: write host/sandbox/wazero/%s anew for it (%w):\n%s",
			path, c.module.Version, p.name, unfit.Exit, unfit.Said)
	}
	return err
}

// nameCache has the copy keep compiled code in a folder that no other set of
// patches uses: cache.patch has prepared its name.
func (c copyOf) nameCache(src string) error {
	name := filepath.Join(src, "cache.go")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(name, bytes.Replace(b, []byte("-patched-"), []byte("-"+c.stamp()[:12]+"-"), 1), 0o644)
}

// writeGoMod writes go.mod and go.sum for -modfile.
func (c copyOf) writeGoMod(ctx context.Context) error {
	gomod, err := patching.Output(ctx, "go", "env", "GOMOD")
	if err != nil {
		return err
	}
	root := filepath.Dir(string(bytes.TrimSpace(gomod)))
	b, err := patching.Output(ctx, "go", "mod", "edit", "-print", "-replace", path+"="+c.from(root))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	return errors.Join(patching.Keep(filepath.Join(c.out, "go.mod"), b), patching.Keep(filepath.Join(c.out, "go.sum"), sum))
}

// from is the copy as seen from the project, so that the path of a machine does
// not get into the binary.
func (c copyOf) from(root string) string {
	if rel, err := filepath.Rel(root, c.src()); err == nil && filepath.IsLocal(rel) {
		return "./" + filepath.ToSlash(rel)
	}
	return c.src()
}
