package tenantlog

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// maxLine is what is kept of one line, in bytes.
const maxLine = 16 << 10

// Log is one tenant's. It is safe for concurrent use.
type Log struct {
	log    *slog.Logger // of the host's words about the tenant, without a budget
	guest  *slog.Logger // of the tenant's own words, passed on by others
	caused *slog.Logger // of the host's words about the tenant's faults
	budget *bucket
	tail   *tail
}

// Options are what New may do besides.
type Options struct {
	// File gets what goes to the host's log as well; nil for nothing.
	File slog.Handler
	// Past is what File writes to, for readers of what memory does not hold; nil for
	// none.
	Past *File
	// Dropped hears how many records were above the rate, about once a second; nil
	// for nobody.
	Dropped func(records int)
}

// New makes the log of the tenant name. rate is in bytes a second, all that a
// record takes included, and a second's worth may come at once.
func New(log *slog.Logger, name string, rate int64, o Options) *Log {
	return newLog(log, name, rate, o, systemClock())
}

func newLog(log *slog.Logger, name string, rate int64, o Options, c clock) *Log {
	end := &tail{out: o.Past}
	log = slog.New(&kept{next: log.Handler(), file: o.File, tail: end})
	own := log.With("tenant", name)
	b := newBucket(rate, c)
	b.told = o.Dropped
	l := &Log{log: own, budget: b, tail: end}
	l.guest = slog.New(&limited{next: log.Handler(), own: own, budget: b})
	l.caused = slog.New(&limited{next: own.Handler(), own: own, budget: b})
	return l
}

// Slog is for what the host says about the tenant.
func (l *Log) Slog() *slog.Logger { return l.log }

// GuestSlog is for what others pass on from the guest, the tenant's name
// included. It keeps to the budget.
func (l *Log) GuestSlog() *slog.Logger { return l.guest }

// Budgeted is Slog for what a tenant can cause at any rate.
func (l *Log) Budgeted() *slog.Logger { return l.caused }

// Guest takes a text that a guest handed to the ABI's log while it served
// requestID ("" outside a request). A traceback stays in one piece, everything
// else becomes a record for each line.
func (l *Log) Guest(level abi.LogLevel, text, requestID string) {
	switch level {
	case abi.LogTraceback:
		l.put(slog.LevelError, "traceback", strings.TrimRight(text, "\n"), requestID)
	case abi.LogGateway:
		l.lines(slog.LevelError, "gateway", text, requestID)
	default:
		l.lines(slog.LevelWarn, "errors", text, requestID)
	}
}

func (l *Log) lines(level slog.Level, source, text, requestID string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			l.put(level, source, cut(line), requestID)
		}
	}
}

func cut(line string) string {
	if len(line) <= maxLine {
		return line
	}
	return strings.ToValidUTF8(line[:maxLine], "") + " … cut"
}

func (l *Log) put(level slog.Level, source, text, requestID string) {
	attrs := []slog.Attr{slog.String("source", source)}
	if requestID != "" {
		attrs = append(attrs, slog.String("request_id", requestID))
	}
	if l.budget.admit(l.log, costOf(text)) {
		l.log.LogAttrs(context.Background(), level, text, attrs...)
	}
}

// Print takes a line that a guest wrote to a stream, the source, while it served
// requestID. Empty lines are left out.
func (l *Log) Print(source, line, requestID string) {
	if line != "" {
		l.put(slog.LevelInfo, source, cut(line), requestID)
	}
}

// Output is a writer for a guest's standard output or error outside of requests;
// source says which. A tenant's instances share it, each with whole lines.
func (l *Log) Output(source string) io.Writer {
	return wasi.LineWriter(func(line string) {
		l.Print(source, line, "")
	}, maxLine)
}
