package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// goalConnections is the load that the goals are judged at.
const goalConnections = 16

// goal compares what was measured with what is wanted. measure is false where
// a figure is missing.
type goal struct {
	what, want string
	measure    func(sections) (value float64, ok bool)
	reached    func(value float64) bool
	unit       string
}

func atLeast(want float64) func(float64) bool { return func(v float64) bool { return v >= want } }
func atMost(want float64) func(float64) bool  { return func(v float64) bool { return v <= want } }

// compared is one figure divided by another one of the same part.
func compared(part, what, server, to string) func(sections) (float64, bool) {
	return func(s sections) (float64, bool) {
		a, ok := s[part].median(what, server, goalConnections)
		b, found := s[part].median(what, to, goalConnections)
		return a / b, ok && found && b > 0
	}
}

func single(part, what, server string) func(sections) (float64, bool) {
	return func(s sections) (float64, bool) { return s[part].median(what, server, 0) }
}

func goals() []goal {
	out := []goal{
		{"bare WSGI, reuse", "≥ 3 × gunicorn sync", compared("bare", rate, reuse, baseline), atLeast(3), "×"},
		{"bare WSGI, reuse", "≥ 1.2 × uWSGI, no keep-alive", compared("bare", rate, reuse, uwsgiClosing), atLeast(1.2), "×"},
		{"bare WSGI, reuse", "≥ 1.2 × uWSGI", compared("bare", rate, reuse, uwsgi), atLeast(1.2), "×"},
		{"Flask hello, reuse", "≥ 1.0 × gunicorn sync", compared("flask", rate, reuse, baseline), atLeast(1), "×"},
		{"Flask hello, reuse", "≥ 0.6 × uWSGI, no keep-alive", compared("flask", rate, reuse, uwsgiClosing), atLeast(0.6), "×"},
		{"Flask hello, reuse", "≥ 0.6 × uWSGI", compared("flask", rate, reuse, uwsgi), atLeast(0.6), "×"},
		{"Django hello, reuse", "≥ 0.8 × gunicorn sync", compared("django", rate, reuse, baseline), atLeast(0.8), "×"},
	}
	for _, g := range []struct {
		part string
		want float64
	}{{"bare", 0.5}, {"bottle", 0.6}, {"flask", 0.65}, {"django", 0.75}} {
		out = append(out, goal{"fresh / reuse, " + g.part, fmt.Sprintf("≥ %.2f", g.want), compared(g.part, rate, fresh, reuse), atLeast(g.want), "×"})
	}
	return append(out, latencyGoals()...)
}

func latencyGoals() []goal {
	asleep := func(q string) func(sections) (float64, bool) { return single("tenants", asleepFirst+", "+q, "flask") }
	return []goal{
		{"p99 at 16 connections, Flask, to gunicorn sync's", "≤ 1 ×", compared("flask", p99, reuse, baseline), atMost(1), "×"},
		{"tenant asleep to first byte, Flask, p50", "≤ 1 ms", single("instances", toFirstByte+", p50", "flask"), atMost(1), "ms"},
		{"tenant asleep to first byte, Flask, p99", "≤ 3 ms", single("instances", toFirstByte+", p99", "flask"), atMost(3), "ms"},
		{"the same over HTTP with many tenants, p50", "≤ 1 ms", asleep("p50"), atMost(1), "ms"},
		{"the same over HTTP with many tenants, p99", "≤ 3 ms", asleep("p99"), atMost(3), "ms"},
		{"deploy: bundle to serving, Flask, packages known to the host", "≤ 400 ms", single("deploy", knownServing, "flask"), atMost(400), "ms"},
		{"the same with packages that the host has never seen", "≤ 400 ms", single("deploy", newServing, "flask"), atMost(400), "ms"},
		{"warm Flask instance, private memory", "≤ 1 MiB", single("instances", privateMemory, "flask"), atMost(1), "MiB"},
		{"10,000 idle tenants, resident above an empty host", "≤ 100 MB", idleAtFullSize, atMost(100), "MB"},
		{"metering, Flask", "≤ 5 %", single("meter", meterCost, "flask"), atMost(5), "%"},
		{"second core, without HTTP, reuse: gain to native's", "≥ 1 ×", secondCore(reuse), atLeast(1), "×"},
		{"second core, without HTTP, fresh: gain to native's", "≥ 1 ×", secondCore(fresh), atLeast(1), "×"},
	}
}

// idleAtFullSize scales what was measured with another number of tenants.
func idleAtFullSize(s sections) (float64, bool) {
	v, ok := s["idle"].median(aboveEmpty, "", 0)
	n, found := s["idle"].median("tenants", "", 0)
	return v * mib / 1e6 * 10000 / n, ok && found && n > 0
}

func secondCore(server string) func(sections) (float64, bool) {
	return func(s sections) (float64, bool) {
		own, ok := s["cores"].median(gain, server+inProcess, 0)
		native, found := s["cores"].median(gain, nativeName+inProcess, 0)
		return own / native, ok && found && native > 0
	}
}

func goalTable(w io.Writer, s *store) {
	fmt.Fprintf(w, "## Goals\n\nLoads at %d connections, medians. The goals are those of the performance issue. "+
		"They were set with a uWSGI that made 2.5 times gunicorn's requests (bare WSGI) and 1.7 times (Flask): that is the one without keep-alive. "+
		"With keep-alive it serves as many connections as it has processes, and the others get no answer. "+
		"Bold is what is reached. Machines differ, and so does what they are busy with for others.\n\n| what | goal |", goalConnections)
	names := s.names()
	for _, name := range names {
		fmt.Fprintf(w, " %s |", name)
	}
	fmt.Fprintf(w, "\n|---|---|%s\n| Python of the peers (Flask) | |", strings.Repeat("---:|", len(names)))
	for _, name := range names {
		fmt.Fprintf(w, " %s |", peersPython(s.Machines[name]["flask"]))
	}
	fmt.Fprintln(w)
	for _, g := range goals() {
		fmt.Fprintf(w, "| %s | %s |", g.what, g.want)
		for _, name := range names {
			fmt.Fprintf(w, " %s |", g.verdict(s.Machines[name]))
		}
		fmt.Fprintln(w)
	}
	for _, r := range remarks() {
		r(w, s.newest())
	}
	fmt.Fprintln(w)
}

func peersPython(s *section) string {
	if s == nil {
		return "–"
	}
	return s.Machine.Python
}

// verdict is the figure, bold where the goal is reached.
func (g goal) verdict(s sections) string {
	value, ok := g.measure(s)
	switch {
	case !ok:
		return "–"
	case g.reached(value):
		return "**" + short(value) + " " + g.unit + "**"
	}
	return short(value) + " " + g.unit
}

// remarks say what a figure of the table is to be seen beside, where that was measured.
func remarks() []func(io.Writer, sections) {
	return []func(io.Writer, sections){scaled, besideAsleep, besideNew}
}

func scaled(w io.Writer, s sections) {
	if n, ok := s["idle"].median("tenants", "", 0); ok && n != 10000 {
		fmt.Fprintf(w, "\nThe idle tenants were %.0f; the figure is scaled to 10,000.\n", n)
	}
}

func besideAsleep(w io.Writer, s sections) {
	tenants := func(what, server string) float64 {
		v, ok := s["tenants"].median(what, server, 0)
		if !ok {
			return math.NaN()
		}
		return v
	}
	if awake := tenants(awakeNext+", p50", "flask"); awake > 0 {
		fmt.Fprintf(w, "\nOver HTTP among many tenants: one of Flask that is awake needs %s ms (p50) for the same call, and the host alone %s. "+
			"The processor has nothing of theirs at hand, and each wake takes some 400 pages of memory that nothing else gives back: such a page costs this machine %s µs, and one that was in use just now %s.\n",
			short(awake), short(tenants(hostAlone+", p50", "")), short(tenants(firstTouch, "")), short(tenants(nextTouch, "")))
	}
}

func besideNew(w io.Writer, s sections) {
	if v, ok := s["deploy"].median(nativeCompile, "flask", 0); ok {
		fmt.Fprintf(w, "\nPackages that the host has never seen have to be compiled: CPython, not in any guest, takes %s ms for those of Flask alone.\n", short(v))
	}
}
