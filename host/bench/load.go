package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// load is what one run of wrk measured.
type load struct {
	perSecond float64
	p50, p99  time.Duration
	errors    int // socket errors and answers that were not 2xx or 3xx
}

// result is one figure of bench.json.
type result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Peer  string  `json:"peer"`  // what ratio compares with, "" for none
	Ratio float64 `json:"ratio"` // value / the peer's value, 0 for none

	server, app string
	connections int
	kind        string
}

func measureAll(ctx context.Context, opt options, f *fleet) ([]result, error) {
	var out []result
	for _, app := range opt.apps {
		for _, n := range opt.connections {
			loads, err := measureApp(ctx, opt, f, app, n)
			if err != nil {
				return nil, err
			}
			out = append(out, resultsOf(app, n, loads)...)
		}
	}
	return out, nil
}

// measureApp interleaves the servers: one run each, rounds times.
func measureApp(ctx context.Context, opt options, f *fleet, app string, connections int) (map[string][]load, error) {
	loads := map[string][]load{}
	for round := range opt.rounds {
		for _, t := range f.targets {
			if t.app != app {
				continue
			}
			l, err := wrk(ctx, t.url, connections, opt.seconds)
			if err != nil {
				return nil, fmt.Errorf("%s with %s at %d connections: %w", t.server, app, connections, err)
			}
			fmt.Fprintf(os.Stderr, "%-7s %-17s c=%-3d round %d: %8.0f req/s  p50 %-8v p99 %-8v errors %d\n",
				app, t.server, connections, round+1, l.perSecond, l.p50, l.p99, l.errors)
			loads[t.server] = append(loads[t.server], l)
		}
	}
	return loads, nil
}

func wrk(ctx context.Context, url string, connections, seconds int) (load, error) {
	threads := min(connections, 2)
	c := exec.CommandContext(ctx, "wrk", "--latency", "-t", strconv.Itoa(threads), "-c", strconv.Itoa(connections),
		"-d", strconv.Itoa(seconds)+"s", url)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return load{}, err
	}
	return parseWrk(string(out))
}

// parseWrk reads what wrk --latency prints.
func parseWrk(out string) (load, error) {
	var l load
	rate := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindStringSubmatch(out)
	if rate == nil {
		return l, fmt.Errorf("wrk printed no rate:\n%s", out)
	}
	var err error
	if l.perSecond, err = strconv.ParseFloat(rate[1], 64); err != nil {
		return l, err
	}
	for _, q := range []struct {
		label string
		to    *time.Duration
	}{{"50%", &l.p50}, {"99%", &l.p99}} {
		m := regexp.MustCompile(`(?m)^\s+` + q.label + `\s+([0-9.]+[a-z]+)`).FindStringSubmatch(out)
		if m == nil {
			return l, fmt.Errorf("wrk printed no %s:\n%s", q.label, out)
		}
		if *q.to, err = time.ParseDuration(m[1]); err != nil {
			return l, err
		}
	}
	for _, m := range regexp.MustCompile(`(?:connect|read|write|timeout|responses:) (\d+)`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return l, err
		}
		l.errors += n
	}
	return l, nil
}

// medianOf sorts a copy.
func medianOf[T float64 | time.Duration](values []T) T {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

func resultsOf(app string, connections int, loads map[string][]load) []result {
	rates := map[string]float64{}
	p50s, p99s := map[string]float64{}, map[string]float64{}
	for server, ls := range loads {
		var rate []float64
		var p50, p99 []time.Duration
		for _, l := range ls {
			rate, p50, p99 = append(rate, l.perSecond), append(p50, l.p50), append(p99, l.p99)
		}
		rates[server] = medianOf(rate)
		p50s[server] = float64(medianOf(p50).Microseconds()) / 1000
		p99s[server] = float64(medianOf(p99).Microseconds()) / 1000
	}
	var out []result
	for _, server := range serverOrder() {
		if _, ok := rates[server]; !ok {
			continue
		}
		out = append(out,
			compare(app, server, connections, "rate", "req/s", rates),
			compare(app, server, connections, "p50", "ms", p50s),
			compare(app, server, connections, "p99", "ms", p99s))
	}
	return out
}

// baseline is the peer that every ratio is taken to.
const baseline = "gunicorn sync"

func serverOrder() []string {
	return []string{"wasgi reuse", "wasgi fresh", baseline, "gunicorn gthread", "uWSGI"}
}

func compare(app, server string, connections int, kind, unit string, values map[string]float64) result {
	r := result{
		Name:  fmt.Sprintf("%s %s %s, %d connections", app, server, kind, connections),
		Value: values[server], Unit: unit,
		server: server, app: app, connections: connections, kind: kind,
	}
	if base := values[baseline]; base > 0 {
		r.Peer, r.Ratio = baseline, values[server]/base
	}
	return r
}
