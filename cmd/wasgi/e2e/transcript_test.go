package e2e

import (
	"bytes"
	"regexp"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for something that should happen before it
// gives up. No test passes or fails by how fast something was.
const patience = 2 * time.Minute

// transcript keeps what a process writes to one stream and lets tests wait for
// lines of it.
type transcript struct {
	mu      sync.Mutex
	text    []byte
	ended   bool
	changed chan struct{} // closed and replaced at every change
}

func newTranscript() *transcript { return &transcript{changed: make(chan struct{})} }

func (r *transcript) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, p...)
	r.wake()
	return len(p), nil
}

// end says that nothing more will be written.
func (r *transcript) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.wake()
}

func (r *transcript) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *transcript) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.text)
}

// size is where what comes next will begin.
func (r *transcript) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.text)
}

// wait returns the first match of re in the whole lines after from, and where
// it ends. It waits until there is one.
func (r *transcript) wait(t *testing.T, re *regexp.Regexp, from int) (match []string, end int) {
	t.Helper()
	give := time.NewTimer(patience)
	defer give.Stop()
	for {
		match, end, ended, changed := r.find(re, from)
		if match != nil {
			return match, end
		}
		if ended {
			t.Fatalf("the process ended and never wrote %q; it wrote:\n%s", re, r)
		}
		select {
		case <-changed:
		case <-give.C:
			t.Fatalf("the process did not write %q; it wrote:\n%s", re, r)
		}
	}
}

func (r *transcript) find(re *regexp.Regexp, from int) (match []string, end int, ended bool, changed chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.text[from : from+1+bytes.LastIndexByte(r.text[from:], '\n')]
	if at := re.FindSubmatchIndex(lines); at != nil {
		end = from + at[1]
		for i := 0; i < len(at); i += 2 {
			match = append(match, group(lines, at[i], at[i+1]))
		}
	}
	return match, end, r.ended, r.changed
}

// group is one sub-match; one that took no part begins at -1.
func group(text []byte, from, to int) string {
	if from < 0 {
		return ""
	}
	return string(text[from:to])
}
