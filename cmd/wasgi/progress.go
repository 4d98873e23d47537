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

// newProgress begins one. What is sent has a size in bytes.
func newProgress(w io.Writer, tenant, doing string, size int64) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		fmt.Fprintf(w, "%s: %s %d bytes\n", tenant, doing, size)
		return &progress{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	// A bar that is wider than the screen would leave a line behind with every step.
	name := shorter(tenant, max(width/3-len(doing), 8))
	o := []progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name + ": " + doing), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(65 * time.Millisecond), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetRenderBlankState(true), // its clock begins now, not with the first bytes, whose rate would be absurd
	}
	if width >= narrow {
		o = append(o, progressbar.OptionShowCount(), progressbar.OptionShowTotalBytes(true))
	} else {
		o = append(o, progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionShowTotalBytes(false))
	}
	return &progress{progressbar.NewOptions64(size, o...)}
}

// narrow is a screen of fewer columns, where a bar has no room for counts.
const narrow = 72

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
