package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// runSuite prepares, runs and judges one suite. ok is false when it is not as
// expected.
func (w *world) runSuite(ctx context.Context, s suite) (ok bool, err error) {
	from, err := w.prepare(ctx, s)
	if err != nil {
		return false, err
	}
	all, err := s.units(ctx, w, from)
	if err != nil {
		return false, err
	}
	rules, err := leftOutOf(s.name)
	if err != nil {
		return false, err
	}
	units := w.selected(all)
	if w.list {
		for _, u := range units {
			fmt.Println(s.name, u.name)
		}
		return true, nil
	}
	stop, err := w.serve(ctx, s, units)
	if err != nil {
		return false, err
	}
	defer stop()
	return w.runUnits(ctx, s, from.version, units, rules, len(units) == len(all))
}

func (w *world) selected(all []unit) []unit {
	if w.options.run == nil {
		return all
	}
	var out []unit
	for _, u := range all {
		if w.options.run.MatchString(u.name) {
			out = append(out, u)
		}
	}
	return out
}

// limit is how many units of a suite run at a time.
func (w *world) limit(s suite) int {
	if s.server != nil {
		return 1
	}
	return max(1, w.jobs)
}

// runUnits runs units, some at a time, and judges each when it ends.
func (w *world) runUnits(ctx context.Context, s suite, version string, units []unit, rules []leftOut, whole bool) (bool, error) {
	begin := time.Now()
	if w.native {
		rules = nil
	}
	j, p := newJudge(rules), newProgress(w.json, s.name, len(units))
	results := make(chan result)
	g, limited := errgroup.WithContext(ctx)
	g.SetLimit(w.limit(s))
	done := make(chan error, 1)
	go func() { // ends when all units have ended
		for _, u := range units {
			g.Go(func() error {
				r, err := w.runUnit(limited, s, u, rules)
				if err == nil {
					results <- r
				}
				return err
			})
		}
		done <- g.Wait()
		close(results)
	}()
	for r := range results {
		faults := len(j.faults)
		c := j.take(r)
		p.unit(c, j.faults[faults:])
	}
	if err := <-done; err != nil {
		return false, err
	}
	v := j.finish(whole && !w.native)
	p.suite(v, version, time.Since(begin))
	if w.keep && !w.native {
		if err := w.keepResults(summary{s.name, version, v.units, rules}); err != nil {
			return false, err
		}
	}
	return len(v.faults) == 0 || w.native, nil
}
