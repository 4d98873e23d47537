package watch

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"
)

func link(t *testing.T, target string, elements ...string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(elements...)); err != nil {
		t.Fatal(err)
	}
}

// turn has a link lead elsewhere in one step, as ln -sfn and a rename do.
func turn(t *testing.T, target string, elements ...string) {
	t.Helper()
	path := filepath.Join(elements...)
	link(t, target, path+".swp")
	move(t, path+".swp", path)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func removeAll(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// still is a watcher that nobody runs.
func still(t *testing.T, c Config) *Watcher {
	t.Helper()
	c.Settle, c.Ignored, c.Log = quickly, noPart, slog.New(slog.DiscardHandler)
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.notify.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// watchList is what is watched, below base.
func watchList(t *testing.T, w *Watcher, base string) []string {
	t.Helper()
	var out []string
	for _, dir := range w.notify.WatchList() {
		rel, err := filepath.Rel(base, dir)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rel)
	}
	slices.Sort(out)
	return out
}

// TestOneFolderOfTwoApplications: a change is one of all whose folder it is in.
func TestOneFolderOfTwoApplications(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	write(t, root, "own", "sub", "x.py")
	write(t, elsewhere, "x", "admin", "x.py")
	link(t, filepath.Join(elsewhere, "x"), root, "a")
	link(t, filepath.Join(elsewhere, "x"), root, "b")
	link(t, filepath.Join(elsewhere, "x", "admin"), root, "admin")
	link(t, "own", root, "alias")
	link(t, "own/sub", root, "part")
	link(t, "own", root, ".hidden")
	names := watching(t, Config{Root: root})
	write(t, elsewhere, "x", "admin", "x.py")
	expectAll(t, names, "a", "b", "admin")
	write(t, root, "own", "sub", "x.py")
	expectAll(t, names, "own", "alias", "part")
}

// TestTurnedLinks: what a link led to before is watched no more, unless it is another
// application's.
func TestTurnedLinks(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	for i := range 20 {
		write(t, elsewhere, fmt.Sprint("v", i), "sub", "x.py")
	}
	write(t, root, "own", "x.py")
	link(t, filepath.Join(elsewhere, "v0"), root, "app")
	w := still(t, Config{Root: root})
	for i := range 20 {
		path := filepath.Join(root, "app")
		turn(t, filepath.Join(elsewhere, fmt.Sprint("v", i)), path)
		w.note(fsnotify.Event{Name: path, Op: fsnotify.Create}, time.Now())
	}
	w.quiet(time.Now().Add(time.Second))
	if got, want := watchList(t, w, elsewhere), 4; len(got) != want || !slices.Contains(got, "v19/sub") {
		t.Errorf("watched: %q", got)
	}
	link(t, filepath.Join(elsewhere, "v19", "sub"), root, "part")
	w.note(fsnotify.Event{Name: filepath.Join(root, "part"), Op: fsnotify.Create}, time.Now())
	turn(t, "own", root, "app")
	w.note(fsnotify.Event{Name: filepath.Join(root, "app"), Op: fsnotify.Create}, time.Now())
	if got := watchList(t, w, elsewhere); len(got) != 3 || !slices.Contains(got, "v19/sub") || slices.Contains(got, "v19") {
		t.Errorf("watched: %q", got)
	}
	removeAll(t, filepath.Join(root, "app"))
	w.note(fsnotify.Event{Name: filepath.Join(root, "app"), Op: fsnotify.Remove}, time.Now())
	if got := watchList(t, w, root); !slices.Contains(got, "own") || w.links.has("app") {
		t.Errorf("watched: %q", got)
	}
}

// TestLinksToWhatHoldsThem: ln -s /srv/apps /srv/apps makes a link inside.
func TestLinksToWhatHoldsThem(t *testing.T) {
	root := t.TempDir()
	write(t, root, "app", "x.py")
	link(t, root, root, "self")
	link(t, "..", root, "up")
	link(t, "/", root, "top")
	names := watching(t, Config{Root: root})
	write(t, root, "app", "x.py")
	expect(t, names, "app")
}

// TestTargetsThatGoAndCome: a linked folder may be away for longer than the wait for
// quiet, and a link may lead by way of another one.
func TestTargetsThatGoAndCome(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere, "v1", "x.py")
	write(t, elsewhere, "v2", "x.py")
	link(t, filepath.Join(elsewhere, "late"), root, "late")
	link(t, filepath.Join(elsewhere, "v1"), root, "app")
	link(t, "v1", elsewhere, "current")
	link(t, filepath.Join(elsewhere, "current"), root, "far")
	names := watching(t, Config{Root: root})
	write(t, elsewhere, "late", "x.py")
	expect(t, names, "late")
	turn(t, "v2", elsewhere, "current")
	expect(t, names, "far")
	write(t, elsewhere, "v2", "x.py")
	expect(t, names, "far")
	removeAll(t, filepath.Join(elsewhere, "v1"))
	expect(t, names, "app")
	write(t, elsewhere, "v1", "x.py")
	expect(t, names, "app")
	write(t, elsewhere, "v1", "y.py")
	expect(t, names, "app")
}

// TestRootMoves: the folder of all applications may be a link, be turned, be away, and
// come back as another one.
func TestRootMoves(t *testing.T) {
	base := t.TempDir()
	root := filepath.Join(base, "current")
	write(t, base, "v1", "app", "x.py")
	write(t, base, "v1", "old", "x.py")
	write(t, base, "v2", "app", "x.py")
	link(t, "v1", root)
	names := watching(t, Config{Root: root})
	write(t, base, "v1", "app", "x.py")
	expect(t, names, "app")
	turn(t, "v2", root)
	expectAll(t, names, "app", "old")
	write(t, base, "v2", "app", "x.py")
	expect(t, names, "app")

	removeAll(t, root)
	write(t, root, "new", "x.py")
	expectAll(t, names, "app", "new")
	move(t, root, filepath.Join(base, "aside"))
	write(t, root, "new", "x.py")
	expect(t, names, "new")
	write(t, root, "new", "y.py")
	expect(t, names, "new")
}

// TestTheApplicationMoves: what wasgi dev watches may be away for a while.
func TestTheApplicationMoves(t *testing.T) {
	base := t.TempDir()
	root, aside := filepath.Join(base, "app"), filepath.Join(base, "aside")
	write(t, root, "sub", "x.py")
	w := still(t, Config{Root: root, One: true})
	now := time.Now()
	w.check(now)
	move(t, root, aside)
	w.note(fsnotify.Event{Name: root, Op: fsnotify.Rename}, now)
	if w.check(now); len(watchList(t, w, base)) > 0 || len(w.pending) > 0 {
		t.Errorf("while it is away: %q are watched, %v is reported", watchList(t, w, base), w.pending)
	}
	write(t, root, "other", "x.py")
	if w.check(now.Add(checkEvery - 1)); len(watchList(t, w, base)) > 0 {
		t.Error("looked at too often")
	}
	w.check(now.Add(checkEvery))
	if got, want := watchList(t, w, base), []string{"app", "app/other"}; !slices.Equal(got, want) {
		t.Errorf("watched: %q", got)
	}
	if got := w.quiet(now.Add(time.Minute)); !slices.Equal(got, []string{"."}) {
		t.Errorf("quiet: %q", got)
	}
}

// TestLostMoves: where events were lost, folders may have the names of others.
func TestLostMoves(t *testing.T) {
	root := t.TempDir()
	write(t, root, "app", "sub", "x.py")
	write(t, root, "next", "sub", "x.py")
	w := still(t, Config{Root: root})
	a, b := filepath.Join(root, "app"), filepath.Join(root, "next")
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
	w.mark([]string{"app"}, true, time.Now())
	w.quiet(time.Now().Add(time.Second)) // before the events: fsnotify has both names still
	w.trouble(time.Now())
	w.removeTree(a)
	w.trouble(time.Now())
	if got, want := watchList(t, w, root), []string{".", "app", "app/sub", "next", "next/sub"}; !slices.Equal(got, want) {
		t.Errorf("watched: %q", got)
	}
}

// TestSwaps: applications change places faster than they are walked.
func TestSwaps(t *testing.T) {
	root := t.TempDir()
	for i := range 100 {
		write(t, root, "app", fmt.Sprint("d", i), "x.py")
		write(t, root, "next", fmt.Sprint("d", i), "x.py")
	}
	names := watching(t, Config{Root: root})
	for range 100 {
		a, b := filepath.Join(root, "app"), filepath.Join(root, "next")
		if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
			t.Fatal(err)
		}
		select {
		case <-names:
		default:
		}
		write(t, root, "app", "d7", "x.py")
	}
	write(t, root, "last", "x.py")
	expect(t, names, "last") // all before it was read
	for _, name := range []string{"app", "next"} {
		write(t, root, name, "d99", "x.py")
		expect(t, names, name)
	}
}

// TestFoldersThatMayNotBeRead: cp -a gives a folder its rights at the end.
func TestFoldersThatMayNotBeRead(t *testing.T) {
	root := t.TempDir()
	w := still(t, Config{Root: root})
	write(t, root, "app", "sub", "x.py")
	app := filepath.Join(root, "app")
	w.note(fsnotify.Event{Name: app, Op: fsnotify.Chmod}, time.Now())
	if got := w.quiet(time.Now().Add(time.Second)); !slices.Equal(got, []string{"app"}) {
		t.Errorf("quiet: %q", got)
	}
	w.note(fsnotify.Event{Name: app, Op: fsnotify.Chmod}, time.Now()) // of one that is watched
	if got := w.quiet(time.Now().Add(time.Second)); len(got) > 0 {
		t.Errorf("quiet: %q", got)
	}
	if got := watchList(t, w, root); !slices.Contains(got, "app/sub") {
		t.Errorf("watched: %q", got)
	}
}

// TestWhatIsIgnored: what is no part of an application, and what editors write.
func TestWhatIsIgnored(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"app/.env", "app/venv/x.py", "app/data/x.db", "app/models/data/x.py", "data/x.py", "venv/x.py", ".git/x", "app/__pycache__/x.pyc"} {
		write(t, root, file)
	}
	w := still(t, Config{Root: root})
	want := []string{".", "app", "app/models", "app/models/data", "data", "venv"}
	if got := watchList(t, w, root); !slices.Equal(got, want) {
		t.Errorf("watched: %q, want %q", got, want)
	}
	for name, reported := range map[string]bool{
		"app/.env": true, "app/x.py": true, "data/x.py": true, "venv/x.py": true, "app.toml": true, "_defaults.toml": true,
		"app/x.py~": false, "app/.x.py.swp": false, "app/.#x.py": false, "app/4913": false, "app/x.pyc": false, ".git": false, "app/venv": false,
	} {
		w.note(fsnotify.Event{Name: filepath.Join(root, name), Op: fsnotify.Write}, time.Now())
		if got := w.quiet(time.Now().Add(time.Second)); (len(got) > 0) != reported {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func swap(t *testing.T, a, b string) {
	t.Helper()
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
}

// TestTargetsWithoutEvents: of what happens above a target, and below a hidden folder,
// the kernel says nothing.
func TestTargetsWithoutEvents(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	write(t, root, ".v1", "x.py")
	write(t, root, ".v2", "x.py")
	for _, dir := range []string{".rel/v1", ".next/v1"} {
		write(t, root, dir, "x.py")
		write(t, elsewhere, dir, "x.py")
	}
	link(t, ".v1", root, "hidden")
	link(t, ".rel/v1", root, "below")
	link(t, filepath.Join(elsewhere, ".rel", "v1"), root, "outside")
	write(t, elsewhere, "file")
	link(t, filepath.Join(elsewhere, "file"), root, "file")
	names := watching(t, Config{Root: root})
	swap(t, filepath.Join(root, ".v1"), filepath.Join(root, ".v2"))
	expect(t, names, "hidden")
	swap(t, filepath.Join(root, ".rel"), filepath.Join(root, ".next"))
	expect(t, names, "below")
	swap(t, filepath.Join(elsewhere, ".rel"), filepath.Join(elsewhere, ".next"))
	expect(t, names, "outside")
	removeAll(t, filepath.Join(elsewhere, "file"))
	write(t, elsewhere, "file", "x.py")
	expect(t, names, "file")
	for name, file := range map[string]string{"hidden": root + "/.v1", "below": root + "/.rel/v1", "outside": elsewhere + "/.rel/v1", "file": elsewhere + "/file"} {
		write(t, file, "y.py")
		expect(t, names, name)
	}
}

// TestLinksIntoMovedFolders: they lead to what is there now, also where a walk of the
// application does not come by.
func TestLinksIntoMovedFolders(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"own", "next"} {
		write(t, root, dir, "sub", "x.py")
		write(t, root, dir, "data", "web", "x.py")
	}
	link(t, "own/sub", root, "part")
	link(t, "own/data/web", root, "deep")
	names := watching(t, Config{Root: root})
	swap(t, filepath.Join(root, "own"), filepath.Join(root, "next"))
	expectAll(t, names, "own", "next", "part", "deep")
	write(t, root, "own", "data", "web", "y.py")
	expectAll(t, names, "deep", "own")
	write(t, root, "own", "sub", "y.py")
	expectAll(t, names, "part", "own")
}

// TestReleasedTargets: one that is let go takes nothing of another one with it, and is
// let go also in a folder that is not watched.
func TestReleasedTargets(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	write(t, elsewhere, "admin", "x.py")
	link(t, elsewhere, root, "a")
	link(t, filepath.Join(elsewhere, "admin"), root, "b")
	for i := range 5 {
		write(t, root, "own", "data", fmt.Sprint("v", i), "x.txt")
	}
	link(t, "own/data/v0", root, "part")
	w := still(t, Config{Root: root})
	removeAll(t, filepath.Join(root, "a"))
	w.note(fsnotify.Event{Name: filepath.Join(root, "a"), Op: fsnotify.Remove}, time.Now())
	if got := w.quiet(time.Now().Add(time.Second)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("quiet: %q", got)
	}
	for i := range 5 {
		turn(t, fmt.Sprint("own/data/v", i), root, "part")
		w.note(fsnotify.Event{Name: filepath.Join(root, "part"), Op: fsnotify.Create}, time.Now())
	}
	if got := watchList(t, w, root); len(got) != 4 || !slices.Contains(got, "own/data/v4") {
		t.Errorf("watched: %q", got)
	}
}

// TestWhatIsGoneIsReported: an application without a folder, too, and whatever becomes
// of Root, but not while it is away.
func TestWhatIsGoneIsReported(t *testing.T) {
	base := t.TempDir()
	root := filepath.Join(base, "apps")
	write(t, root, "a", "x.py")
	write(t, root, "b", "x.py")
	write(t, root, "shop.toml")
	w := still(t, Config{Root: root})
	now := time.Now()
	w.check(now)
	removeAll(t, filepath.Join(root, "shop.toml"))
	if w.step(nil, fsnotify.ErrEventOverflow, now); w.pending["shop.toml"] == nil {
		t.Error("the manifest whose removal was lost is not looked at")
	}
	now = now.Add(time.Minute)
	if got := w.step(nil, nil, now); !slices.Equal(got, []string{"a", "b", "shop.toml"}) {
		t.Errorf("quiet: %q", got)
	}
	saved := fsnotify.Event{Name: filepath.Join(root, "a", "x.py"), Op: fsnotify.Write}
	w.step([]fsnotify.Event{saved}, nil, now)
	move(t, root, root+".old")
	now = now.Add(time.Minute)
	if got := w.step(nil, fsnotify.ErrEventOverflow, now); got != nil || w.root != "" {
		t.Errorf("while it is away: %q", got)
	}
	write(t, root, "a", "x.py")
	write(t, root, "c", "x.py")
	now = now.Add(checkEvery)
	if got := w.step(nil, nil, now); !slices.Equal(got, []string{"a"}) {
		t.Errorf("what has waited for long: %q", got)
	}
	if got := w.step(nil, nil, now.Add(time.Minute)); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("quiet: %q", got)
	}
}
