package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// bench is one run of the command.
type bench struct {
	opt   options
	cores int
	show  *progress
	store *store
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == cgiWord {
		fmt.Fprintln(os.Stderr, "bench:", cgiMain(os.Args[2:]))
		os.Exit(1)
	}
	opt, err := parse(os.Args[1:])
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = run(ctx, opt)
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, opt options) error {
	if opt.list {
		return list(os.Stdout)
	}
	s, err := openStore(opt.out)
	if err != nil {
		return err
	}
	b := &bench{opt: opt, cores: runtime.NumCPU(), store: s, show: newProgress(os.Stderr)}
	if !opt.report {
		if err = checkPatched(); err == nil {
			err = b.measure(ctx)
		}
	}
	return errors.Join(err, writeReport(opt.out, s))
}

// measure runs the chosen parts and keeps each that ends.
func (b *bench) measure(ctx context.Context) error {
	b.show.say("installing what is missing into %s", b.opt.work)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	chosen := chosenParts(b.opt.only)
	for i, p := range chosen {
		b.show.begin(i+1, len(chosen), p.name)
		if err := b.one(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// one runs a part. What a part cannot measure is told and not fatal; only an
// interrupt ends the run.
func (b *bench) one(ctx context.Context, p part) error {
	s := b.newSection(p)
	err := p.run(ctx, b, s)
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted in %s; the parts before it are kept in %s, go on with --only", p.name, b.opt.out)
	}
	if err != nil {
		s.fault("%v", err)
	}
	for _, f := range s.Faults {
		b.show.say("%s: %s", p.name, f)
	}
	s.end()
	return b.store.keep(s)
}
