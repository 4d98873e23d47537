package main

import (
	"fmt"
	"slices"
	"sort"
)

// A verdict is what a suite's results are worth.
type verdict struct {
	passed, skipped, leftOut int
	faults                   []string // sentences: why the suite is not as expected
	units                    []unitCount
}

// A unitCount is one line of a suite's table.
type unitCount struct {
	Unit    string  `json:"unit"`
	Passed  int     `json:"passed"`
	Skipped int     `json:"skipped"`
	LeftOut int     `json:"leftOut"`
	Failed  int     `json:"failed"`
	Seconds float64 `json:"seconds"`
	// ByError are the tests that are left out for how they fail, by leftOut.Error.
	ByError map[string][]string `json:"byError,omitempty"`
	// Note is the reason when the suite skipped the whole unit.
	Note string `json:"note,omitempty"`
}

// A judge holds results against the list of what is left out.
type judge struct {
	rules []leftOut
	used  map[string]bool // patterns that met a test
	verdict
}

func newJudge(rules []leftOut) *judge { return &judge{rules: rules, used: map[string]bool{}} }

// take judges one unit.
func (j *judge) take(r result) unitCount {
	c := unitCount{Unit: r.Unit, Seconds: r.Seconds}
	for _, t := range r.Tests {
		j.count(&c, t)
	}
	if c.Passed+c.Failed+c.LeftOut == 0 {
		c.Note = sameDetail(r.Tests)
	}
	j.passed += c.Passed
	j.skipped += c.Skipped
	j.leftOut += c.LeftOut
	j.units = append(j.units, c)
	return c
}

// sameDetail is what all tests say, "" when they differ.
func sameDetail(tests []record) string {
	if len(tests) == 0 || slices.ContainsFunc(tests, func(t record) bool { return t.Detail != tests[0].Detail }) {
		return ""
	}
	return tests[0].Detail
}

func (j *judge) count(c *unitCount, t record) {
	listed := j.listed(c, t)
	switch {
	case t.Outcome == passed && listed:
		c.Failed++
		j.faults = append(j.faults, fmt.Sprintf("%s passes: take it off the list of what is left out", t.Test))
	case t.Outcome == passed:
		c.Passed++
	case t.Outcome == skipped:
		c.Skipped++
	case listed:
		c.LeftOut++
	default:
		c.Failed++
		j.faults = append(j.faults, fmt.Sprintf("%s %s: %s", t.Test, t.Outcome, t.Detail))
	}
}

// listed tells whether an outcome is on the list.
func (j *judge) listed(c *unitCount, t record) bool {
	found := false
	for _, r := range j.rules {
		for _, p := range r.Tests {
			if r.covers(p, t) {
				j.used[p], found = true, true
				c.note(r, t.Test)
			}
		}
	}
	return found
}

// note keeps the name of a test that an entry is about because of its error, once: subtests have the name of their test.
func (c *unitCount) note(r leftOut, test string) {
	if names := c.ByError[r.Error]; r.Error == "" || slices.Contains(names, test) {
		return
	}
	if c.ByError == nil {
		c.ByError = map[string][]string{}
	}
	c.ByError[r.Error] = append(c.ByError[r.Error], test)
}

// finish adds what can be said only when the whole suite has run: entries that
// met no test.
func (j *judge) finish(whole bool) verdict {
	if whole {
		for _, r := range j.rules {
			for _, p := range r.Tests {
				if !j.used[p] {
					j.faults = append(j.faults, fmt.Sprintf("%s is on the list of what is left out, but there is no such test", p))
				}
			}
		}
	}
	sort.Slice(j.units, func(a, b int) bool { return j.units[a].Unit < j.units[b].Unit })
	return j.verdict
}
