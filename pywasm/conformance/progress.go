package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells a person, or a program, how far a suite is. On a terminal
// a live line counts the units; elsewhere each unit is one plain line; with
// asJSON each is one line of JSON.
type progress struct {
	suiteName   string
	total, done int
	live, json  bool
}

func newProgress(asJSON bool, suite string, total int) *progress {
	return &progress{suiteName: suite, total: total, json: asJSON, live: !asJSON && term.IsTerminal(int(os.Stdout.Fd()))}
}

// unit tells about one that has ended, and what is wrong with it.
func (p *progress) unit(c unitCount, faults []string) {
	p.done++
	if p.json {
		printJSON(map[string]any{"suite": p.suiteName, "unit": c, "faults": faults})
		return
	}
	line := fmt.Sprintf("[%d/%d] %s %s: %d passed, %d skipped, %d left out, %d failed, %.1f s",
		p.done, p.total, p.suiteName, c.Unit, c.Passed, c.Skipped, c.LeftOut, c.Failed, c.Seconds)
	switch {
	case p.live && len(faults) == 0:
		fmt.Print("\r\x1b[K", line)
	case p.live:
		fmt.Println("\r\x1b[K" + line)
	default:
		fmt.Println(line)
	}
	for _, f := range faults {
		fmt.Println("    " + f)
	}
}

// suite tells the sum.
func (p *progress) suite(v verdict, version string, took time.Duration) {
	if p.json {
		printJSON(map[string]any{"suite": p.suiteName, "version": version, "passed": v.passed, "skipped": v.skipped,
			"leftOut": v.leftOut, "faults": v.faults, "seconds": took.Seconds()})
		return
	}
	if p.live {
		fmt.Print("\r\x1b[K")
	}
	fmt.Printf("%s %s: %d passed, %d skipped by the suite, %d left out, %d not as expected, %s\n",
		p.suiteName, version, v.passed, v.skipped, v.leftOut, len(v.faults), took.Round(time.Second))
}

func printJSON(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	fmt.Println(string(b))
}
