package tenantlog

import (
	"context"
	"errors"
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

// entry is a line that is kept.
type entry struct {
	Line
	filed bool // whether it is a record of the log's file, too
}

// mark is how many lines there have been, and how many of them are in the file.
type mark struct{ lines, filed int }

// tail keeps the last lines and wakes those who wait for more. A line is added and
// written to the file under one lock, so that it is known where in the file those
// begin that are kept.
type tail struct {
	out *File // what the records are written to; nil for nothing that can be read

	mu    sync.Mutex // guards all below
	lines []entry
	bytes int
	at    mark
	next  int
	woken map[int]chan struct{}
}

func (l Line) size() int {
	n := overhead + len(l.Message)
	for k, v := range l.Fields {
		n += len(k) + len(v)
	}
	return n
}

// take adds a line and writes its record with file, which may be nil and writes to
// out.
func (t *tail) take(ctx context.Context, l Line, file slog.Handler, r slog.Record) (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.out.count()
	if file != nil && file.Enabled(ctx, r.Level) {
		err = file.Handle(ctx, r.Clone())
	}
	t.add(entry{l, t.out.count() > was})
	for _, w := range t.woken {
		select {
		case w <- struct{}{}:
		default: // it will look anyway
		}
	}
	return err
}

func (t *tail) add(e entry) {
	t.at.lines++
	if e.filed {
		t.at.filed++
	}
	t.lines = append(t.lines, e)
	t.bytes += e.size()
	drop := 0
	for len(t.lines)-drop > tailLines || t.bytes > tailBytes && len(t.lines)-drop > 1 {
		t.bytes -= t.lines[drop].size()
		drop++
	}
	if drop > 0 {
		t.lines = slices.Delete(t.lines, 0, drop)
	}
}

// view is what there is after a mark.
type view struct {
	lines   []entry // those that are kept
	filed   int     // how many of these are in the files
	missing int     // how many came before them, in the files if there are some
	past    *past   // nil without files
	at      mark    // the end
}

func (t *tail) after(m mark) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := view{at: t.at, past: t.out.past()}
	v.lines = slices.Clone(t.lines[max(len(t.lines)-(t.at.lines-m.lines), 0):])
	for _, e := range v.lines {
		if e.filed {
			v.filed++
		}
	}
	v.missing = t.at.lines - m.lines - len(v.lines)
	if v.past != nil {
		v.missing = t.at.filed - m.filed - v.filed
	}
	return v
}

// Watch has a value in wake after each line from now on, one for many when nobody
// takes them, until stop is called.
func (l *Log) Watch() (wake <-chan struct{}, stop func()) {
	t := l.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.woken == nil {
		t.woken = map[int]chan struct{}{}
	}
	id, c := t.next, make(chan struct{}, 1)
	t.next++
	t.woken[id] = c
	return c, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.woken, id)
	}
}

// kept is a handler that keeps what passes through it, in memory and in the tail's
// file.
type kept struct {
	next  slog.Handler
	file  slog.Handler // nil for none
	tail  *tail
	attrs []slog.Attr
	group string
}

// Enabled implements slog.Handler.
func (h *kept) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo || h.next.Enabled(ctx, level) || h.file != nil && h.file.Enabled(ctx, level)
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
	err := h.tail.take(ctx, line, h.file, r)
	if h.next.Enabled(ctx, r.Level) {
		err = errors.Join(err, h.next.Handle(ctx, r))
	}
	return err
}

func (l Line) put(group string, a slog.Attr) { l.Fields[group+a.Key] = cut(a.Value.Resolve().String()) }

// WithAttrs implements slog.Handler.
func (h *kept) WithAttrs(attrs []slog.Attr) slog.Handler {
	own := slices.Clone(h.attrs)
	for _, a := range attrs {
		own = append(own, slog.Attr{Key: h.group + a.Key, Value: a.Value})
	}
	k := &kept{h.next.WithAttrs(attrs), nil, h.tail, own, h.group}
	if h.file != nil {
		k.file = h.file.WithAttrs(attrs)
	}
	return k
}

// WithGroup implements slog.Handler.
func (h *kept) WithGroup(name string) slog.Handler {
	k := &kept{h.next.WithGroup(name), nil, h.tail, h.attrs, h.group + name + "."}
	if h.file != nil {
		k.file = h.file.WithGroup(name)
	}
	return k
}
