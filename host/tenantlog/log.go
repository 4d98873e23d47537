package tenantlog

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// maxLine is what is kept of one line, in bytes.
const maxLine = 16 << 10

// Log is one tenant's. It is safe for concurrent use.
type Log struct {
	log    *slog.Logger
	budget *bucket
}

// New makes the log of the tenant name. rate is in bytes a second, and a second's
// worth may come at once.
func New(log *slog.Logger, name string, rate int64) *Log {
	return newLog(log, name, rate, time.Now)
}

func newLog(log *slog.Logger, name string, rate int64, now func() time.Time) *Log {
	return &Log{log: log.With("tenant", name), budget: newBucket(rate, now)}
}

// Slog is the tenant's logger for what the host says about it: without a budget.
func (l *Log) Slog() *slog.Logger { return l.log }

// Guest takes a text that a guest handed to the ABI's log while it served
// requestID ("" outside a request). A traceback stays in one piece, everything
// else becomes a record for each line.
func (l *Log) Guest(level abi.LogLevel, text, requestID string) {
	switch level {
	case abi.LogTraceback:
		l.put(slog.LevelError, "traceback", text, requestID)
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
	return line[:maxLine] + " … cut"
}

func (l *Log) put(level slog.Level, source, text, requestID string) {
	ok, dropped := l.budget.take(len(text))
	if !ok {
		return
	}
	if dropped > 0 {
		l.log.Warn("log above tenant_log_rate: records dropped", "records", dropped)
	}
	attrs := []slog.Attr{slog.String("source", source)}
	if requestID != "" {
		attrs = append(attrs, slog.String("request_id", requestID))
	}
	l.log.LogAttrs(context.Background(), level, text, attrs...)
}

// Stream is a writer for a guest's standard output or error; name says which.
func (l *Log) Stream(name string) *Stream { return &Stream{log: l, name: name} }

// Stream implements io.Writer. Instances of a tenant share it: a call's last
// line is ended by the call, so that no two instances mix in one line.
type Stream struct {
	log  *Log
	name string
}

// Write never fails.
func (s *Stream) Write(p []byte) (int, error) {
	s.log.lines(slog.LevelInfo, s.name, string(p), "")
	return len(p), nil
}
