package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress tells a person, or a program, how far the build is. On a terminal
// a live line shows the running steps; elsewhere each step is one plain line
// when it ends; with asJSON each event is one line of JSON.
type progress struct {
	w      io.Writer
	live   bool
	asJSON bool
	total  int

	mu      sync.Mutex
	count   int
	running []running
	stop    chan struct{}
}

// running is a step at work.
type running struct {
	name  string
	since time.Time
}

// newProgress returns a progress that writes to f. Call close in the end.
func newProgress(f *os.File, asJSON bool, total int) *progress {
	p := &progress{w: f, asJSON: asJSON, total: total, stop: make(chan struct{})}
	p.live = !asJSON && term.IsTerminal(int(f.Fd()))
	if p.live {
		go p.tick() // ends with close
	}
	return p
}

// close ends the live line.
func (p *progress) close() {
	close(p.stop)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	p.erase()
}

// tick draws the live line anew until close.
func (p *progress) tick() {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.mu.Lock()
			p.draw()
			p.mu.Unlock()
		}
	}
}

// started says that a step has begun.
func (p *progress) started(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, running{name, time.Now()})
	if p.asJSON {
		p.event(name, "started", 0)
	}
	p.draw()
}

// finished says that a step has ended, or that its result was there already.
func (p *progress) finished(name string, r result, made bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	for i, s := range p.running {
		if s.name == name {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	state, shown := "done", fmt.Sprintf("%.1fs", r.Seconds)
	if !made {
		state, shown = "cached", "cached"
	}
	if p.asJSON {
		p.event(name, state, r.Seconds)
		return
	}
	p.erase()
	fmt.Fprintf(p.w, "[%2d/%d] %s … %s\n", p.count, p.total, name, shown)
	p.draw()
}

// warn says something that a person should know, while the build goes on.
func (p *progress) warn(step, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asJSON {
		if b, err := json.Marshal(map[string]any{"step": step, "warning": text}); err == nil {
			fmt.Fprintf(p.w, "%s\n", b)
		}
		return
	}
	p.erase()
	fmt.Fprintf(p.w, "warning: %s: %s\n", step, text)
	p.draw()
}

// event writes one line of JSON.
func (p *progress) event(name, state string, seconds float64) {
	b, err := json.Marshal(map[string]any{"step": name, "state": state, "seconds": seconds, "of": p.total})
	if err == nil {
		fmt.Fprintf(p.w, "%s\n", b)
	}
}

// erase clears the live line.
func (p *progress) erase() {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// draw shows the running steps on the live line.
func (p *progress) draw() {
	if !p.live || len(p.running) == 0 {
		return
	}
	parts := make([]string, len(p.running))
	for i, s := range p.running {
		parts[i] = fmt.Sprintf("%s %.0fs", s.name, time.Since(s.since).Seconds())
	}
	p.erase()
	fmt.Fprintf(p.w, "[%2d/%d] %s", p.count+1, p.total, strings.Join(parts, " · "))
}
