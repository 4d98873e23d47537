package sandbox

import (
	"io"

	"github.com/wasgi/wasgi/wasi"
)

// Stream is where a guest writes to.
type Stream uint8

// The streams.
const (
	Stdout Stream = iota
	Stderr
)

// String is the stream's name in a log.
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Printer is what a Responder may implement besides: Print gets each line that
// the guest writes to standard output or error while it serves the request,
// without its end, so that somebody can say which request a line belongs to. It
// must not block. Lines outside of requests, and all lines without a Printer, go
// to the streams of the policy.
type Printer interface {
	Print(s Stream, line string)
}

// maxPrinted is what is kept of one line, in bytes: what package tenantlog keeps.
const maxPrinted = 16 << 10

// apart gives the instance lines of its own in place of a writer that all share:
// the beginning of one instance's line and the end of another's are no line. What
// is no writer of lines, such as a terminal, stays.
func (in *Instance) apart(s Stream, shared io.Writer) io.Writer {
	lines, ok := shared.(*wasi.Lines)
	if !ok {
		return shared
	}
	own := wasi.LineWriter(func(line string) {
		if p, ok := in.exchange.responder.(Printer); ok {
			p.Print(s, line)
			return
		}
		_, _ = lines.Write([]byte(line + "\n")) // which never fails
	}, maxPrinted)
	in.printed[s] = own
	return own
}

// endLines hands on what has no end yet, before the request is over that said it.
func (in *Instance) endLines() {
	for _, l := range in.printed {
		if l != nil {
			_ = l.Close() // which never fails
		}
	}
}
