package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// options is the command line.
type options struct {
	rounds      int
	seconds     int
	connections []int
	apps        []string
	out         string
	work        string
	binary      string
	micro       bool
}

func main() {
	opt, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		err = run(ctx, opt)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var opt options
	var connections, apps string
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.IntVar(&opt.rounds, "rounds", 3, "rounds for each figure; the median counts")
	fs.IntVar(&opt.seconds, "seconds", 3, "seconds of load for each figure and round")
	fs.StringVar(&connections, "connections", "1,16,64", "numbers of connections")
	fs.StringVar(&apps, "apps", "bare,bottle,flask,django", "applications")
	fs.StringVar(&opt.out, "out", "host/bench", "folder for RESULTS.md and bench.json")
	fs.StringVar(&opt.work, "work", filepath.Join(os.TempDir(), "wasgi-bench"), "folder for peers and state")
	fs.StringVar(&opt.binary, "wasgi", "bin/wasgi", "the binary to measure")
	fs.BoolVar(&opt.micro, "micro", true, "measure restore, first byte and memory too")
	if err := fs.Parse(args); err != nil {
		return opt, err
	}
	opt.apps = strings.Split(apps, ",")
	for _, c := range strings.Split(connections, ",") {
		n, err := strconv.Atoi(c)
		if err != nil || n < 1 {
			return opt, fmt.Errorf("-connections %q: want positive numbers with commas between", connections)
		}
		opt.connections = append(opt.connections, n)
	}
	return opt, nil
}

func run(ctx context.Context, opt options) error {
	cores := runtime.NumCPU()
	if err := setUp(ctx, opt); err != nil {
		return err
	}
	fleet, err := startFleet(ctx, opt, cores)
	defer fleet.stop()
	if err != nil {
		return err
	}
	results, err := measureAll(ctx, opt, fleet)
	if err != nil {
		return err
	}
	fleet.stop()
	if opt.micro {
		more, err := measureMicro(ctx, opt)
		if err != nil {
			return err
		}
		results = append(results, more...)
	}
	return writeReport(opt, cores, time.Now(), results)
}
