package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
)

// How often each thing is done: restores for the medians, live instances for
// the memory.
const (
	restores  = 1000
	resets    = 1000
	instances = 50
)

// The figures that the goals ask for.
const (
	toFirstByte   = "snapshot to first byte"
	privateMemory = "private memory of a warm instance"
)

func helloNames() []string { return []string{"bare", "bottle", "flask", "django"} }

// instancesPart measures instances in this process, without HTTP. Its figures
// have the application in place of the server.
func instancesPart(ctx context.Context, b *bench, s *section) error {
	info, err := os.Stat(b.opt.binary)
	if err != nil {
		return err
	}
	s.add(figure{What: "binary, interpreter and standard library included", Unit: "MiB"}, float64(info.Size())/mib)
	g, err := b.newGuests(ctx, "metered", nil)
	if err != nil {
		return err
	}
	for _, name := range helloNames() {
		if err := g.measure(ctx, name, s); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), g.close())
		}
	}
	return g.close()
}

func (g *guests) measure(ctx context.Context, name string, s *section) error {
	q, err := hello()
	if err != nil {
		return err
	}
	// The first time packages are installed; what counts is the second.
	im, err := g.image(ctx, name, q)
	if err != nil {
		return err
	}
	if err := im.Close(); err != nil {
		return err
	}
	begin := time.Now()
	if im, err = g.image(ctx, name, q); err != nil {
		return err
	}
	defer im.Close()
	s.add(figure{What: "boot, import and snapshot", Server: name, Unit: "ms"}, ms(time.Since(begin)))
	s.add(figure{What: "snapshot, pages that are not zero", Server: name, Unit: "MiB"}, float64(im.Stats().NonZeroBytes)/mib)
	g.b.show.doing("%s: restores and resets", name)
	return errors.Join(restore(ctx, name, im, q, s), reset(ctx, name, im, q, s), memory(ctx, name, im, q, s))
}

func restore(ctx context.Context, name string, im *sandbox.Image, q sandbox.Request, s *section) error {
	var restored, first []float64
	for range restores {
		begin := time.Now()
		in, err := im.Restore(ctx)
		if err != nil {
			return err
		}
		restored = append(restored, ms(time.Since(begin)))
		var f firstByte
		if err := errors.Join(in.Serve(ctx, &q, &f), in.Close()); err != nil {
			return err
		}
		first = append(first, ms(f.at.Sub(begin)))
	}
	addQuantiles(s, "instance from snapshot", name, restored)
	addQuantiles(s, toFirstByte, name, first)
	return nil
}

// addQuantiles adds p50 and p99 of samples, in milliseconds.
func addQuantiles(s *section, what, server string, samples []float64) {
	s.add(figure{What: what + ", p50", Server: server, Unit: "ms"}, quantile(samples, 0.5))
	s.add(figure{What: what + ", p99", Server: server, Unit: "ms"}, quantile(samples, 0.99))
}

func reset(ctx context.Context, name string, im *sandbox.Image, q sandbox.Request, s *section) error {
	in, err := im.Restore(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	var served, put []float64
	for range resets {
		begin := time.Now()
		if err := in.Serve(ctx, &q, &firstByte{}); err != nil {
			return err
		}
		middle := time.Now()
		if err := in.Reset(); err != nil {
			return err
		}
		served, put = append(served, ms(middle.Sub(begin))), append(put, ms(time.Since(middle)))
	}
	addQuantiles(s, "request after a reset", name, served)
	addQuantiles(s, "reset (fresh)", name, put)
	s.add(figure{What: "pages put back by a reset", Server: name, Unit: "pages"}, float64(in.Stats().DirtyPages))
	return nil
}

func memory(ctx context.Context, name string, im *sandbox.Image, q sandbox.Request, s *section) error {
	var live []*sandbox.Instance
	defer func() {
		for _, in := range live {
			// What was measured does not depend on how it ends.
			_ = in.Close()
		}
	}()
	debug.FreeOSMemory() // what the process has freed counts otherwise
	before, err := memoryOf("self", "Private_Dirty")
	if err != nil {
		return err
	}
	for range instances {
		in, err := im.Restore(ctx)
		if err != nil {
			return err
		}
		live = append(live, in)
		if err := in.Serve(ctx, &q, &firstByte{}); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	after, err := memoryOf("self", "Private_Dirty")
	s.add(figure{What: privateMemory, Server: name, Unit: "MiB"}, (after-before)/instances/mib)
	return err
}
