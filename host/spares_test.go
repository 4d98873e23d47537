package host

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

// booter boots for spares.
type booter struct {
	lasts time.Duration
	boots atomic.Int32
	err   error
}

func (b *booter) boot(ctx context.Context, budget *sandbox.Budget) (*sandbox.Spare, error) {
	b.boots.Add(1)
	if !pass(ctx, b.lasts) {
		return nil, ctx.Err()
	}
	if b.err == nil {
		budget.Take(20)
	}
	return &sandbox.Spare{}, b.err
}

func keepSpares(t *testing.T, b *booter, log *slog.Logger, memory *sandbox.Budget, needed, busy func() bool) *spares {
	t.Helper()
	s := newSpares(log, b.boot)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.keep(ctx, memory, needed, busy) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func never() bool { return false }

func always() bool { return true }

func fit(*sandbox.Spare) bool { return true }

func TestSpareIsReadyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &booter{}
		s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, never)
		for i := range 3 {
			time.Sleep(2 * time.Second)
			if held := s.held(); held != 20 {
				t.Errorf("%d bytes are held", held)
			}
			if s.take(t.Context(), fit) == nil || int(b.boots.Load()) != i+1 {
				t.Errorf("there was none after %d boots", b.boots.Load())
			}
			if held := s.held(); held != 0 {
				t.Errorf("%d bytes are held of one that was taken", held)
			}
		}
	})
}

// TestSpareIsWaitedFor asks while one is made that is soon ready, and one that is not.
func TestSpareIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &booter{lasts: spareWait - 1}
		s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, never)
		synctest.Wait()
		start := time.Now()
		if s.take(t.Context(), fit) == nil || time.Since(start) != spareWait-1 {
			t.Errorf("it took %v", time.Since(start))
		}
		b = &booter{lasts: time.Hour}
		s = keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, never)
		synctest.Wait()
		start = time.Now()
		if s.take(t.Context(), fit) != nil || time.Since(start) != spareWait {
			t.Errorf("none was there after %v", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start = time.Now()
		if s.take(ctx, fit) != nil || time.Since(start) != time.Millisecond {
			t.Errorf("none was there after %v", time.Since(start))
		}
	})
}

// TestSpareIsWaitedForAsLongAsItTakes, where the last one has shown how long.
func TestSpareIsWaitedForAsLongAsItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct{ first, second, want time.Duration }{
			{400 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond},
			{400 * time.Millisecond, time.Hour, 800 * time.Millisecond},
			{time.Minute, time.Hour, spareWaitMost},
			{time.Millisecond, time.Hour, spareWait},
		} {
			b := &booter{lasts: test.first}
			s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, never)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			b.lasts = test.second
			s.take(t.Context(), fit)
			synctest.Wait()
			start := time.Now()
			if got := s.take(t.Context(), fit); (got != nil) != (test.second == test.want) || time.Since(start) != test.want {
				t.Errorf("%+v: it came (%v) after %v", test, got != nil, time.Since(start))
			}
		}
	})
}

func TestSpareIsMadeInQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, busy := &booter{}, atomic.Bool{}
		busy.Store(true)
		s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, busy.Load)
		time.Sleep(time.Minute)
		if n := b.boots.Load(); n != 0 || s.take(t.Context(), fit) != nil {
			t.Errorf("%d were made while applications were prepared", n)
		}
		busy.Store(false)
		time.Sleep(time.Minute)
		if n := b.boots.Load(); n != 1 || s.take(t.Context(), fit) == nil {
			t.Errorf("%d were made", n)
		}
	})
}

// TestSpareNeedsMemory has none made where memory is short, and the one that is ready
// dropped; neither comes again by itself.
func TestSpareNeedsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, memory := &booter{}, sandbox.NewBudget(100<<20, nil)
		memory.Take(28 << 20)
		s := keepSpares(t, b, discard(), memory, always, never)
		time.Sleep(time.Minute)
		if n := b.boots.Load(); n != 0 {
			t.Errorf("%d were made", n)
		}
		memory.Give(28 << 20)
		s.want()
		time.Sleep(time.Minute)
		s.drop()
		time.Sleep(time.Minute)
		if n := b.boots.Load(); n != 1 || s.take(t.Context(), fit) != nil {
			t.Errorf("%d were made", n)
		}
	})
}

// TestSpareFails says so once for each try, and tries again after the next start.
func TestSpareFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := &booter{err: errors.New("no such module")}
		s := keepSpares(t, b, slog.New(slog.NewTextHandler(&log, nil)), sandbox.NewBudget(1<<30, nil), always, never)
		time.Sleep(time.Minute)
		if s.take(t.Context(), fit) != nil {
			t.Error("one that failed was given away")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		text := log.String()
		if n := strings.Count(text, "no interpreter is kept ready"); n != 2 || strings.Count(text, `reason="no such module"`) != 2 || b.boots.Load() != 2 {
			t.Errorf("after %d tries the log is %s", b.boots.Load(), text)
		}
	})
}

func TestNoSpares(t *testing.T) {
	var none *spares
	if none.drop() || none.held() != 0 {
		t.Error("none holds memory")
	}
	c := config.Default(nil, 1)
	for _, test := range []struct {
		spare bool
		level string
		want  bool
	}{{true, "inprocess", true}, {false, "inprocess", false}, {true, "process", false}} {
		c.Spare, c.IsolationLevel = test.spare, test.level
		f := newFleet(c, &engine{spares: newSpares(discard(), nil)}, discard(), &events{})
		if got := f.spares != nil && f.needsSpare(); got != test.want {
			t.Errorf("%+v: there are spares: %v", test, got)
		}
	}
}

func TestProfits(t *testing.T) {
	for _, test := range []struct {
		name  string
		files []string
		site  []string
		want  bool
	}{
		{"nothing", nil, nil, false},
		{"Bottle", []string{"app.py", "packages/bottle.py", "packages/bottle-0.13.dist-info/METADATA"}, nil, false},
		{"Flask", []string{"app.py", "packages/flask/__init__.py", "packages/jinja2/__init__.py", "packages/click/__init__.py"}, nil, true},
		{"two, and folders without modules", []string{"shop/__init__.py", "static/x.css", "templates/x.html", "packages/flask/__init__.py"}, nil, false},
		{"the application's own count", []string{"shop/__init__.py", "api/__init__.py", "packages/flask/__init__.py"}, nil, true},
		{"installed ones", []string{"app.py"}, []string{"a/__init__.py", "b/__init__.py", "c/__init__.py"}, true},
		{"code that site runs", []string{"a/__init__.py", "b/__init__.py", "c/__init__.py"}, []string{"distutils-precedence.pth"}, false},
		{"files that site does not look at", []string{"a/__init__.py", "b/__init__.py", "c/__init__.py", "a.pth", "packages/b.pth", "sitecustomize_docs/x"}, nil, true},
		{"a module that site imports", []string{"a/__init__.py", "b/__init__.py", "c/__init__.py", "packages/sitecustomize.py"}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := application{tenant: &tenants.Tenant{Manifest: tenants.Manifest{PythonPath: []string{".", "packages", "absent"}}}}
			dir := touchAll(t, test.files)
			if test.site != nil {
				a.release.Site = touchAll(t, test.site)
			}
			if got := profits(a, dir); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestProfitsStaysInside has links that would tell whether there is a file.
func TestProfitsStaysInside(t *testing.T) {
	a := application{tenant: &tenants.Tenant{Manifest: tenants.Manifest{PythonPath: []string{".", "out"}}}}
	outside := touchAll(t, []string{"a/__init__.py", "b/__init__.py", "c/__init__.py"})
	dir := touchAll(t, []string{"d/__init__.py", "e/__init__.py", "f/x"})
	for link, to := range map[string]string{"f/__init__.py": outside + "/a/__init__.py", "g": outside + "/a", "out": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if profits(a, dir) {
		t.Error("links out of the folder were followed")
	}
}

// touchAll is a new folder with empty files.
func touchAll(t *testing.T, names []string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestSpareIsKeptForOthers has applications that it does not fit.
func TestSpareIsKeptForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &booter{}
		s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), always, never)
		time.Sleep(time.Second)
		for range 2 {
			if s.take(t.Context(), func(*sandbox.Spare) bool { return false }) != nil {
				t.Error("one was given away that does not fit")
			}
			time.Sleep(time.Second)
		}
		if n := b.boots.Load(); n != 1 || s.held() != 20 {
			t.Errorf("%d were made, %d bytes are held", n, s.held())
		}
	})
}

// TestSpareIsNeeded has none made while nobody would take one.
func TestSpareIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, needed := &booter{}, atomic.Bool{}
		s := keepSpares(t, b, discard(), sandbox.NewBudget(1<<30, nil), needed.Load, never)
		time.Sleep(time.Second)
		if n := b.boots.Load(); n != 0 || s.take(t.Context(), fit) != nil {
			t.Errorf("%d were made", n)
		}
		needed.Store(true)
		s.want()
		time.Sleep(time.Second)
		if n := b.boots.Load(); n != 1 || !s.drop() || s.drop() {
			t.Errorf("%d were made", n)
		}
	})
}
