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

// learner is a maker that makes what applications found missing at their start, for
// the next one.
type learner interface {
	// learn runs until ctx ends.
	learn(ctx context.Context)
}

// learn has the maker learn until ctx ends.
func (f *fleet) learn(ctx context.Context) {
	if l, ok := f.maker.(learner); ok {
		l.learn(ctx)
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
	maker release.Maker
	dir   string
	names []string
	bytes int // of names
}

// lessons wait for one goroutine: an application in a folder serves as soon as it can,
// and the byte code that its interpreter made for itself is made once more, for the
// cache. The next start of the same text, after a change of another file or in another
// tenant's folder, takes it from there: Flask with its packages in the folder 0.7
// instead of 1.5 s.
type lessons struct {
	news chan struct{}

	mu      sync.Mutex
	waiting []lesson
	bytes   int // of them
}

func newLessons() *lessons { return &lessons{news: make(chan struct{}, 1)} }

func (l *lessons) add(one lesson) {
	l.mu.Lock()
	if l.bytes+one.bytes <= mostWaiting {
		l.waiting, l.bytes = append(l.waiting, one), l.bytes+one.bytes
	}
	l.mu.Unlock()
	select {
	case l.news <- struct{}{}:
	default:
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

// learn implements learner.
func (e *engine) learn(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.lessons.news:
		}
		for one, ok := e.lessons.next(); ok && ctx.Err() == nil; one, ok = e.lessons.next() {
			one.learn(ctx)
		}
	}
}

func (one lesson) learn(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, lessonTime, errLesson)
	defer cancel()
	if err := one.maker.Learn(ctx, one.dir, one.names); err != nil {
		one.maker.Log.Debug("byte code was not made ahead", "folder", one.dir, "error", err)
		return
	}
	one.maker.Log.Debug("byte code was made ahead", "sources", len(one.names))
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
