package accesslog

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// flushEvery is how long a line may stay in memory.
const flushEvery = time.Second

// bufferSize is how much is gathered before it is written, and dropAbove how
// much may wait for a writer that is stuck before lines are dropped and
// counted: a full disk must not stop the service.
const (
	bufferSize = 64 << 10
	dropAbove  = 4 << 20
)

// Log writes entries to one writer. It is safe for concurrent use.
type Log struct {
	format Format
	out    io.Writer
	log    *slog.Logger

	mu      sync.Mutex // guards all below
	pending []byte
	dropped int
	closed  bool

	kick chan struct{}
	done chan struct{}
	stop chan struct{}
}

// New starts a log. Trouble with out is told to log. The caller must Close it;
// out stays open.
func New(out io.Writer, format Format, log *slog.Logger) *Log {
	l := &Log{
		format: format, out: out, log: log,
		kick: make(chan struct{}, 1), done: make(chan struct{}), stop: make(chan struct{}),
	}
	go l.run()
	return l
}

// Write takes an entry; it never waits for the writer. A nil Log takes nothing.
func (l *Log) Write(e *Entry) {
	if l == nil {
		return
	}
	l.mu.Lock()
	if l.closed || len(l.pending) > dropAbove {
		l.dropped++
		l.mu.Unlock()
		return
	}
	l.pending = append(l.format(l.pending, e), '\n')
	full := len(l.pending) >= bufferSize
	l.mu.Unlock()
	if full {
		select {
		case l.kick <- struct{}{}:
		default:
		}
	}
}

// Close writes what is left. A nil Log does nothing.
func (l *Log) Close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	if first {
		close(l.stop)
	}
	<-l.done
}

// run is the only goroutine that writes. It ends with Close.
func (l *Log) run() {
	defer close(l.done)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	var spare []byte
	for {
		select {
		case <-ticker.C:
		case <-l.kick:
		case <-l.stop:
			l.flush(nil)
			return
		}
		spare = l.flush(spare)
	}
}

// flush swaps the buffers, so that requests go on while the writer works.
func (l *Log) flush(spare []byte) []byte {
	l.mu.Lock()
	full, dropped := l.pending, l.dropped
	l.pending, l.dropped = spare[:0], 0
	l.mu.Unlock()
	if dropped > 0 {
		l.log.Warn("access log is too slow: lines dropped", "lines", dropped)
	}
	if len(full) == 0 {
		return full
	}
	if _, err := l.out.Write(full); err != nil {
		l.log.Error("access log cannot be written", "error", err)
	}
	return full
}
