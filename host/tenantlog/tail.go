package tenantlog

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Line is a record of a tenant's log.
type Line struct {
	Time    time.Time
	Level   slog.Level
	Message string
	Fields  map[string]string
}

// tailLines and tailBytes are what is kept of a tenant's log for those who ask
// for its end.
const (
	tailLines = 1000
	tailBytes = 64 << 10
)

// tail keeps the last lines and tells them to whoever listens.
type tail struct {
	mu    sync.Mutex // guards all below; held while listeners run
	lines []Line
	bytes int
	next  int
	heard map[int]func(Line)
}

func (l Line) size() int {
	n := overhead + len(l.Message)
	for k, v := range l.Fields {
		n += len(k) + len(v)
	}
	return n
}

func (t *tail) add(l Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, l)
	t.bytes += l.size()
	drop := 0
	for len(t.lines)-drop > tailLines || t.bytes > tailBytes && len(t.lines)-drop > 1 {
		t.bytes -= t.lines[drop].size()
		drop++
	}
	if drop > 0 {
		t.lines = slices.Delete(t.lines, 0, drop)
	}
	for _, f := range t.heard {
		f(l)
	}
}

// Tail is the end of the log, n lines at most, and, when f is not nil, has f
// called for each line from then on until stop is called. f must not block and
// must not write to the log.
func (l *Log) Tail(n int, f func(Line)) (last []Line, stop func()) {
	t := l.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	last = slices.Clone(t.lines[max(len(t.lines)-n, 0):])
	if f == nil {
		return last, func() {}
	}
	if t.heard == nil {
		t.heard = map[int]func(Line){}
	}
	id := t.next
	t.next++
	t.heard[id] = f
	return last, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.heard, id)
	}
}

// kept is a handler that keeps what passes through it.
type kept struct {
	next  slog.Handler
	tail  *tail
	attrs []slog.Attr
	group string
}

// Enabled implements slog.Handler.
func (h *kept) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *kept) Handle(ctx context.Context, r slog.Record) error {
	line := Line{Time: r.Time, Level: r.Level, Message: cut(r.Message), Fields: map[string]string{}}
	for _, a := range h.attrs {
		line.put("", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		line.put(h.group, a)
		return true
	})
	delete(line.Fields, "tenant") // whose log it is is known
	h.tail.add(line)
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (l Line) put(group string, a slog.Attr) { l.Fields[group+a.Key] = cut(a.Value.Resolve().String()) }

// WithAttrs implements slog.Handler.
func (h *kept) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := slices.Clone(h.attrs)
	for _, a := range attrs {
		own = append(own, slog.Attr{Key: h.group + a.Key, Value: a.Value})
	}
	return &kept{h.next.WithAttrs(attrs), h.tail, own, h.group}
}

// WithGroup implements slog.Handler.
func (h *kept) WithGroup(name string) slog.Handler {
	return &kept{h.next.WithGroup(name), h.tail, h.attrs, h.group + name + "."}
}
