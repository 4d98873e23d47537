package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The interpreters of the part python.
const (
	peerPython   = "peers' interpreter"
	nativePython = "the build's native interpreter"
	guestPython  = "guest"
)

// pyBenchmark is a folder of pyperformance and the words for its script.
type pyBenchmark struct {
	dir  string
	args []string
}

// pyBenchmarks need nothing but the standard library.
func pyBenchmarks() []pyBenchmark {
	return []pyBenchmark{
		{"chaos", nil}, {"deepcopy", nil}, {"deltablue", nil}, {"fannkuch", nil}, {"float", nil}, {"generators", nil},
		{"go", nil}, {"json_dumps", nil}, {"json_loads", nil}, {"nbody", nil}, {"nqueens", nil},
		{"pickle", []string{"--pure-python", "pickle"}}, {"pickle", []string{"pickle"}}, {"pidigits", nil},
		{"raytrace", nil}, {"regex_compile", nil}, {"richards", nil}, {"spectral_norm", nil}, {"unpack_sequence", nil},
	}
}

// pythonPart runs the same files everywhere, a round after the other.
func pythonPart(ctx context.Context, b *bench, s *section) error {
	ways, err := b.interpreters(s)
	if err != nil {
		return err
	}
	for round := range b.opt.rounds {
		for _, p := range pyBenchmarks() {
			for _, name := range interpreterNames() {
				way, ok := ways[name]
				if !ok {
					continue
				}
				b.show.doing("round %d of %d, %s, %s", round+1, b.opt.rounds, p.dir, name)
				if err := b.pyRun(ctx, name, way(p), s); err != nil {
					s.fault("%s, %s: %v", p.dir, name, err)
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
	}
	return nil
}

func interpreterNames() []string { return []string{peerPython, nativePython, guestPython} }

// interpreters are the command lines for a benchmark, by interpreter.
func (b *bench) interpreters(s *section) (map[string]func(pyBenchmark) []string, error) {
	found, err := filepath.Glob(filepath.Join(b.venv(), "lib", "python*", "site-packages", "pyperformance", "data-files", "benchmarks"))
	if err != nil || len(found) == 0 {
		return nil, errors.Join(err, errors.New("pyperformance is not in the peers' environment"))
	}
	files, own := found[0], filepath.Join(benchDir(), "python")
	native := func(python string) func(pyBenchmark) []string {
		return func(p pyBenchmark) []string {
			return append([]string{python, filepath.Join(files, "bm_"+p.dir, "run_benchmark.py")}, p.args...)
		}
	}
	ways := map[string]func(pyBenchmark) []string{
		peerPython: native(b.venvPython()),
		guestPython: func(p pyBenchmark) []string {
			return append([]string{b.opt.binary, "python", "--app", "none", "--env", "PYTHONPATH=/shim", "--env", b.minTime(), "--mount", own + ":/shim",
				"--mount", filepath.Join(files, "bm_"+p.dir) + ":/bm", "/bm/run_benchmark.py"}, p.args...)
		},
	}
	s.note("%s: %s.", peerPython, pythonVersion(b.venvPython()))
	s.note("%s: %s.", guestPython, guestVersion())
	if path := newestNative(); path != "" {
		ways[nativePython] = native(path)
		s.note("%s: %s; made to compile byte code, hence its optimisation.", nativePython, pythonVersion(path))
	} else {
		s.fault("the build's cache has no native interpreter")
	}
	s.note("python/pyperf.py stands in for pyperf on all sides. The time of a loop is the median of all values of all rounds.")
	return ways, nil
}

// minTime tells python/pyperf.py how long a value is measured at least.
func (b *bench) minTime() string {
	return fmt.Sprintf("BENCH_MIN_TIME=%.2f", 0.05*float64(b.opt.seconds))
}

// newestNative is the interpreter that the guest's build made last, "" if none.
func newestNative() string {
	files, err := buildResults("native", filepath.Join("build", "python"))
	if err != nil || len(files) == 0 {
		return ""
	}
	return slices.MaxFunc(files, func(a, b string) int { return modTime(a) - modTime(b) })
}

func modTime(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(info.ModTime().Unix())
}

// pyRun runs one benchmark file, which prints a line for each benchmark in it.
func (b *bench) pyRun(ctx context.Context, name string, args []string, s *section) error {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir = b.opt.work
	c.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(benchDir(), "python"), "PYTHONDONTWRITEBYTECODE=1", b.minTime())
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		text := complaints.Bytes()
		return fmt.Errorf("%w: %s", err, text[max(0, len(text)-400):])
	}
	results, err := parsePyperf(string(out))
	if err != nil {
		return err
	}
	for _, r := range results {
		s.add(figure{What: r.Name, Server: name, Unit: "ms"}, r.Values...)
	}
	return nil
}

// pyResult is a line of python/pyperf.py, in milliseconds once it is parsed.
type pyResult struct {
	Name   string
	Values []float64
}

func parsePyperf(out string) ([]pyResult, error) {
	var results []pyResult
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "{") {
			continue // a benchmark's own words
		}
		var r pyResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, fmt.Errorf("%.100q: %w", line, err)
		}
		for i := range r.Values {
			r.Values[i] *= 1000
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("it printed no result: %.200q", out)
	}
	return results, nil
}

// pythonTable has a row for each benchmark and the geometric mean of each
// ratio.
func pythonTable(w io.Writer, s *section) {
	fmt.Fprintln(w, "| benchmark | peers' ms | build's native ms | guest ms | guest / peers' | guest / native |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|")
	var toPeers, toNative []float64
	for _, what := range whatsOf(s) {
		p, _ := s.median(what, peerPython, 0)
		n, _ := s.median(what, nativePython, 0)
		g, ok := s.median(what, guestPython, 0)
		if !ok {
			fmt.Fprintf(w, "| %s | %s | %s | failed | | |\n", what, short(p), short(n))
			continue
		}
		toPeers, toNative = positive(toPeers, g/p), positive(toNative, g/n)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", what, short(p), short(n), short(g), short(g/p), short(g/n))
	}
	fmt.Fprintf(w, "| **geometric mean** | | | | **%s** | **%s** |\n\n", short(geometric(toPeers)), short(geometric(toNative)))
}
