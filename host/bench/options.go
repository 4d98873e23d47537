package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// options is the command line.
type options struct {
	only        []string // parts; empty for all
	rounds      int
	seconds     int
	connections []int
	out         string
	work        string
	binary      string
	python      string
	tenants     int
	idle        int
	report      bool
	list        bool
}

func parse(args []string) (options, error) {
	var opt options
	var only, connections string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.StringVar(&only, "only", "", "parts to measure, with commas between (see --list); default all")
	fs.IntVar(&opt.rounds, "rounds", 5, "rounds for each figure; the median counts")
	fs.IntVar(&opt.seconds, "seconds", 3, "seconds of load for each figure and round")
	fs.StringVar(&connections, "connections", "1,16,64,256", "numbers of connections")
	fs.StringVar(&opt.out, "out", filepath.Join("host", "bench"), "folder for RESULTS.md and bench.json")
	fs.StringVar(&opt.work, "work", "", "folder for peers and state (default in the user's cache folder)")
	fs.StringVar(&opt.binary, "wasgi", filepath.Join("bin", "wasgi"), "the binary to measure")
	fs.StringVar(&opt.python, "python", systemPython("/usr/bin/python3"), "the interpreter that the peers run on")
	fs.IntVar(&opt.tenants, "tenants", 1000, "tenants of the part tenants")
	fs.IntVar(&opt.idle, "idle-tenants", 10000, "tenants of the part idle")
	fs.BoolVar(&opt.report, "report", false, "measure nothing, write RESULTS.md from bench.json")
	fs.BoolVar(&opt.list, "list", false, "list the parts and stop")
	if err := fs.Parse(args); err != nil {
		return opt, err
	}
	if fs.NArg() > 0 {
		return opt, fmt.Errorf("unknown argument %q (see --help)", fs.Arg(0))
	}
	return opt, opt.complete(only, connections)
}

// systemPython is the interpreter of the system, which most would host with: Debian
// builds it with profile-guided optimisation, which makes gunicorn a tenth faster
// and which an interpreter that somebody compiled, first in the path, may lack.
func systemPython(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "python3"
}

// complete checks what was given and makes paths absolute: servers run in
// folders of their own.
func (o *options) complete(only, connections string) (err error) {
	if o.only, err = partNames(only); err != nil {
		return err
	}
	if o.connections, err = numbers("--connections", connections); err != nil {
		return err
	}
	if min(o.rounds, o.seconds, o.tenants, o.idle) < 1 {
		return fmt.Errorf("--rounds, --seconds, --tenants and --idle-tenants want positive numbers")
	}
	if o.work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("%w: name a folder with --work", err)
		}
		o.work = filepath.Join(cache, "wasgi", "bench")
	}
	for _, path := range []*string{&o.work, &o.out, &o.binary} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	return nil
}

func partNames(only string) ([]string, error) {
	if only == "" {
		return nil, nil
	}
	chosen := strings.Split(only, ",")
	for _, name := range chosen {
		if !slices.ContainsFunc(parts(), func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("--only %s: there is no such part (see --list)", name)
		}
	}
	return chosen, nil
}

func numbers(flag, text string) ([]int, error) {
	var out []int
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s %q: want positive numbers with commas between", flag, text)
		}
		out = append(out, n)
	}
	return out, nil
}
