package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how much has been sent: a bar on a terminal, a line elsewhere.
type progress struct {
	bar *progressbar.ProgressBar // nil without a terminal
}

func newProgress(w io.Writer, what string, size int64) *progress {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(w, "%s %d bytes\n", what, size)
		return &progress{}
	}
	return &progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(65*time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
	)}
}

// Write counts.
func (p *progress) Write(b []byte) (int, error) {
	if p.bar == nil {
		return len(b), nil
	}
	return p.bar.Write(b)
}

func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Exit() // the bar is all that is lost
	}
}
