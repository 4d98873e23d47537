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

// A summary is what RESULTS.json keeps of a suite: the last run of each unit,
// whether the whole suite ran or a part of it.
type summary struct {
	Suite   string      `json:"suite"`
	Version string      `json:"version"`
	Units   []unitCount `json:"units"`
	Reasons []leftOut   `json:"reasons"`
}

// merge puts newer units in the place of older ones of the same version.
func (s summary) merge(older summary) summary {
	if older.Version != s.Version {
		return s
	}
	for _, u := range older.Units {
		if !slices.ContainsFunc(s.Units, func(n unitCount) bool { return n.Unit == u.Unit }) {
			s.Units = append(s.Units, u)
		}
	}
	slices.SortFunc(s.Units, func(a, b unitCount) int { return strings.Compare(a.Unit, b.Unit) })
	return s
}

// sum adds up the units. Seconds are those of all processes together.
func (s summary) sum() unitCount {
	var all unitCount
	for _, u := range s.Units {
		all.Passed += u.Passed
		all.Skipped += u.Skipped
		all.LeftOut += u.LeftOut
		all.Failed += u.Failed
		all.Seconds += u.Seconds
	}
	return all
}

// keepResults puts a suite's summary into RESULTS.json and writes RESULTS.md
// anew.
func (w *world) keepResults(s summary) error {
	file := filepath.Join(w.out, "RESULTS.json")
	var all []summary
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", file, err)
	}
	if i := slices.IndexFunc(all, func(o summary) bool { return o.Suite == s.Suite }); i >= 0 {
		s = s.merge(all[i])
		all = slices.Delete(all, i, i+1)
	}
	all = append(all, s)
	order := suiteNames(suites())
	slices.SortFunc(all, func(a, b summary) int {
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
func report(all []summary) string {
	var b strings.Builder
	b.WriteString("# Suites that were not written here, run in the guest\n\n" +
		"Written by `make conformance` (`go run ./pywasm/conformance`). \"Skipped\" is what the suite itself leaves out, on this\n" +
		"platform or without an optional package; \"left out\" is listed below, each with its reason; \"unexpected\" is a fault. Each\n" +
		"unit stands for its last run; times are those of its process, and of all processes of a suite together.\n\n" +
		"| suite | version | passed | skipped | left out | unexpected | time | command |\n|---|---|---:|---:|---:|---:|---:|---|\n")
	for _, s := range all {
		all := s.sum()
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %s | `go run ./pywasm/conformance --suite %s` |\n", s.Suite, s.Version,
			all.Passed, all.Skipped, all.LeftOut, all.Failed, time.Duration(all.Seconds*float64(time.Second)).Round(time.Second), s.Suite)
	}
	for _, s := range all {
		s.leftOut(&b)
	}
	for _, s := range all {
		s.table(&b)
	}
	return b.String()
}

// byError are the tests that an entry is about because of how they failed.
func (s summary) byError(r leftOut) []string {
	var tests []string
	for _, u := range s.Units {
		tests = append(tests, u.ByError[r.Error]...)
	}
	return tests
}

// leftOut writes the list of what is left out of a suite.
func (s summary) leftOut(b *strings.Builder) {
	if len(s.Reasons) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## Left out of %s\n\n", s.Suite)
	for _, r := range s.Reasons {
		what, tests := "fail", r.Tests
		if r.NotRun {
			what = "are not run"
		}
		if r.Error != "" {
			what, tests = "fail with `"+r.Error+"`", s.byError(r)
		}
		fmt.Fprintf(b, "- %s These %s:\n", r.Reason, what)
		for _, t := range tests {
			fmt.Fprintf(b, "  - `%s`\n", t)
		}
	}
}

// table writes what each unit of a suite found.
func (s summary) table(b *strings.Builder) {
	fmt.Fprintf(b, "\n## Units of %s\n\n| unit | passed | skipped | left out | time | note |\n|---|---:|---:|---:|---:|---|\n", s.Suite)
	for _, u := range s.Units {
		note := strings.ReplaceAll(strings.ReplaceAll(u.Note, "\n", " "), "|", "\\|")
		fmt.Fprintf(b, "| %s | %d | %d | %d | %.1f s | %s |\n", u.Unit, u.Passed, u.Skipped, u.LeftOut, u.Seconds, note)
	}
}
