// Package watch notices that a folder of applications changed: which of them,
// and only when it has been quiet for a while, so that a copy in progress is
// not taken for a release.
//
// It reports names, never contents: whoever listens looks again at what is
// there. Missing an event is worse than one too many, so when the kernel drops
// events every name is reported.
//
// inbox.go takes events, watch.go makes names of them, folders.go is what is watched,
// links.go whose it is, root.go what to do when the ground moves.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Config of a Watcher.
type Config struct {
	// Root is watched with all folders below it; it may be a link, which may be turned.
	// A link to a folder right below Root is followed, as the tenants' scan does; no
	// other link is.
	Root string
	// One is true when Root is itself the application; every change is then
	// reported as ".".
	One bool
	// Touched, which may be nil, says of which files a new time is a change: what
	// `touch` does.
	Touched func(path string) bool
	// Ignored, which may be nil, says of the name of a file or folder inside an
	// application that it is no part of it.
	Ignored func(name string) bool
	// Settle is how long an application must be quiet before it is reported. One
	// that never is quiet is reported after ten times as long.
	Settle func() time.Duration
	// Log gets what cannot be watched, and what to do about it.
	Log *slog.Logger
}

// Watcher reports changed applications. Its goroutine is Run.
type Watcher struct {
	cfg     Config
	notify  *fsnotify.Watcher
	root    string              // where Root leads; "" while it is away
	stood   os.FileInfo         // what is there; nil when it has to be looked for again
	seen    map[string]struct{} // names that there were when Root was read, or since
	dirs    dirs                // that are watched
	links   links
	pending map[string]*burst
	checkAt time.Time       // when check is due
	cursor  string          // the link that it looked at last
	lost    error           // why events are missing that nothing was done about yet
	calm    time.Time       // when something may be
	told    map[string]bool // what the log knows
}

// burst is a series of changes of one application.
type burst struct {
	first, last time.Time
	folders     bool // came or went
}

// New starts watching. It fails when Root cannot be watched at all. The caller
// must call Run, which frees everything.
func New(c Config) (*Watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	w := newWatcher(c, notify)
	if err := w.settleIn(); err != nil {
		return nil, errors.Join(fmt.Errorf("watch: %s: %w", c.Root, err), notify.Close())
	}
	return w, nil
}

func newWatcher(c Config, notify *fsnotify.Watcher) *Watcher {
	return &Watcher{
		cfg: c, notify: notify, dirs: dirs{}, seen: map[string]struct{}{}, links: newLinks(),
		pending: map[string]*burst{}, told: map[string]bool{},
	}
}

// Run calls changed with the names (sub folders of Root) that changed and are
// quiet, from this goroutine, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(names []string)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	in := newInbox()
	go in.collect(w.notify) // ends when notify is closed
	for {
		select {
		case <-ctx.Done():
			return w.notify.Close()
		case <-in.news:
		case <-timer.C:
		}
		events, lost := in.take()
		if names := w.step(events, lost, time.Now()); len(names) > 0 {
			changed(names)
		}
		timer.Reset(w.next(time.Now()))
	}
}

// step takes events in and returns the names that are to be reported.
func (w *Watcher) step(events []fsnotify.Event, lost error, now time.Time) []string {
	for _, e := range events {
		w.note(e, now)
	}
	w.lost = cmp.Or(lost, w.lost)
	if w.lost != nil && !now.Before(w.calm) {
		w.trouble(now)
	}
	if w.next(now) <= soon {
		w.checkAt = now // what is reported as gone must not be Root that is away
	}
	w.check(now)
	return w.quiet(now)
}

// note takes an event in. A new folder is watched, and counts as a change even
// when it is empty. One that went is not watched any more, even if it is elsewhere.
func (w *Watcher) note(e fsnotify.Event, now time.Time) {
	gone := e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove)
	if e.Name == w.root && gone {
		w.stood, w.checkAt = nil, now
		return
	}
	if e.Name == "" || e.Name == w.root || w.ignored(e.Name) && len(w.links.to(e.Name)) == 0 || e.Op == fsnotify.Chmod && !w.matters(e.Name) {
		return
	}
	names := w.namesOf(e.Name)
	folders := gone && w.left(e, now)
	if !gone && !e.Has(fsnotify.Write) && w.came(e.Name) {
		folders = true
	}
	w.mark(append(names, w.namesOf(e.Name)...), folders, now) // a new link is whose it was, too
}

// matters says whether new rights or times of a file or folder are a change: of a folder
// they are when it could not be read before.
func (w *Watcher) matters(path string) bool {
	if w.cfg.Touched != nil && w.cfg.Touched(path) {
		return true
	}
	info, err := os.Lstat(path)
	return err == nil && info.IsDir() && !w.watched(path) && !w.skipped(path)
}

// came begins to watch what is new, and says whether it is a folder or a link.
func (w *Watcher) came(path string) bool {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return false // gone again: its removal is an event as well
	case info.Mode()&fs.ModeSymlink != 0 && w.applications(path):
		w.relink(filepath.Base(path))
		return true
	case info.IsDir():
		w.addTree(path)
		return true
	}
	return false
}

// left ends what is watched of what has gone, and says whether it was a folder or a link.
func (w *Watcher) left(e fsnotify.Event, now time.Time) bool {
	was := false
	if w.applications(e.Name) && w.links.has(filepath.Base(e.Name)) {
		w.relink(filepath.Base(e.Name))
		was = true
	}
	if !w.watched(e.Name) {
		return was
	}
	w.mark(w.links.into(e.Name), true, now)
	if e.Has(fsnotify.Rename) {
		w.removeTree(e.Name)
	} else {
		w.remove(e.Name) // what was below it has gone before
	}
	return true
}

// mark begins or prolongs the bursts of some applications.
func (w *Watcher) mark(names []string, folders bool, now time.Time) {
	for _, name := range names {
		if w.pending[name] == nil {
			w.pending[name] = &burst{first: now}
		}
		w.seen[name] = struct{}{}
		b := w.pending[name]
		b.last, b.folders = now, b.folders || folders
	}
}

// quiet takes the applications off the list that may be looked at. Their folders are
// watched by then. Two that changed places were for a moment each at the other's. And
// one that is moved in may be watched before the kernel says to the folder itself that
// it was moved, which ends the watch: 565 of 100,000 were, and no change of them was
// noticed any more.
func (w *Watcher) quiet(now time.Time) []string {
	if w.root == "" {
		return nil
	}
	quiet := map[string]bool{}
	for name, b := range w.pending {
		if w.due(b).After(now) {
			continue
		}
		quiet[name] = true
		delete(w.pending, name)
		if _, err := os.Lstat(filepath.Join(w.root, name)); err != nil {
			delete(w.seen, name)
		}
		if !b.folders {
			continue
		}
		for _, also := range w.walkAgain(name) {
			quiet[also] = true
		}
	}
	return slices.Sorted(maps.Keys(quiet))
}

func (w *Watcher) due(b *burst) time.Time {
	settle := w.cfg.Settle()
	settled, latest := b.last.Add(settle), b.first.Add(10*settle)
	if latest.Before(settled) {
		return latest
	}
	return settled
}

// soon is the least pause.
const soon = time.Millisecond

func (w *Watcher) next(now time.Time) time.Duration {
	next := w.checkAt.Sub(now)
	if w.root != "" {
		for _, b := range w.pending {
			next = min(next, w.due(b).Sub(now))
		}
	}
	if w.lost != nil {
		next = min(next, w.calm.Sub(now))
	}
	return max(next, soon)
}
