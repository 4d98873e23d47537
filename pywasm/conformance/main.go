package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
)

// options are the flags of the command line.
type options struct {
	suites, cache, out       string
	wasgi, wasgiTests        string         // binaries
	run                      *regexp.Regexp // nil: all units
	jobs                     int
	native, json, list, keep bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "conformance:", err)
		}
		stop()
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	var pattern string
	f := flag.NewFlagSet("conformance", flag.ContinueOnError)
	f.StringVar(&o.suites, "suite", "", "suites to run, with commas between (default all)")
	f.StringVar(&pattern, "run", "", "run only units, such as a test module, whose name matches this regular expression")
	f.StringVar(&o.wasgi, "wasgi", filepath.Join("bin", "wasgi"), "the binary to test")
	f.StringVar(&o.wasgiTests, "wasgi-tests", "", "the binary for CPython's own tests, whose guest was built with --test-modules (default: that of --wasgi)")
	f.StringVar(&o.cache, "cache", "", "folder that keeps sources and logs (default: wasgi/conformance in the user's cache folder)")
	f.StringVar(&o.out, "out", filepath.Join("pywasm", "conformance"), "folder for RESULTS.md and RESULTS.json")
	f.IntVar(&o.jobs, "jobs", min(2, runtime.NumCPU()), "how many units run at a time")
	f.BoolVar(&o.native, "native", false, "run with the build's own native CPython instead, to compare; nothing is judged or kept")
	f.BoolVar(&o.json, "json", false, "print lines of JSON")
	f.BoolVar(&o.list, "list", false, "list the units and stop")
	f.BoolVar(&o.keep, "keep", true, "write RESULTS.md and RESULTS.json")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q (see --help)", f.Arg(0))
	}
	var err error
	if pattern != "" {
		if o.run, err = regexp.Compile(pattern); err != nil {
			return o, fmt.Errorf("--run: %w", err)
		}
	}
	if o.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("%w: name a folder with --cache", err)
		}
		o.cache = filepath.Join(dir, "wasgi", "conformance")
	}
	if o.cache, err = filepath.Abs(o.cache); err != nil {
		return o, err
	}
	if o.wasgiTests == "" {
		o.wasgiTests = o.wasgi
	}
	if o.wasgiTests, err = filepath.Abs(o.wasgiTests); err != nil {
		return o, err
	}
	o.wasgi, err = filepath.Abs(o.wasgi)
	return o, err
}

// chosen are the suites that the command line names.
func (o options) chosen() ([]suite, error) {
	all := suites()
	if o.suites == "" {
		return all, nil
	}
	var out []suite
	for name := range strings.SplitSeq(o.suites, ",") {
		s, ok := find(all, name)
		if !ok {
			return nil, fmt.Errorf("there is no suite %q; there are %s", name, strings.Join(suiteNames(all), ", "))
		}
		out = append(out, s)
	}
	return out, nil
}

// run does what the command line asks for.
func run(ctx context.Context, o options) error {
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer w.close()
	var bad []string
	for _, s := range chosen {
		ok, err := w.runSuite(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if !ok {
			bad = append(bad, s.name)
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("not as expected: %s (logs in %s)", strings.Join(bad, ", "), filepath.Join(o.cache, "logs"))
	}
	return nil
}
