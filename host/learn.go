package host

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/release"
)

// learner is a maker that finds out what applications miss at their start.
type learner interface {
	homework() *lessons
}

// trimAfter is how many lessons may add to the cache before it is looked at.
const trimAfter = 20

// learn learns until ctx ends. While guests run it rests as long as it works.
func (f *fleet) learn(ctx context.Context) {
	m, ok := f.maker.(learner)
	if !ok {
		return
	}
	l, learnt := m.homework(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.news:
		}
		for one, ok := l.next(); ok && ctx.Err() == nil; one, ok = l.next() {
			start := time.Now()
			if one.learn(ctx) > 0 {
				learnt++
			}
			if learnt == trimAfter {
				learnt = 0
				one.trim()
			}
			if f.slots.Stats().Running > 0 && !pass(ctx, time.Since(start)) {
				return
			}
		}
	}
}

// Bounds of what waits to be learnt, in bytes of names: of one application, and of all.
// What is left out is missed again at the next start, and learnt then.
const (
	mostMissing = 1 << 20
	mostWaiting = 16 << 20
)

// lessonTime bounds one application's, which others wait for. Flask and its packages
// take a second.
const lessonTime = time.Minute

var errLesson = errors.New("it takes too long")

// lesson is what one application found missing.
type lesson struct {
	maker  release.Maker
	tenant string
	dir    string
	names  []string
	bytes  int // of names
}

// lessons wait for one goroutine, the last one of each tenant: an application in a
// folder serves as soon as it can, and the byte code that its interpreter made for
// itself is made once more, for the cache. The tenant's next start with the same text,
// after a change of another file, takes it from there: Flask with its packages in the
// folder 0.7 instead of 1.5 s.
type lessons struct {
	news chan struct{}

	mu      sync.Mutex
	waiting []lesson
	bytes   int // of them
}

func newLessons() *lessons { return &lessons{news: make(chan struct{}, 1)} }

func (l *lessons) add(one lesson) {
	l.enqueue(one)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

func (l *lessons) enqueue(one lesson) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(older lesson) bool {
		if older.tenant != one.tenant {
			return false
		}
		l.bytes -= older.bytes
		return true
	})
	if l.bytes+one.bytes <= mostWaiting {
		l.waiting, l.bytes = append(l.waiting, one), l.bytes+one.bytes
	}
}

// next is the lesson that waits for the longest time; false when none does.
func (l *lessons) next() (one lesson, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return lesson{}, false
	}
	one = l.waiting[0]
	l.waiting, l.bytes = slices.Delete(l.waiting, 0, 1), l.bytes-one.bytes
	return one, true
}

// homework implements learner.
func (e *engine) homework() *lessons { return e.lessons }

// learn says of how many sources byte code was made.
func (one lesson) learn(ctx context.Context) int {
	ctx, cancel := context.WithTimeoutCause(ctx, lessonTime, errLesson)
	defer cancel()
	sources, err := one.maker.Learn(ctx, one.tenant, one.dir, one.names)
	if err != nil {
		one.maker.Log.Debug("byte code was not made ahead", "folder", one.dir, "error", err)
	}
	if sources > 0 {
		one.maker.Log.Debug("byte code was made ahead", "sources", sources)
	}
	return sources
}

func (one lesson) trim() {
	if err := one.maker.Trim(); err != nil {
		one.maker.Log.Warn("the cache of byte code cannot be kept small", "error", err)
	}
}

// missing collects the sources that an application's start found no byte code of. The
// zero value is ready.
type missing struct {
	mu    sync.Mutex
	names map[string]bool // nil at first, and after the end
	bytes int
	ended bool
}

func (m *missing) add(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended || m.names[name] || m.bytes+len(name) > mostMissing {
		return
	}
	if m.names == nil {
		m.names = map[string]bool{}
	}
	m.names[name] = true
	m.bytes += len(name)
}

// end is what was collected, by name. Nothing is from here on.
func (m *missing) end() (names []string, bytes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names = slices.Sorted(maps.Keys(m.names))
	m.ended, m.names = true, nil
	return names, m.bytes
}
