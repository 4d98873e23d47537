package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A summary is what RESULTS.json keeps of a suite's last whole run.
type summaryOf struct {
	Suite      string      `json:"suite"`
	Version    string      `json:"version"`
	Passed     int         `json:"passed"`
	Skipped    int         `json:"skipped"`
	LeftOut    int         `json:"leftOut"`
	Unexpected int         `json:"unexpected"`
	Seconds    float64     `json:"seconds"`
	Units      []unitCount `json:"units"`
	Reasons    []leftOut   `json:"reasons"`
}

func summary(suite, version string, v verdict, took time.Duration, rules []leftOut) summaryOf {
	return summaryOf{suite, version, v.passed, v.skipped, v.leftOut, len(v.faults), took.Round(time.Second).Seconds(), v.units, rules}
}

// keepResults puts a suite's summary into RESULTS.json and writes RESULTS.md
// anew.
func (w *world) keepResults(s summaryOf) error {
	file := filepath.Join(w.out, "RESULTS.json")
	var all []summaryOf
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", file, err)
	}
	all = slices.DeleteFunc(all, func(o summaryOf) bool { return o.Suite == s.Suite })
	all = append(all, s)
	order := suiteNames(suites())
	slices.SortFunc(all, func(a, b summaryOf) int {
		return cmp.Compare(slices.Index(order, a.Suite), slices.Index(order, b.Suite))
	})
	if b, err = json.MarshalIndent(all, "", " "); err != nil {
		return err
	}
	if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.out, "RESULTS.md"), []byte(report(all)), 0o644)
}

// report is RESULTS.md.
func report(all []summaryOf) string {
	var b strings.Builder
	b.WriteString("# Suites that were not written here, run in the guest\n\n" +
		"Written by `make conformance` (`go run ./pywasm/conformance`). \"Skipped\" is what the suite itself leaves out, on this\n" +
		"platform or without an optional package; \"left out\" is listed below, each with its reason; \"unexpected\" is a fault.\n\n" +
		"| suite | version | passed | skipped | left out | unexpected | time | command |\n|---|---|---:|---:|---:|---:|---:|---|\n")
	for _, s := range all {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %s | `go run ./pywasm/conformance --suite %s` |\n", s.Suite, s.Version,
			s.Passed, s.Skipped, s.LeftOut, s.Unexpected, time.Duration(s.Seconds*float64(time.Second)).Round(time.Second), s.Suite)
	}
	for _, s := range all {
		s.leftOut(&b)
	}
	for _, s := range all {
		s.table(&b)
	}
	return b.String()
}

// leftOut writes the list of what is left out of a suite.
func (s summaryOf) leftOut(b *strings.Builder) {
	if len(s.Reasons) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Left out of %s\n\n", s.Suite)
	for _, r := range s.Reasons {
		what := "fail"
		if r.NotRun {
			what = "are not run"
		}
		fmt.Fprintf(b, "- %s These %s:\n", r.Reason, what)
		for _, t := range r.Tests {
			fmt.Fprintf(b, "  - `%s`\n", t)
		}
	}
}

// table writes what each unit of a suite found.
func (s summaryOf) table(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Units of %s\n\n| unit | passed | skipped | left out | time | note |\n|---|---:|---:|---:|---:|---|\n", s.Suite)
	for _, u := range s.Units {
		note := strings.ReplaceAll(strings.ReplaceAll(u.Note, "\n", " "), "|", "\\|")
		fmt.Fprintf(b, "| %s | %d | %d | %d | %.1f s | %s |\n", u.Unit, u.Passed, u.Skipped, u.LeftOut, u.Seconds, note)
	}
}
