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
	pending map[string]*burst
	told    bool // the log knows that folders are not watched
}

// burst is a series of changes of one application.
type burst struct{ first, last time.Time }

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
	w := &Watcher{cfg: c, notify: notify, links: map[string]string{}, pending: map[string]*burst{}}
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
	for {
		select {
		case <-ctx.Done():
			return w.notify.Close()
		case e := <-w.notify.Events:
			w.note(e, time.Now())
		case err := <-w.notify.Errors:
			w.trouble(err)
		case <-timer.C:
		}
		if names := w.quiet(time.Now()); len(names) > 0 {
			changed(names)
		}
		timer.Reset(w.next(time.Now()))
	}
}

// note takes an event in. A new folder is watched, and counts as a change even
// when it is empty.
func (w *Watcher) note(e fsnotify.Event, now time.Time) {
	if e.Op == fsnotify.Chmod && (w.cfg.Touched == nil || !w.cfg.Touched(e.Name)) || e.Name == "" || Ignored(filepath.Base(e.Name)) && e.Name != w.cfg.Root {
		return
	}
	name := w.application(e.Name)
	if name == "" {
		return
	}
	if e.Has(fsnotify.Create) {
		w.addBelow(e.Name)
	}
	if w.pending[name] == nil {
		w.pending[name] = &burst{first: now}
	}
	w.pending[name].last = now
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
	if err := w.notify.Add(dir); err != nil && !errors.Is(err, fs.ErrNotExist) && !w.told {
		w.told = true
		w.cfg.Log.Error("not every folder is watched: changes there need a restart; raise fs.inotify.max_user_watches",
			"folder", dir, "error", err)
	}
}

// trouble reports every application: which events were lost is not known.
func (w *Watcher) trouble(err error) {
	if err == nil {
		return
	}
	w.cfg.Log.Warn("file events were lost: looking at every application", "error", err)
	w.addBelow(w.cfg.Root)
	now := time.Now()
	if w.cfg.One {
		w.pending["."] = &burst{now, now}
		return
	}
	entries, err := os.ReadDir(w.cfg.Root)
	if err != nil {
		w.cfg.Log.Error("cannot read the folder of the applications", "error", err)
	}
	for _, e := range entries {
		if !Ignored(e.Name()) {
			w.pending[e.Name()] = &burst{now, now}
		}
	}
}

// quiet takes the applications off the list that may be looked at.
func (w *Watcher) quiet(now time.Time) (names []string) {
	for name, b := range w.pending {
		if w.due(b).After(now) {
			continue
		}
		names = append(names, name)
		delete(w.pending, name)
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
