package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress tells a person how far the run is: on a terminal with one live line
// for what is being measured, elsewhere with a plain line now and then. Figures
// that are done are a line in both.
type progress struct {
	w     io.Writer
	live  bool
	since time.Time
	said  time.Time // the last line
	where string    // "[3/18 flask]"
}

// silence is how long a log says nothing while something is being done.
const silence = time.Minute

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

// doing shows what is going on.
func (p *progress) doing(format string, args ...any) {
	text := fmt.Sprintf("%s %v %s", p.where, time.Since(p.since).Round(time.Second), fmt.Sprintf(format, args...))
	switch {
	case p.live:
		fmt.Fprint(p.w, "\r\x1b[K"+text)
	case time.Since(p.said) > silence:
		p.say("%s", text)
	}
}

// say writes a line that stays.
func (p *progress) say(format string, args ...any) {
	p.said = time.Now()
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}
