package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func writeReport(opt options, cores int, now time.Time, results []result) error {
	b, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(opt.out, "bench.json"), append(b, '\n'), 0o644); err != nil {
		return err
	}
	text := header(opt, cores, now) + tables(opt, results)
	fmt.Print(text)
	return os.WriteFile(filepath.Join(opt.out, "RESULTS.md"), []byte(text), 0o644)
}

func header(opt options, cores int, now time.Time) string {
	return fmt.Sprintf(`# Figures

Made by `+"`make bench`"+` on %s: %d cores (%s), Linux %s, Python %s for the peers.
Median of %d rounds of %d s each, servers interleaved, %d workers each. Ratios are to gunicorn sync.

`, now.UTC().Format("2006-01-02"), cores, cpuName(), output("uname", "-r"),
		strings.TrimPrefix(output("python3", "--version"), "Python "), opt.rounds, opt.seconds, cores)
}

func tables(opt options, results []result) string {
	var b strings.Builder
	for _, app := range opt.apps {
		for _, n := range opt.connections {
			appTable(&b, app, n, results)
		}
	}
	microTable(&b, results)
	return b.String()
}

func appTable(b *strings.Builder, app string, connections int, results []result) {
	rows := map[string]map[string]result{}
	for _, r := range results {
		if r.app != app || r.connections != connections {
			continue
		}
		if rows[r.server] == nil {
			rows[r.server] = map[string]result{}
		}
		rows[r.server][r.kind] = r
	}
	fmt.Fprintf(b, "## %s, %d connections\n\n| server | req/s | ratio | p50 ms | p99 ms |\n|---|---:|---:|---:|---:|\n", app, connections)
	for _, s := range serverOrder() {
		if r, ok := rows[s]; ok {
			fmt.Fprintf(b, "| %s | %.0f | %.2f | %.2f | %.2f |\n", s, r["rate"].Value, r["rate"].Ratio, r["p50"].Value, r["p99"].Value)
		}
	}
	b.WriteByte('\n')
}

func microTable(b *strings.Builder, results []result) {
	b.WriteString("## Instances\n\n| what | value | unit |\n|---|---:|---|\n")
	for _, r := range results {
		if r.kind == "micro" {
			fmt.Fprintf(b, "| %s | %.2f | %s |\n", r.Name, r.Value, r.Unit)
		}
	}
}

func output(args ...string) string {
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

func cpuName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), ":"))
		}
	}
	return "unknown"
}
