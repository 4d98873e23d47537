package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

//go:embed *.patch
var files embed.FS

// patches are the files of this folder, in the order in which they apply.
func patches() ([]patch, error) {
	var all []patch
	for _, name := range []string{"cache.patch", "registers.patch", "branches.patch", "constants.patch", "lea.patch", "table.patch",
		"coldexits.patch", "slots.patch", "jumps.patch", "extends.patch", "guard.patch", "short.patch",
		"hints.patch", "counts.patch"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, patch{name, text})
	}
	return all, nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := flag.String("out", ".wazero", "folder for the copy and its go.mod")
	check := flag.Bool("check", false, "run wazero's own tests on the copy")
	flag.Parse()
	if err := run(ctx, *out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "wazero:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, check bool) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	m, err := download(ctx)
	if err != nil {
		return err
	}
	all, err := patches()
	if err != nil {
		return err
	}
	c := copyOf{module: m, patches: all, out: out}
	if err := c.make(ctx); err != nil {
		return err
	}
	if err := c.writeGoMod(ctx); err != nil {
		return err
	}
	if check {
		return c.test(ctx)
	}
	return nil
}

// texts are tests that compare the compiler's output letter by letter, and
// whose letters the patches change: sub became lea, constant addresses have no
// checks, and calls through a fixed table fewer.
const texts = "TestE2E/tail_recursive_fibonacci|TestCompiler_LowerToSSA/(Atomic|call_indirect)"

// test runs wazero's tests of its compiler, and the specification's once more with memories that have a guard.
func (c copyOf) test(ctx context.Context) error {
	return errors.Join(
		c.goTest(ctx, "-skip", texts, spec, "./internal/engine/wazevo/...", "./internal/integration_test/engine/...", "./experimental/..."),
		c.goTest(ctx, withGuard()...))
}

// spec is where the specification's tests are.
const spec = "./internal/integration_test/spectest/..."

// withGuard runs those with memories that have a guard.
func withGuard() []string { return []string{"-tags", "guarded_tests", spec} }

func (c copyOf) goTest(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test"}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.src(), os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "GOFLAGS=") // its own go.mod
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("wazero's own tests of the patched copy: %w", err)
	}
	return nil
}
