package watch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, elements ...string) {
	t.Helper()
	path := filepath.Join(elements...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func quickly() time.Duration { return 10 * time.Millisecond }

func noPart(name string) bool {
	return name == ".git" || name == "venv" || name == "__pycache__" || strings.HasSuffix(name, ".pyc")
}

// watching runs a watcher and returns what it reports.
func watching(t *testing.T, c Config) <-chan string {
	t.Helper()
	c.Settle, c.Ignored, c.Log = quickly, noPart, slog.New(slog.DiscardHandler)
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	names, ended := make(chan string, 100), make(chan error)
	go func() {
		ended <- w.Run(ctx, func(changed []string) {
			for _, n := range changed {
				names <- n
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return names
}

// expect waits for a name. A busy machine may report an earlier change twice;
// the name quiet must never come.
func expect(t *testing.T, names <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-names:
			switch got {
			case want:
				return
			case "quiet":
				t.Fatalf("%s changed, want %s", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no change of %s", want)
		}
	}
}

func TestChangesAreReportedByName(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", "wsgi.py")
	write(t, root, "b", "deep", "er", "x.py")
	write(t, root, "quiet", "wsgi.py")
	names := watching(t, Config{Root: root})

	write(t, root, "a", "wsgi.py")
	expect(t, names, "a")
	write(t, root, "b", "deep", "er", "x.py")
	expect(t, names, "b")
	write(t, root, "c", "new", "wsgi.py")
	expect(t, names, "c")
	write(t, root, "c", "new", "wsgi.py") // a folder made after the start
	expect(t, names, "c")

	// None of these is a change.
	write(t, root, "quiet", "__pycache__", "x.pyc")
	write(t, root, "quiet", ".git", "HEAD")
	write(t, root, "quiet", "wsgi.py~")
	write(t, root, ".hidden", "x")
	if err := os.RemoveAll(filepath.Join(root, "a")); err != nil {
		t.Fatal(err)
	}
	expect(t, names, "a")
	write(t, root, "d", "wsgi.py")
	expect(t, names, "d")
}

func TestLinkedApplication(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere, "sub", "x.py")
	if err := os.Symlink(elsewhere, filepath.Join(root, "linked")); err != nil {
		t.Fatal(err)
	}
	names := watching(t, Config{Root: root})
	write(t, elsewhere, "sub", "x.py")
	expect(t, names, "linked")
}

// TestMovedFolders: the kernel goes on to watch a folder where it is now, and
// reports it under the name that it had.
func TestMovedFolders(t *testing.T) {
	root := t.TempDir()
	write(t, root, "old", "sub", "x.py")
	write(t, root, "next", "sub", "x.py")
	names := watching(t, Config{Root: root})
	move := func(from, to string, flags uint) {
		t.Helper()
		if err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(root, from), unix.AT_FDCWD, filepath.Join(root, to), flags); err != nil {
			t.Fatal(err)
		}
		expectAll(t, names, from, to)
	}
	change := func(name string) {
		t.Helper()
		for _, file := range []string{"sub/x.py", "y.py"} {
			write(t, root, name, file)
			expect(t, names, name)
		}
	}
	move("old", "new", 0)
	change("new")
	move("new", "before", 0)
	move("next", "new", 0)
	change("new")
	move("before", "new", unix.RENAME_EXCHANGE)
	change("new")
	change("before")
}

// TestMovedIn: a folder that is moved in may be watched before the kernel says to the
// folder itself that it was moved. fsnotify lets it go then, and reports its name.
func TestMovedIn(t *testing.T) {
	root := t.TempDir()
	w, err := New(Config{Root: root, Settle: func() time.Duration { return time.Second }})
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, "app", "sub", "x.py")
	now, app := time.Now(), filepath.Join(root, "app")
	w.note(fsnotify.Event{Name: app, Op: fsnotify.Create}, now)
	if err := w.notify.Remove(app); err != nil {
		t.Fatal(err)
	}
	w.note(fsnotify.Event{Name: app, Op: fsnotify.Rename}, now)
	if got := w.quiet(now.Add(time.Second)); !slices.Equal(got, []string{"app"}) {
		t.Errorf("quiet: %v", got)
	}
	got, want := w.notify.WatchList(), []string{root, app, filepath.Join(app, "sub")}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("watched: %v, want %v", got, want)
	}
	if err := w.notify.Close(); err != nil {
		t.Error(err)
	}
}

// TestInbox: what fsnotify says is taken though nobody reads it, and not all is kept.
func TestInbox(t *testing.T) {
	events, troubles := make(chan fsnotify.Event), make(chan error)
	in, done := newInbox(), make(chan struct{})
	go func() {
		in.collect(&fsnotify.Watcher{Events: events, Errors: troubles})
		close(done)
	}()
	for _, err := range []error{fsnotify.ErrEventOverflow, os.NewSyscallError("inotify_rm_watch", unix.EINVAL)} {
		troubles <- err
	}
	some := []fsnotify.Event{{Name: "a", Op: fsnotify.Write}, {Name: "a", Op: fsnotify.Remove}, {Name: "a", Op: fsnotify.Create}}
	for _, e := range append(some, some[0], some[1], some[2]) {
		events <- e
	}
	close(events)
	close(troubles)
	<-done
	got, lost := in.take()
	if want := append(some, some[1], some[2]); !slices.Equal(got, want) || !errors.Is(lost, fsnotify.ErrEventOverflow) {
		t.Errorf("%v, %v", got, lost)
	}
	for i := range mostEvents + 1 {
		in.event(fsnotify.Event{Name: strconv.Itoa(i), Op: fsnotify.Write})
	}
	if got, lost = in.take(); len(got) != mostEvents || !errors.Is(lost, fsnotify.ErrEventOverflow) {
		t.Errorf("%d events, %v", len(got), lost)
	}
	if got, lost = in.take(); got != nil || lost != nil {
		t.Errorf("%v, %v", got, lost)
	}
}

// expectAll waits for names, in any order.
func expectAll(t *testing.T, names <-chan string, want ...string) {
	t.Helper()
	for len(want) > 0 {
		select {
		case got := <-names:
			want = slices.DeleteFunc(want, func(name string) bool { return name == got })
		case <-time.After(20 * time.Second):
			t.Fatalf("no change of %v", want)
		}
	}
}

func TestOneApplication(t *testing.T) {
	root := t.TempDir()
	write(t, root, "wsgi.py")
	names := watching(t, Config{Root: root, One: true})
	write(t, root, "wsgi.py")
	expect(t, names, ".")
	write(t, root, "new", "deep", "x.py")
	expect(t, names, ".")
}

func TestRootMustBeThere(t *testing.T) {
	if _, err := New(Config{Root: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("taken")
	}
}

// Time is given, so the rules of quiet need no waiting.
func TestQuiet(t *testing.T) {
	w := newWatcher(Config{Settle: func() time.Duration { return time.Second }}, nil)
	w.root, w.checkAt = "/r", time.Unix(2000, 0)
	at := func(s float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(s * float64(time.Second))) }
	change := func(s float64) { w.note(fsnotify.Event{Name: "/r/a/x", Op: fsnotify.Write}, at(s)) }
	change(0)
	if got := w.quiet(at(0.9)); got != nil {
		t.Errorf("too early: %v", got)
	}
	change(0.9)
	if got := w.quiet(at(1.8)); got != nil {
		t.Errorf("a change begins the wait again: %v", got)
	}
	if got := w.next(at(1.8)); got != 100*time.Millisecond {
		t.Errorf("next look in %v", got)
	}
	if got := w.quiet(at(1.9)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("quiet: %v", got)
	}
	for s := 2.0; s < 12; s += 0.5 {
		change(s)
	}
	if got := w.quiet(at(12)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("one that is never quiet: %v", got)
	}
}

func TestLostEventsMeanLookAtEverything(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a", "x")
	write(t, root, "b", "x")
	w, err := New(Config{Root: root, Settle: quickly, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.notify.Close()
	now := time.Now()
	w.step(nil, fsnotify.ErrEventOverflow, now)
	got := w.quiet(now.Add(time.Minute))
	if w.step(nil, fsnotify.ErrEventOverflow, now); w.lost == nil || w.next(now) > calmness {
		t.Error("looked at too often")
	}
	if w.step(nil, nil, now.Add(calmness)); w.lost != nil || len(w.pending) != 2 {
		t.Error("events were lost again, and nothing was looked at")
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %v", got)
	}
}
