package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeReport makes RESULTS.md from what is stored, and nothing else.
func writeReport(dir string, s *store) error {
	if len(s.newest()) == 0 {
		return nil
	}
	var w strings.Builder
	report(&w, s)
	return os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(w.String()), 0o644)
}

func report(w io.Writer, s *store) {
	all := s.newest()
	newest := slices.MaxFunc(slices.Collect(maps.Values(all)), func(a, b *section) int { return a.Made.Compare(b.Made) })
	fmt.Fprintf(w, "# Figures\n\nWritten by `make bench` on %s. Raw values are in bench.json. "+
		"Each part may have been measured in a run of its own: see the table of runs. Below the goals each part is from its newest run.\n\n", newest.Made.Format("2006-01-02"))
	goalTable(w, s)
	machineTable(w, newest.Machine)
	runTable(w, s)
	howToRead(w)
	for _, p := range parts() {
		if n := all[p.name]; n != nil {
			partText(w, p, n)
		}
	}
}

func machineTable(w io.Writer, m machine) {
	fmt.Fprintf(w, "## Machine and versions\n\n| | |\n|---|---|\n")
	for _, row := range [][2]string{
		{"machine", fmt.Sprintf("%d cores, %s, %s, Linux %s", m.Cores, m.CPU, m.Memory, m.Kernel)},
		{"wasgi", m.Commit}, {"guest", m.Guest}, {"Python of the peers", m.Python},
	} {
		fmt.Fprintf(w, "| %s | %s |\n", row[0], row[1])
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m.Versions)) {
		words = append(words, name+" "+m.Versions[name])
	}
	fmt.Fprintf(w, "| others | %s |\n\n", strings.Join(words, ", "))
}

func runTable(w io.Writer, s *store) {
	fmt.Fprintf(w, "## Runs\n\nThe load average before a part tells a busy machine: on a quiet one it is what the part before left. "+
		"Parts of different machines are not to be compared with each other.\n\n"+
		"| part | date (UTC) | wasgi | processor | Python of the peers | rounds × seconds | minutes | load before | command |\n|---|---|---|---|---|---:|---:|---|---|\n")
	all := s.newest()
	for _, p := range parts() {
		if all[p.name] == nil {
			fmt.Fprintf(w, "| %s | not measured | | | | | | | |\n", p.name)
		}
		for _, name := range s.names() {
			if n := s.Machines[name][p.name]; n != nil {
				runRow(w, n)
			}
		}
	}
	fmt.Fprintln(w)
}

func runRow(w io.Writer, n *section) {
	fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %d × %d | %.1f | %s | `%s` |\n", n.Part, n.Made.Format("2006-01-02 15:04"), n.Machine.Commit, n.Machine.CPU, n.Machine.Python,
		n.Rounds, n.Seconds, n.Took/60, n.Machine.Load, n.Command)
}

func howToRead(w io.Writer) {
	fmt.Fprint(w, `## How to read the loads

Each figure is the median of the rounds; servers are interleaved and have as many workers as there are cores. wrk is a closed loop
on the same cores as the server: "wrk %" is the part of the whole machine that it took, and the faster a server, the more.
"CPU µs/req" is the processor time of the server alone, all its processes together.

p50 and p99 are wrk's, over answered requests only. A server with keep-alive that holds a connection for each process (uWSGI's
http11-socket) serves as many connections as it has processes and leaves the others without any answer; they do not show in its
percentiles. "newcomer" shows it: the median wait of one more client beside the load, which comes with a new connection each time.
When it is as long as the load, that client was never served. gunicorn's sync worker and "uWSGI, no keep-alive" close each connection.

`)
}

func partText(w io.Writer, p part, s *section) {
	fmt.Fprintf(w, "## %s\n\n", p.title)
	for _, n := range s.Notes {
		fmt.Fprintf(w, "%s\n\n", n)
	}
	if len(s.Figures) > 0 {
		p.show(w, s)
	}
	for _, f := range s.Faults {
		fmt.Fprintf(w, "- not measured: %s\n", strings.Join(strings.Fields(f), " "))
	}
	if len(s.Faults) > 0 {
		fmt.Fprintln(w)
	}
}
