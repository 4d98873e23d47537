package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// archive is the file of a pin, fetched when the cache lacks it and checked
// against its digest each time.
func (w *world) archive(ctx context.Context, p pin) (string, error) {
	file := filepath.Join(w.cache, "archives", p.sha256)
	switch got, err := fileDigest(file); {
	case err == nil && got == p.sha256:
		return file, nil
	case err == nil:
		w.say("the cached archive of %s is damaged and fetched again", p.name)
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	w.say("fetching %s %s", p.name, p.version)
	if err := w.download(ctx, p, file); err != nil {
		return "", fmt.Errorf("fetching %s %s: %w", p.name, p.version, err)
	}
	return file, nil
}

// download lets pip fetch the pin from the machine's own index, and keeps the
// file whose digest is right. pip checks it too.
func (w *world) download(ctx context.Context, p pin, file string) error {
	tmp, err := os.MkdirTemp(w.tmp, "pip-")
	if err != nil {
		return err
	}
	list := filepath.Join(tmp, "requirements.txt")
	if err := os.WriteFile(list, []byte(p.requirement()+"\n"), 0o600); err != nil {
		return err
	}
	to := filepath.Join(tmp, "files")
	cmd := exec.CommandContext(ctx, "python3", append([]string{"-m", "pip", "download", "--quiet", "--no-deps",
		"--require-hashes", "--dest", to, "--requirement", list}, p.kind()...)...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pip download: %w\n%s", err, said.String())
	}
	return keepFile(to, p.sha256, file)
}

// kind are pip's options for a source, or for a wheel that runs anywhere.
func (p pin) kind() []string {
	if p.sdist {
		return []string{"--no-binary", p.name}
	}
	return []string{"--only-binary", ":all:", "--python-version", "3.13", "--platform", "any", "--implementation", "py", "--abi", "none"}
}

// keepFile moves the file with the digest from a folder to its place.
func keepFile(dir, sha256, to string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from := filepath.Join(dir, e.Name())
		if got, err := fileDigest(from); err != nil || got != sha256 {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.Rename(from, to)
	}
	return fmt.Errorf("pip fetched no file with the digest %s", sha256)
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
