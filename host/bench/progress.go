package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells a person how far the run is: on a terminal with one live line
// for what is being measured, elsewhere with plain lines alone. Figures that
// are done are a line in both.
type progress struct {
	w     io.Writer
	live  bool
	since time.Time
	where string // "[3/18 flask]"
}

func newProgress(f *os.File) *progress {
	return &progress{w: f, live: term.IsTerminal(int(f.Fd())), since: time.Now()}
}

// begin says which part is being measured from here on.
func (p *progress) begin(n, of int, name string) {
	p.where = fmt.Sprintf("[%d/%d %s]", n, of, name)
	if !p.live {
		p.say("%s after %v", p.where, time.Since(p.since).Round(time.Second))
	}
}

// doing shows what is going on, on a terminal only.
func (p *progress) doing(format string, args ...any) {
	if p.live {
		fmt.Fprintf(p.w, "\r\x1b[K%s %v %s", p.where, time.Since(p.since).Round(time.Second), fmt.Sprintf(format, args...))
	}
}

// say writes a line that stays.
func (p *progress) say(format string, args ...any) {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}
