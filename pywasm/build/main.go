package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// options are the flags of the command line.
type options struct {
	out, cache, guest, from, where string
	jobs                           int
	list, json, quick, tests       bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "build:", err)
		}
		stop()
		os.Exit(1)
	}
}

// parse reads the flags.
func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("build", flag.ContinueOnError)
	f.StringVar(&o.out, "out", filepath.Join("pywasm", "artifact"), "folder that gets the guest")
	f.StringVar(&o.cache, "cache", "", "folder that keeps results (default $WASGI_BUILD_CACHE, else the user's cache folder)")
	f.StringVar(&o.guest, "guest", filepath.Join("pywasm", "guest"), "folder of our C and Python sources")
	f.StringVar(&o.from, "from", "", "make this step again, and all that depend on it")
	f.StringVar(&o.where, "where", "", "print the folder with this step's result instead of delivering the guest; progress goes to standard error")
	f.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many steps, and compilers in a step, run at a time")
	f.BoolVar(&o.list, "list", false, "list the steps and stop")
	f.BoolVar(&o.quick, "quick", false, "leave out the optimiser and the branch hints: a guest for trials, some 20 % slower")
	f.BoolVar(&o.tests, "test-modules", false, "add the modules that only CPython's own tests use: a guest for make conformance")
	f.BoolVar(&o.json, "json", false, "print progress, or the list, as lines of JSON")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q (see --help)", f.Arg(0))
	}
	return o, nil
}

// run does what the command line asks for.
func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	guest, err := filepath.Abs(o.guest)
	if err != nil {
		return err
	}
	steps := plan(guest, o.quick, o.tests)
	if o.where == suitesStep {
		steps = suitePlan()
	}
	if o.list {
		return list(os.Stdout, steps, o.json)
	}
	for _, step := range []string{o.from, o.where} {
		if step != "" && !slices.Contains(names(steps), step) {
			return fmt.Errorf("there is no step %s; there are %s", step, strings.Join(names(steps), ", "))
		}
	}
	return assemble(ctx, o, steps, guest)
}

// assemble builds the guest and puts it into the output folder.
func assemble(ctx context.Context, o options, steps []step, guest string) error {
	dir, err := cacheDir(o.cache)
	if err != nil {
		return err
	}
	c, err := openCache(dir)
	if err != nil {
		return err
	}
	defer c.close()
	p := newProgress(o.progress(), o.json, len(steps))
	b := &builder{steps: steps, cache: c, guest: guest, jobs: o.jobs, from: o.from, progress: p,
		keys: map[string]digest{}, digests: map[string]digest{}, made: map[string]bool{}}
	err = b.build(ctx)
	p.close()
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again, and it goes on with the step it was at")
	}
	if err != nil {
		return err
	}
	if o.where != "" {
		fmt.Println(b.out(o.where))
		return nil
	}
	return b.deliver(o.out)
}

// progress is where progress is shown: standard output, unless that is for
// the answer to --where.
func (o options) progress() *os.File {
	if o.where != "" {
		return os.Stderr
	}
	return os.Stdout
}

// cacheDir is where results are kept.
func cacheDir(flag string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	if env := os.Getenv("WASGI_BUILD_CACHE"); env != "" {
		return env, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: name a folder with --cache", err)
	}
	return filepath.Join(dir, "wasgi", "build"), nil
}

// list prints the steps and what each needs.
func list(w io.Writer, steps []step, asJSON bool) error {
	for i, s := range steps {
		needs := strings.Join(s.needs, " ")
		if asJSON {
			fmt.Fprintf(w, "{\"step\":%q,\"needs\":%q}\n", s.name, needs)
			continue
		}
		fmt.Fprintf(w, "[%2d/%d] %-9s needs %s\n", i+1, len(steps), s.name, needs)
	}
	return nil
}
