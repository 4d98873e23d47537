package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// benchDir is the folder of these sources; the command runs at the top of the
// repository.
func benchDir() string {
	abs, err := filepath.Abs(filepath.Join("host", "bench"))
	if err != nil {
		return filepath.Join("host", "bench")
	}
	return abs
}

// prepare installs what is missing. It is quick when nothing is.
func (b *bench) prepare(ctx context.Context) error {
	if _, err := os.Stat(b.opt.binary); err != nil {
		return fmt.Errorf("%s is missing: run make build first (%w)", b.opt.binary, err)
	}
	if err := os.MkdirAll(b.opt.work, 0o755); err != nil {
		return err
	}
	if err := b.installWrk(ctx); err != nil {
		return err
	}
	if err := b.makeVenv(ctx); err != nil {
		return err
	}
	return b.makeApps(ctx)
}

func (b *bench) installWrk(ctx context.Context) error {
	if _, err := exec.LookPath("wrk"); err == nil {
		return nil
	}
	return b.apt(ctx, "wrk")
}

// apt installs a Debian package.
func (b *bench) apt(ctx context.Context, name string) error {
	args := []string{"apt-get", "install", "-y", "-q", "--no-install-recommends", name}
	if os.Getuid() != 0 {
		args = append([]string{"sudo"}, args...)
	}
	if err := b.tool(ctx, args...); err != nil {
		return fmt.Errorf("install %s: %w. Install it by hand and run again", name, err)
	}
	return nil
}

func (b *bench) venv() string { return filepath.Join(b.opt.work, "venv") }

func (b *bench) venvBin(name string) string { return filepath.Join(b.venv(), "bin", name) }

func (b *bench) venvPython() string { return b.venvBin("python") }

// makeVenv makes the environment anew when the interpreter or the list of
// packages is not what it was made from.
func (b *bench) makeVenv(ctx context.Context) error {
	list := filepath.Join(benchDir(), "peers.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	version := output(b.opt.python, "-c", "import sys; print(sys.version, sys.prefix)")
	sum := sha256.Sum256(append(text, version...))
	mark, want := filepath.Join(b.venv(), "made-from"), hex.EncodeToString(sum[:])
	if have, err := os.ReadFile(mark); err == nil && string(have) == want {
		return nil
	}
	if err := b.emptyVenv(ctx); err != nil {
		return fmt.Errorf("make an environment for the peers: %w", err)
	}
	err = b.tool(ctx, b.venvPython(), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", list)
	if err != nil {
		return fmt.Errorf("install the peers: %w", err)
	}
	return os.WriteFile(mark, []byte(want), 0o644)
}

// emptyVenv needs a package more on Debian, whose python3 comes without pip.
func (b *bench) emptyVenv(ctx context.Context) error {
	args := []string{b.opt.python, "-m", "venv", "--clear", b.venv()}
	first := b.tool(ctx, args...)
	if first == nil {
		return nil
	}
	if err := b.apt(ctx, "python3-venv"); err != nil {
		return errors.Join(first, err)
	}
	return b.tool(ctx, args...)
}

// tool runs a command whose words matter only when it fails.
func (b *bench) tool(ctx context.Context, args ...string) error {
	return b.toolIn(ctx, "", args...)
}

func (b *bench) toolIn(ctx context.Context, dir string, args ...string) error {
	b.show.doing("%s", filepath.Base(args[0]))
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir = dir
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Run(); err != nil {
		text := said.Bytes()
		return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, text[max(0, len(text)-2000):])
	}
	return nil
}
