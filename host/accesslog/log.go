package accesslog

import (
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
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
	log *slog.Logger
	out io.Writer // of run
	on  atomic.Bool

	mu      sync.Mutex // guards all below
	format  Format     // nil is off
	pending []byte
	dropped int
	closed  bool

	kick    chan struct{}
	changes chan change
	done    chan struct{}
	stop    chan struct{}
}

// change is another writer and format.
type change struct {
	out    io.Writer
	format Format
	done   chan struct{}
}

// New starts a log. Trouble with out is told to log. A nil format writes nothing.
// The caller must Close it; out stays open.
func New(out io.Writer, format Format, log *slog.Logger) *Log {
	l := &Log{
		format: format, out: out, log: log,
		kick: make(chan struct{}, 1), changes: make(chan change), done: make(chan struct{}), stop: make(chan struct{}),
	}
	l.on.Store(format != nil)
	go l.run()
	return l
}

// On says whether entries are written. A nil Log is off.
func (l *Log) On() bool { return l != nil && l.on.Load() }

// Switch goes on with another writer and format, nil for off, when what was taken
// before is with the writer that there was; that one can be closed then. After
// Close it does nothing.
func (l *Log) Switch(out io.Writer, format Format) {
	c := change{out, format, make(chan struct{})}
	select {
	case l.changes <- c:
		<-c.done
	case <-l.done:
	}
}

// Write takes an entry; it never waits for the writer. A nil Log takes nothing.
func (l *Log) Write(e *Entry) {
	if !l.On() {
		return
	}
	l.mu.Lock()
	if l.closed || l.format == nil || len(l.pending) > dropAbove {
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
		case c := <-l.changes:
			spare = l.become(c, spare)
		case <-l.stop:
			l.flush(nil)
			return
		}
		spare = l.flush(spare)
	}
}

// become flushes what has the format that there was.
func (l *Log) become(c change, spare []byte) []byte {
	defer close(c.done)
	spare = l.flush(spare)
	l.mu.Lock()
	rest := l.pending
	l.pending, l.format = spare[:0], c.format
	l.mu.Unlock()
	l.on.Store(c.format != nil)
	l.put(rest)
	l.out = c.out
	return rest
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
	l.put(full)
	return full
}

func (l *Log) put(lines []byte) {
	if len(lines) == 0 {
		return
	}
	if _, err := l.out.Write(lines); err != nil {
		l.log.Error("access log cannot be written", "error", err)
	}
}
