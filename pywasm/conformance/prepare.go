package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// prepare fetches, checks and unpacks what a suite needs.
func (w *world) prepare(ctx context.Context, s suite) (sources, error) {
	var out sources
	var err error
	switch {
	case s.sdist != "":
		out, err = w.sdists(ctx, s)
	case s.debian != "":
		out, err = w.debian(ctx, s.debian)
	default:
		return w.prepareCPython(ctx)
	}
	if err == nil {
		out.site, err = w.site(ctx, s.wheels)
	}
	return out, err
}

// sdists are the sources of a suite that come from the package index.
func (w *world) sdists(ctx context.Context, s suite) (sources, error) {
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
	return out, nil
}

// debian is the upstream source of one of Debian's packages, which the guest's
// build fetches and checks. The name of its folder there holds the digest.
func (w *world) debian(ctx context.Context, name string) (sources, error) {
	fetched, err := buildStep(ctx, "suites")
	if err != nil {
		return sources{}, err
	}
	found, err := filepath.Glob(filepath.Join(fetched, name, "*.orig.tar.?z"))
	if err != nil || len(found) != 1 {
		return sources{}, errors.Join(err, fmt.Errorf("%s has no tarball of %s", fetched, name))
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(found[0]), name+"_"), ".orig.tar.")
	dir := filepath.Join(w.cache, "sources", name+"-"+version+"-"+filepath.Base(filepath.Dir(fetched)))
	return sources{tree: dir, version: version}, unpackInto(dir, func(root *os.Root) error {
		cmd := exec.CommandContext(ctx, "tar", "-xf", found[0], "-C", root.Name(), "--strip-components=1", "--no-same-owner")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("unpacking %s: %w\n%s", name, err, out)
		}
		return w.compile(ctx, root.Name(), "/work")
	})
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
