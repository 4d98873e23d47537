package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// peerPackages are the peers that come from PyPI; the frameworks come from the
// applications' own requirements, so that both sides run the same versions.
// pyuwsgi is uWSGI as a wheel.
func peerPackages() []string { return []string{"gunicorn==23.0.0", "pyuwsgi==2.0.30"} }

func setUp(ctx context.Context, opt options) error {
	if _, err := os.Stat(opt.binary); err != nil {
		return fmt.Errorf("%s is missing: run make build first (%w)", opt.binary, err)
	}
	if err := os.MkdirAll(opt.work, 0o755); err != nil {
		return err
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		if err := aptInstall(ctx, "wrk"); err != nil {
			return err
		}
	}
	return makeVenv(ctx, opt)
}

func aptInstall(ctx context.Context, pkg string) error {
	args := []string{"apt-get", "install", "-y", "-q", "--no-install-recommends", pkg}
	if os.Getuid() != 0 {
		args = append([]string{"sudo"}, args...)
	}
	if err := command(ctx, args...).Run(); err != nil {
		return fmt.Errorf("install %s: %w. Install it by hand and run again", pkg, err)
	}
	return nil
}

func makeVenv(ctx context.Context, opt options) error {
	venv := filepath.Join(opt.work, "venv")
	if _, err := os.Stat(filepath.Join(venv, "bin", "pip")); err != nil {
		if err := command(ctx, "python3", "-m", "venv", venv).Run(); err != nil {
			return fmt.Errorf("python3 -m venv: %w. On Debian, install python3-venv", err)
		}
	}
	args := append([]string{filepath.Join(venv, "bin", "pip"), "install", "-q", "--only-binary", ":all:"}, peerPackages()...)
	for _, app := range opt.apps {
		req := filepath.Join(appDir(app), "requirements.txt")
		if _, err := os.Stat(req); err == nil {
			args = append(args, "-r", req)
		}
	}
	if err := command(ctx, args...).Run(); err != nil {
		return fmt.Errorf("pip install of the peers: %w", err)
	}
	return nil
}

func appDir(app string) string {
	abs, err := filepath.Abs(filepath.Join("host", "bench", "apps", app))
	if err != nil {
		return app
	}
	return abs
}

// command shows what a tool says, on standard error.
func command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Stdout, c.Stderr = os.Stderr, os.Stderr
	return c
}
