package main

import (
	"fmt"
	"os"
	"strings"
)

// tailLines is how much of a log a failure shows.
const tailLines = 30

// A failure is a step that went wrong.
type failure struct {
	step string
	log  string // file with what the step printed
	hint string // one sentence: what to do
	err  error
}

// Error shows the end of the log, where all of it is, and what to do.
func (f *failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "step %s failed: %v\n", f.step, f.err)
	text, err := os.ReadFile(f.log)
	if err == nil && len(text) > 0 {
		fmt.Fprintf(&b, "the end of its log:\n%s\n", indent(tail(string(text), tailLines)))
	}
	fmt.Fprintf(&b, "the whole log: %s\n%s", f.log, f.hint)
	return b.String()
}

func (f *failure) Unwrap() error { return f.err }

// tail returns the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// indent moves every line to the right, so that a log stands out.
func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }
