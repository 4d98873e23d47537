package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What the second core brings; one figure is a ratio of one round.
const (
	gain       = "two cores / one core"
	inProcess  = ", without HTTP"
	nativeName = "native CPython"
)

// coresApp and coresConnections are what the part measures with.
const (
	coresApp         = "flask"
	coresConnections = 16
)

// coresPart measures everything with one worker and with two: guests and
// native interpreters that only run Python, and servers over HTTP.
func coresPart(ctx context.Context, b *bench, s *section) error {
	s.note("Flask, hello. Without HTTP nothing else runs: guests in this process, and native interpreters that call the application in a loop. "+
		"Over HTTP (%d connections) the load generator, and Go's part of wasgi, use the second core in both cases. "+
		"What a second core can bring here is what native CPython gains.", coresConnections)
	if err := b.coresHot(ctx, s); err != nil {
		return err
	}
	return b.coresHTTP(ctx, s)
}

func (b *bench) coresHot(ctx context.Context, s *section) error {
	g, err := b.newGuests(ctx, "metered", nil)
	if err != nil {
		return err
	}
	defer g.close()
	q, err := hello()
	if err != nil {
		return err
	}
	im, err := g.image(ctx, coresApp, q)
	if err != nil {
		return err
	}
	defer im.Close()
	seconds := time.Duration(b.opt.seconds) * time.Second
	for range b.opt.rounds {
		for _, way := range []struct {
			name string
			run  func(workers int) (float64, error)
		}{
			{nativeName + inProcess, func(n int) (float64, error) { return b.nativeLoops(ctx, n) }},
			{reuse + inProcess, func(n int) (float64, error) { return hot(ctx, im, n, false, seconds) }},
			{fresh + inProcess, func(n int) (float64, error) { return hot(ctx, im, n, true, seconds) }},
		} {
			if err := b.oneAndTwo(way.name, way.run, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneAndTwo runs with one and with two workers and adds both and their ratio.
func (b *bench) oneAndTwo(name string, run func(workers int) (float64, error), s *section) error {
	var rates [2]float64
	for i := range rates {
		b.show.doing("%s, %d", name, i+1)
		r, err := run(i + 1)
		if err != nil {
			return fmt.Errorf("%s with %d: %w", name, i+1, err)
		}
		rates[i] = r
	}
	s.add(figure{What: "one core", Server: name, Unit: "req/s"}, rates[0])
	s.add(figure{What: "two cores", Server: name, Unit: "req/s"}, rates[1])
	s.add(figure{What: gain, Server: name, Unit: "×"}, rates[1]/rates[0])
	return nil
}

// nativeLoops runs so many interpreters at once and adds up their rates.
func (b *bench) nativeLoops(ctx context.Context, n int) (float64, error) {
	answers, errs := make([]string, n), make(chan error, n)
	for i := range n {
		go func() { // ends with its process
			c := exec.CommandContext(ctx, b.venvPython(), filepath.Join(benchDir(), "python", "hello_loop.py"), strconv.Itoa(b.opt.seconds))
			c.Env = append(c.Environ(), "PYTHONPATH="+b.appDir(coresApp))
			out, err := c.Output()
			answers[i] = string(out)
			errs <- err
		}()
	}
	var failed error
	for range n {
		if err := <-errs; err != nil {
			failed = err
		}
	}
	if failed != nil {
		return 0, failed
	}
	var sum float64
	for _, a := range answers {
		r, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
		if err != nil {
			return 0, err
		}
		sum += r
	}
	return sum, nil
}

// coresHTTP compares wasgi with one and two slots and gunicorn with one and
// two workers.
func (b *bench) coresHTTP(ctx context.Context, s *section) error {
	a := helloApp(coresApp, "")
	var fleets [2]*fleet
	for i := range fleets {
		f := &fleet{}
		defer f.stop()
		if err := b.addWasgi(ctx, f, a, i+1); err != nil {
			s.fault("wasgi with %d slots: %v", i+1, err)
		}
		if err := b.addPeer(ctx, f, a, b.gunicorn(baseline, i+1, "sync")); err != nil {
			s.fault("gunicorn with %d workers: %v", i+1, err)
		}
		fleets[i] = f
	}
	for range b.opt.rounds {
		for _, name := range []string{baseline, reuse, fresh} {
			err := b.oneAndTwo(name, func(workers int) (float64, error) { return b.rateOf(ctx, fleets[workers-1], name, a) }, s)
			if err != nil {
				s.fault("%v", err)
			}
		}
	}
	return ctx.Err()
}

func (b *bench) rateOf(ctx context.Context, f *fleet, name string, a app) (float64, error) {
	for _, v := range f.servers {
		if v.name == name {
			if err := verify(ctx, a, v.url); err != nil {
				return 0, err
			}
			l, _, err := b.wrk(ctx, a, v.url, coresConnections)
			return l.perSecond, err
		}
	}
	return 0, fmt.Errorf("%s does not serve", name)
}
