// Package watch notices that a folder of applications changed: which of them,
// and only when it has been quiet for a while, so that a copy in progress is
// not taken for a release.
//
// It reports names, never contents: whoever listens looks again at what is
// there. Missing an event is worse than one too many, so when the kernel drops
// events every name is reported.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Config of a Watcher.
type Config struct {
	// Root is watched with all folders below it. A link to a folder right below Root
	// is followed, as the tenants' scan does; no other link is.
	Root string
	// One is true when Root is itself the application; every change is then
	// reported as ".".
	One bool
	// Touched, which may be nil, says of which files a new time is a change: what
	// `touch` does.
	Touched func(path string) bool
	// Settle is how long an application must be quiet before it is reported. One
	// that never is quiet is reported after ten times as long.
	Settle time.Duration
	// Log gets what cannot be watched, and what to do about it.
	Log *slog.Logger
}

// Watcher reports changed applications. Its goroutine is Run.
type Watcher struct {
	cfg     Config
	notify  *fsnotify.Watcher
	links   map[string]string // target of a linked application's folder → its name
	dirs    map[string]bool   // that are watched
	pending map[string]*burst
	told    bool // the log knows that folders are not watched
}

// burst is a series of changes of one application.
type burst struct {
	first, last time.Time
	folders     bool // came or went
}

// Ignored says whether changes of a file or folder of that name mean nothing:
// what tools and the interpreter write, what versions control keeps, and data.
func Ignored(name string) bool {
	switch name {
	case "__pycache__", "node_modules", "data":
		return true
	}
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".pyc") || strings.HasSuffix(name, "~")
}

// New starts watching. It fails when Root cannot be watched at all. The caller
// must call Run, which frees everything.
func New(c Config) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := &Watcher{cfg: c, notify: notify, links: map[string]string{}, dirs: map[string]bool{}, pending: map[string]*burst{}}
	if err := notify.Add(c.Root); err != nil {
		return nil, errors.Join(fmt.Errorf("watch: %s: %w", c.Root, err), notify.Close())
	}
	w.addBelow(c.Root)
	return w, nil
}

// Run calls changed with the names (sub folders of Root) that changed and are
// quiet, from this goroutine, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(names []string)) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	lost := make(chan error, 1)
	go w.collect(lost) // ends when notify is closed
	for {
		select {
		case <-ctx.Done():
			return w.notify.Close()
		case e := <-w.notify.Events:
			w.note(e, time.Now())
		case err := <-lost:
			w.trouble(err)
		case <-timer.C:
		}
		if names := w.quiet(time.Now()); len(names) > 0 {
			changed(names)
		}
		timer.Reset(w.next(time.Now()))
	}
}

// collect keeps one of the errors: each is answered by a look at everything. fsnotify
// holds a lock while it waits for somebody to take one, and Add waits for that lock.
// EINVAL is that of a folder which was moved, and had gone before it was let go.
func (w *Watcher) collect(lost chan<- error) {
	for err := range w.notify.Errors {
		if errors.Is(err, syscall.EINVAL) {
			continue
		}
		select {
		case lost <- err:
		default:
		}
	}
}

// note takes an event in. A new folder is watched, and counts as a change even
// when it is empty. One that went is not watched any more, even if it is elsewhere.
func (w *Watcher) note(e fsnotify.Event, now time.Time) {
	if e.Op == fsnotify.Chmod && (w.cfg.Touched == nil || !w.cfg.Touched(e.Name)) || e.Name == "" || Ignored(filepath.Base(e.Name)) && e.Name != w.cfg.Root {
		return
	}
	name := w.application(e.Name)
	if name == "" {
		return
	}
	if w.pending[name] == nil {
		w.pending[name] = &burst{first: now}
	}
	b := w.pending[name]
	b.last = now
	if (e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove)) && w.dirs[e.Name] {
		b.folders = true
		w.removeTree(e.Name)
	}
	if e.Has(fsnotify.Create) {
		before := len(w.dirs)
		w.addBelow(e.Name)
		b.folders = b.folders || len(w.dirs) > before
	}
}

// removeTree stops watching a folder that has gone, and those below it: where they
// are now, if they are, the kernel would go on to report them under their old names.
func (w *Watcher) removeTree(root string) {
	for dir := range w.dirs {
		if dir != root && !strings.HasPrefix(dir, root+string(filepath.Separator)) {
			continue
		}
		delete(w.dirs, dir)
		// It is not watched already where the kernel or fsnotify was quicker.
		_ = w.notify.Remove(dir)
	}
}

// application is the name of the application that a path belongs to, "" for none.
func (w *Watcher) application(path string) string {
	if w.cfg.One {
		return "."
	}
	for target, name := range w.links {
		if rel, err := filepath.Rel(target, path); err == nil && filepath.IsLocal(rel) {
			return name
		}
	}
	rel, err := filepath.Rel(w.cfg.Root, path)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return ""
	}
	name, _, _ := strings.Cut(rel, string(filepath.Separator))
	return name
}

// addBelow watches a folder and those below it. What vanishes meanwhile is no
// trouble: its removal is an event as well.
func (w *Watcher) addBelow(dir string) {
	info, err := os.Lstat(dir)
	if err != nil {
		return
	}
	if info.Mode()&fs.ModeSymlink != 0 && !w.cfg.One && filepath.Dir(dir) == w.cfg.Root {
		w.addLink(dir)
		return
	}
	if info.IsDir() {
		w.addTree(dir)
	}
}

func (w *Watcher) addLink(link string) {
	target, err := filepath.EvalSymlinks(link)
	if err != nil {
		return
	}
	if info, err := os.Stat(target); err != nil || !info.IsDir() {
		return
	}
	w.links[target] = filepath.Base(link)
	w.addTree(target)
}

func (w *Watcher) addTree(root string) {
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // gone, or not ours to read: nothing to watch
		case d.Type()&fs.ModeSymlink != 0 && filepath.Dir(path) == w.cfg.Root && !w.cfg.One:
			w.addLink(path)
		case !d.IsDir():
		case path != root && Ignored(d.Name()):
			return filepath.SkipDir
		default:
			w.add(path)
		}
		return nil
	}
	// walk returns SkipDir and nothing else.
	_ = filepath.WalkDir(root, walk)
}

func (w *Watcher) add(dir string) {
	err := w.notify.Add(dir)
	if err == nil {
		w.dirs[dir] = true
		return
	}
	if !errors.Is(err, fs.ErrNotExist) && !w.told {
		w.told = true
		w.cfg.Log.Error("not every folder is watched: changes there need a restart; raise fs.inotify.max_user_watches",
			"folder", dir, "error", err)
	}
}

// trouble reports every application: which events were lost is not known.
func (w *Watcher) trouble(err error) {
	w.cfg.Log.Warn("file events were lost: looking at every application", "error", err)
	w.addBelow(w.cfg.Root)
	now := time.Now()
	if w.cfg.One {
		w.pending["."] = &burst{first: now, last: now}
		return
	}
	entries, err := os.ReadDir(w.cfg.Root)
	if err != nil {
		w.cfg.Log.Error("cannot read the folder of the applications", "error", err)
	}
	for _, e := range entries {
		if !Ignored(e.Name()) {
			w.pending[e.Name()] = &burst{first: now, last: now}
		}
	}
}

// quiet takes the applications off the list that may be looked at. Their folders are
// watched by then. Two that changed places were for a moment each at the other's. And
// one that is moved in may be watched before the kernel says to the folder itself that
// it was moved, which ends the watch: 565 of 100,000 were, and no change of them was
// noticed any more.
func (w *Watcher) quiet(now time.Time) (names []string) {
	for name, b := range w.pending {
		if w.due(b).After(now) {
			continue
		}
		names = append(names, name)
		delete(w.pending, name)
		if b.folders {
			w.addBelow(filepath.Join(w.cfg.Root, name))
		}
	}
	return names
}

func (w *Watcher) due(b *burst) time.Time {
	settled, latest := b.last.Add(w.cfg.Settle), b.first.Add(10*w.cfg.Settle)
	if latest.Before(settled) {
		return latest
	}
	return settled
}

func (w *Watcher) next(now time.Time) time.Duration {
	next := time.Hour
	for _, b := range w.pending {
		next = min(next, w.due(b).Sub(now))
	}
	return max(next, time.Millisecond)
}
