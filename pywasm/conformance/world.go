package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where the guest sees things.
const (
	siteDir    = "/site"
	helperDir  = "/conformance"
	resultDir  = "/results"
	standinDir = helperDir + "/standins"
	cpythonDir = "/cpython"
)

//go:embed guest
var helpers embed.FS

// A world is what all units of a run share.
type world struct {
	options
	nativePython string // of the guest's build
	buildFetch   string // folder with CPython's checked sources
	tmp          string // removed in the end
	helpers      string // our Python files
}

func newWorld(ctx context.Context, o options) (*world, error) {
	w := &world{options: o}
	native, err := buildStep(ctx, "native")
	if err != nil {
		return nil, err
	}
	w.nativePython = filepath.Join(native, "build", "python")
	if w.buildFetch, err = buildStep(ctx, "fetch"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.cache, 0o755); err != nil {
		return nil, err
	}
	if w.tmp, err = os.MkdirTemp("", "wasgi-conformance-"); err != nil {
		return nil, err
	}
	w.helpers = filepath.Join(w.tmp, "helpers")
	return w, w.writeHelpers()
}

// close removes what the run needed.
func (w *world) close() {
	if err := os.RemoveAll(w.tmp); err != nil {
		w.say("%v", err)
	}
}

// buildStep is the folder with the result of a step of the guest's build.
func buildStep(ctx context.Context, step string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./pywasm/build", "--where", step)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking the guest's build for %s: %w\n%s", step, err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func (w *world) writeHelpers() error {
	files, err := fs.Sub(helpers, "guest")
	if err != nil {
		return err
	}
	return os.CopyFS(w.helpers, files)
}

// say tells a person what goes on.
func (w *world) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "conformance: "+format+"\n", args...)
}
