package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// An outcome is what became of a test.
type outcome string

const (
	passed   outcome = "passed"
	failed   outcome = "failed"
	skipped  outcome = "skipped" // by the suite itself
	notRun   outcome = "not run" // kept from running by the list of what is left out
	crashed  outcome = "crashed" // ended the process, or ran when time was over
	started  outcome = "started" // in a record only
	finished outcome = "end"     // in a record only: the process came to its end
)

// A record is one line that a helper wrote.
type record struct {
	Test    string  `json:"test"`
	Outcome outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
}

// A result is what became of a unit.
type result struct {
	Unit    string   `json:"unit"`
	Tests   []record `json:"tests"`
	Seconds float64  `json:"seconds"`
}

// readRecords reads what the helpers wrote; none when there is no file. A last
// line that is not whole was cut off by a crash.
func readRecords(file string) ([]record, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			break
		}
		out = append(out, r)
	}
	return out, lines.Err()
}

// collect makes one outcome for each test out of the records, in the order in
// which they first appear. Of several outcomes the worst counts.
func collect(unit string, records []record, end ending) result {
	c := collector{unit: unit, at: map[string]int{}}
	ended := false
	for _, r := range records {
		ended = ended || r.Outcome == finished
		c.take(r)
	}
	c.finish(ended, end)
	return result{Unit: unit, Tests: c.tests}
}

type collector struct {
	unit  string
	tests []record
	at    map[string]int
}

func (c *collector) take(r record) {
	if r.Outcome == finished {
		return
	}
	i, known := c.at[r.Test]
	if !known {
		c.at[r.Test] = len(c.tests)
		c.tests = append(c.tests, r)
		return
	}
	if worth(r.Outcome) > worth(c.tests[i].Outcome) {
		c.tests[i] = r
	}
}

// worth orders outcomes: a later and worse one replaces the one before.
func worth(o outcome) int {
	switch o {
	case skipped, notRun: // a part of it, when there is another outcome
		return 1
	case passed:
		return 2
	case failed:
		return 3
	}
	return 0
}

// finish gives an outcome to tests that started and never ended, and to a unit
// that went wrong beside its tests.
func (c *collector) finish(ended bool, end ending) {
	wrong := end.status != 0
	for i := range c.tests {
		t := &c.tests[i]
		if t.Outcome == started {
			t.Outcome, t.Detail = failed, "it ended without an outcome"
			if !ended {
				t.Outcome, t.Detail = crashed, end.how()
			}
		}
		wrong = wrong && t.Outcome != failed && t.Outcome != crashed
	}
	if wrong || !ended && end.status == 0 {
		c.tests = append(c.tests, record{Test: c.unit, Outcome: crashed, Detail: end.how()})
	}
}

// how says how a process ended.
func (e ending) how() string {
	if e.overtime {
		return "ran out of time"
	}
	return fmt.Sprintf("status %d: %s", e.status, e.last)
}
