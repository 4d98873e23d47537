package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/wasgi/wasgi/host/patching"
)

//go:embed server.patch
var serverPatch []byte

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := flag.String("out", ".nethttp", "folder for the patched file, overlay.json and the link")
	check := flag.Bool("check", false, "run net/http's own tests with the patch")
	flag.Parse()
	if err := run(ctx, *out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "nethttp:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, check bool) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	root, version, err := toolchain(ctx)
	if err != nil {
		return err
	}
	o := overlay{root: root, version: version, patch: serverPatch, out: out}
	err = o.make(ctx)
	if unfit := (patching.UnfitError{}); errors.As(err, &unfit) && !check {
		fmt.Fprintln(os.Stderr, "nethttp:", err)
		return nil
	}
	if err != nil || !check {
		return err
	}
	return o.test(ctx)
}

// toolchain is where the Go is that go.mod wants, and which one it is.
func toolchain(ctx context.Context) (root, version string, err error) {
	b, err := patching.Output(ctx, "go", "env", "GOROOT", "GOVERSION")
	if err != nil {
		return "", "", err
	}
	root, version, found := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if !found || root == "" {
		return "", "", fmt.Errorf("go env says %q for GOROOT and GOVERSION", b)
	}
	root, err = filepath.EvalSymlinks(root) // it may be the link of another run
	return root, version, err
}

// test runs net/http's own tests with the overlay.
func (o overlay) test(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(o.link(), "bin", "go"), "test", "-overlay", o.json(), "net/http")
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOTOOLCHAIN=local", "GOROOT="+o.link())
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("net/http's own tests with the patch: %w", err)
	}
	return nil
}
