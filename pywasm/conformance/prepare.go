package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// prepare fetches, checks and unpacks what a suite needs.
func (w *world) prepare(ctx context.Context, s suite) (sources, error) {
	if s.sdist == "" {
		return w.prepareCPython(ctx)
	}
	out := sources{others: map[string]string{}}
	for _, name := range append([]string{s.sdist}, s.sdists...) {
		pins, err := pinsOf("sdists.txt", []string{name})
		if err != nil {
			return out, err
		}
		tree, err := w.tree(ctx, pins[0])
		if err != nil {
			return out, err
		}
		if name == s.sdist {
			out.tree, out.version = tree, pins[0].version
		}
		out.others[name] = tree
	}
	var err error
	out.site, err = w.site(ctx, s.wheels)
	return out, err
}

// tree is the unpacked source of a pin.
func (w *world) tree(ctx context.Context, p pin) (string, error) {
	archive, err := w.archive(ctx, p)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(w.cache, "sources", p.name+"-"+p.version+"-"+p.sha256[:16])
	return dir, unpackInto(dir, func(root *os.Root) error {
		return errors.Join(untar(root, archive), w.compile(ctx, root.Name(), "/work"))
	})
}

// site is a folder with all the wheels of a suite.
func (w *world) site(ctx context.Context, names []string) (string, error) {
	pins, err := pinsOf("wheels.txt", names)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	var files []string
	for _, p := range pins {
		file, err := w.archive(ctx, p)
		if err != nil {
			return "", err
		}
		files = append(files, file)
		h.Write([]byte(p.sha256))
	}
	dir := filepath.Join(w.cache, "sites", hex.EncodeToString(h.Sum(nil))[:16])
	return dir, unpackInto(dir, func(root *os.Root) error {
		for _, file := range files {
			if err := unzip(root, file); err != nil {
				return err
			}
		}
		return w.compile(ctx, root.Name(), siteDir)
	})
}

// compile writes byte code, so that each unit need not compile all it imports.
// Sources that are wrong on purpose do not compile: what could not be compiled
// is left as it is.
func (w *world) compile(ctx context.Context, dir, guest string) error {
	cmd := exec.CommandContext(ctx, w.nativePython, "-E", "-S", "-m", "compileall", "-qq", "-j2",
		"--invalidation-mode", "unchecked-hash", "-s", dir, "-p", guest, dir)
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
