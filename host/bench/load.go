package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// The figures of a load.
const (
	rate    = "rate"     // req/s
	p50     = "p50"      // ms, as wrk has it
	p99     = "p99"      // ms, as wrk has it
	cpu     = "cpu"      // processor time of the server for a request, µs
	wait    = "newcomer" // median wait of a new connection, ms
	tool    = "tool"     // part of the machine that wrk took, %
	errored = "errors"   // socket errors and wrong statuses
)

func loadPart(a app) func(context.Context, *bench, *section) error {
	return func(ctx context.Context, b *bench, s *section) error {
		f := b.startFleet(ctx, a, b.peers(), s)
		defer f.stop()
		return b.loads(ctx, f, a, b.opt.connections, s)
	}
}

// loads interleaves the servers: one run each, rounds times, each round
// beginning with the next one.
func (b *bench) loads(ctx context.Context, f *fleet, a app, connections []int, s *section) error {
	for _, n := range connections {
		for round := range b.opt.rounds {
			for i := range f.servers {
				server := f.servers[(i+round)%len(f.servers)]
				b.show.doing("%d connections, round %d of %d, %s", n, round+1, b.opt.rounds, server.name)
				if err := b.oneLoad(ctx, server, a, n, s); err != nil {
					s.fault("%s at %d connections, round %d: %v", server.name, n, round+1, err)
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
		b.sayLoads(f, n, s)
	}
	return nil
}

// sayLoads writes a line for each server when a number of connections is done.
func (b *bench) sayLoads(f *fleet, n int, s *section) {
	for _, v := range f.servers {
		r, _ := s.median(rate, v.name, n)
		m, _ := s.median(p50, v.name, n)
		h, _ := s.median(p99, v.name, n)
		b.show.say("%s c=%-3d %-21s %8.0f req/s  p50 %.2f ms  p99 %.2f ms", s.Part, n, v.name, r, m, h)
	}
}

// oneLoad verifies the answer, makes the load and adds its figures.
func (b *bench) oneLoad(ctx context.Context, v server, a app, n int, s *section) error {
	checked, cancel := context.WithTimeout(ctx, peerPatience)
	defer cancel()
	if err := verify(checked, a, v.url); err != nil {
		return err
	}
	before, err := groupCPU(v.proc.pid())
	if err != nil {
		return err
	}
	l, self, waits, err := b.loadWithNewcomers(ctx, a, v.url, n)
	if err != nil {
		return err
	}
	after, err := groupCPU(v.proc.pid())
	if err != nil {
		return err
	}
	if err := rest(ctx, v.proc.pid()); err != nil {
		return err
	}
	add := func(what, unit string, value float64) {
		s.add(figure{What: what, Server: v.name, Connections: n, Unit: unit}, value)
	}
	add(rate, "req/s", l.perSecond)
	add(p50, "ms", ms(l.p50))
	add(p99, "ms", ms(l.p99))
	add(wait, "ms", waits)
	add(tool, "%", 100*self.Seconds()/float64(b.opt.seconds*b.cores))
	add(errored, "", float64(l.errors))
	if l.requests > 0 {
		add(cpu, "µs", (after-before).Seconds()*1e6/float64(l.requests))
	}
	return nil
}

// The time that a server has to end what it began, and how long in a row it is to do next
// to nothing.
const (
	restPatience = 20 * time.Second
	restFor      = 100 * time.Millisecond
)

// rest waits until a server does nothing any more, so that the next one has the machine
// to itself: CGI goes on with requests whose clients have left.
func rest(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, restPatience, fmt.Errorf("it is busy %s after the load", restPatience))
	defer cancel()
	last, err := groupCPU(pid)
	for err == nil {
		if err = pause(ctx, restFor); err != nil {
			return err
		}
		var now time.Duration
		if now, err = groupCPU(pid); now >= last && now-last <= tick {
			return err
		}
		last = now
	}
	return err
}

func (b *bench) loadWithNewcomers(ctx context.Context, a app, url string, n int) (load, time.Duration, float64, error) {
	beside, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan []float64, 1)
	go func() { // ends with the load
		var all []float64
		for _, w := range newcomers(beside, a, url) {
			all = append(all, ms(w))
		}
		waited <- all
	}()
	l, self, err := b.wrk(ctx, a, url, n)
	cancel()
	return l, self, median(<-waited), err
}

// loadTables writes a table for each number of connections. Ratios are to the
// server base.
func loadTables(base string) func(io.Writer, *section) {
	return func(w io.Writer, s *section) {
		for _, n := range connectionsOf(s) {
			fmt.Fprintf(w, "%d connections:\n\n", n)
			fmt.Fprintln(w, "| server | req/s | × "+base+" | lowest–highest | p50 ms | p99 ms | CPU µs/req | newcomer ms | wrk % | errors |")
			fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
			for _, v := range serversOf(s) {
				loadRow(w, s, base, v, n)
			}
			fmt.Fprintln(w)
		}
	}
}

func loadRow(w io.Writer, s *section, base, v string, n int) {
	r, ok := s.median(rate, v, n)
	if !ok {
		fmt.Fprintf(w, "| %s | failed | | | | | | | | |\n", v)
		return
	}
	compared := "–"
	if b, ok := s.median(rate, base, n); ok && b > 0 {
		compared = fmt.Sprintf("%.2f", r/b)
	}
	low, high := s.bounds(rate, v, n)
	fmt.Fprintf(w, "| %s | %s | %s | %s–%s |", v, short(r), compared, short(low), short(high))
	for _, what := range []string{p50, p99, cpu, wait, tool, errored} {
		value, ok := s.median(what, v, n)
		if !ok {
			fmt.Fprint(w, " – |")
			continue
		}
		fmt.Fprintf(w, " %s |", short(value))
	}
	fmt.Fprintln(w)
}
