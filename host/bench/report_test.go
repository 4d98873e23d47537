package main

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// flaskSection has two servers at the connections of the goals.
func flaskSection() *section {
	s := &section{Part: "flask", Made: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), Rounds: 3, Seconds: 1, Took: 90, Command: "make bench"}
	add := func(what, server string, values ...float64) {
		s.add(figure{What: what, Server: server, Connections: 16}, values...)
	}
	add(rate, reuse, 1000, 3000)
	add(rate, reuse, 2000)
	add(rate, fresh, 1400)
	add(rate, baseline, 1600)
	add(rate, uwsgi, 4000)
	add(p99, reuse, 3)
	add(p99, baseline, 2)
	s.fault("granian: did not\n start")
	return s
}

func TestAddExtendsAFigure(t *testing.T) {
	s := flaskSection()
	if got, ok := s.median(rate, reuse, 16); got != 2000 || !ok {
		t.Errorf("median = %v, %v; want 2000", got, ok)
	}
	if _, ok := s.median(rate, reuse, 1); ok {
		t.Error("a median of what was not measured")
	}
	if low, high := s.bounds(rate, reuse, 16); low != 1000 || high != 3000 {
		t.Errorf("bounds = %v, %v", low, high)
	}
}

func TestMedianAndQuantile(t *testing.T) {
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median = %v, want 2.5", got)
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v", got)
	}
	values := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.8: 4, 0.99: 5, 1: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
	if got := geometric([]float64{1, 4}); got != 2 {
		t.Errorf("geometric = %v, want 2", got)
	}
}

func TestReport(t *testing.T) {
	var w strings.Builder
	slow := flaskSection()
	slow.Made = slow.Made.Add(-time.Hour)
	slow.Machine.Python = "slow's"
	slow.add(figure{What: rate, Server: reuse, Connections: 16}, 1, 1, 1, 1)
	report(&w, &store{Machines: map[string]sections{"A": {"flask": flaskSection()}, "B": {"flask": slow}}})
	for _, want := range []string{
		"| what | goal | A | B |\n|---|---|---:|---:|\n",
		"| Python of the peers (Flask) | |  | slow's |\n",
		"| Flask hello, reuse | ≥ 1.0 × gunicorn sync | **1.25 ×** | 0.0006 × |\n",
		"| Flask hello, reuse | ≥ 0.6 × uWSGI | 0.50 × | 0.0003 × |\n",
		"| fresh / reuse, flask | ≥ 0.65 | **0.70 ×** | **1400 ×** |\n",
		"| p99 at 16 connections, Flask, to gunicorn sync's | ≤ 1 × | 1.50 × | 1.50 × |\n",
		"| metering, Flask | ≤ 5 % | – | – |\n",
		"| flask | 2026-01-02 03:04 |  |  |  | 3 × 1 | 1.5 |  | `make bench` |\n" +
			"| flask | 2026-01-02 02:04 |  |  | slow's | 3 × 1 | 1.5 |  | `make bench` |\n",
		"| bare | not measured | | | | | | | |\n",
		"| wasgi reuse | 2000 | 1.25 | 1000–3000 | – | 3.00 | – | – | – | – |\n",
		"- not measured: granian: did not start\n",
	} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, w.String())
		}
	}
}

func TestPythonTable(t *testing.T) {
	s := &section{}
	for name, ms := range map[string]float64{peerPython: 10, nativePython: 20, guestPython: 40} {
		s.add(figure{What: "go", Server: name}, ms)
	}
	var w strings.Builder
	pythonTable(&w, s)
	for _, want := range []string{"| go | 10.0 | 20.0 | 40.0 | 4.00 | 2.00 |\n", "| **geometric mean** | | | | **4.00** | **2.00** |\n"} {
		if !strings.Contains(w.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, w.String())
		}
	}
}

func TestIdleIsScaled(t *testing.T) {
	s := &section{}
	s.add(figure{What: "tenants"}, 1000)
	s.add(figure{What: aboveEmpty}, 5)
	got, ok := idleAtFullSize(sections{"idle": s})
	if !ok || math.Abs(got-52.4288) > 1e-9 {
		t.Errorf("idleAtFullSize = %v, %v; want 52.4288 MB", got, ok)
	}
}

func TestStoreKeepsParts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"flask", "bare"} {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		n := flaskSection()
		n.Part = name
		if err := s.keep(n); err != nil {
			t.Fatal(err)
		}
	}
	s, err := openStore(dir)
	if err != nil || len(s.newest()) != 2 {
		t.Fatalf("openStore = %d sections, %v; want 2", len(s.newest()), err)
	}
	if err := s.keep(&section{Part: "flask"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.newest()["flask"].median(rate, reuse, 16); got != 2000 {
		t.Errorf("a run without figures took the place of one with some: %v", got)
	}
}

func TestStoreDropsAnOlderForm(t *testing.T) {
	dir := t.TempDir()
	for _, old := range []string{`[{"name": "old", "value": 1}]`, `{"sections": {"bare": {"part": "bare"}}}`} {
		if err := os.WriteFile(filepath.Join(dir, "bench.json"), []byte(old), 0o644); err != nil {
			t.Fatal(err)
		}
		if s, err := openStore(dir); err != nil || s.Machines == nil || len(s.newest()) != 0 {
			t.Errorf("openStore = %v, %v", s, err)
		}
	}
}

func TestCommandLineNamesNoPlace(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	got := commandLine([]string{"--python", "/home/somebody/bin/python3"})
	if want := "make bench ARGS='--python ~/bin/python3'"; got != want {
		t.Errorf("commandLine = %s, want %s", got, want)
	}
}

func TestProgress(t *testing.T) {
	var w strings.Builder
	p := &progress{w: &w, since: time.Now()}
	p.begin(1, 2, "flask")
	p.doing("round %d", 1)
	p.said = p.said.Add(-2 * silence)
	p.doing("round %d", 2)
	p.live = true
	p.doing("round %d", 3)
	p.say("done")
	want := "[1/2 flask] after 0s\n[1/2 flask] 0s round 2\n\r\x1b[K[1/2 flask] 0s round 3\r\x1b[Kdone\n"
	if w.String() != want {
		t.Errorf("progress wrote %q, want %q", w.String(), want)
	}
}

func TestFew(t *testing.T) {
	if got := few([]int{1, 16, 64}, 16); len(got) != 2 {
		t.Errorf("few = %v", got)
	}
	if got := few([]int{64, 256}, 16); len(got) != 1 || got[0] != 64 {
		t.Errorf("few = %v", got)
	}
}
