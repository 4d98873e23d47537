package watch

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// checkEvery is how often is looked at what changes without an event: whether Root is
// still where it was, and links that lead nowhere or by way of other links.
const checkEvery = time.Second

// settleIn begins to watch what Root is now, from nothing.
func (w *Watcher) settleIn() error {
	root, stood, err := w.look()
	if err != nil {
		return err
	}
	w.leave()
	if err := w.notify.Add(root); err != nil {
		return err
	}
	w.root, w.stood = root, stood
	w.addTree(root)
	return nil
}

// look says where Root leads.
func (w *Watcher) look() (root string, stood os.FileInfo, err error) {
	if root, err = filepath.EvalSymlinks(w.cfg.Root); err != nil {
		return "", nil, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return "", nil, err
	}
	stood, err = os.Stat(root)
	return root, stood, err
}

// leave watches nothing any more.
func (w *Watcher) leave() {
	for dir := range w.dirs {
		w.remove(dir)
	}
	w.links = newLinks()
	w.root, w.stood = "", nil
}

// check looks at what changes without an event, when it is time. While Root is away
// nothing is reported: what serves goes on.
func (w *Watcher) check(now time.Time) {
	if now.Before(w.checkAt) {
		return
	}
	w.checkAt = now.Add(checkEvery)
	root, stood, err := w.look()
	switch {
	case err != nil && w.root != "":
		w.cfg.Log.Warn("the folder of the applications is away: what serves goes on", "error", err)
		w.absent = w.known()
		w.leave()
	case err == nil && (root != w.root || w.stood == nil || !os.SameFile(stood, w.stood)):
		w.moved(now)
	case err == nil:
		for name := range w.links.unsure {
			if w.relink(name) {
				w.mark([]string{name}, true, now)
			}
		}
	}
}

// moved is for another folder in the place of Root.
func (w *Watcher) moved(now time.Time) {
	before := append(w.absent, w.known()...)
	if err := w.settleIn(); err != nil {
		return // it has just gone again
	}
	w.absent = nil
	w.cfg.Log.Info("the folder of the applications is another one: looking at every application", "folder", w.root)
	w.mark(append(before, w.known()...), false, now)
}

// trouble reports every application: which events were lost is not known, nor whether
// what is watched still has the name that it had.
func (w *Watcher) trouble(err error, now time.Time) {
	w.cfg.Log.Warn("file events were lost: looking at every application", "error", err)
	before := w.known()
	if err := w.settleIn(); err != nil {
		w.checkAt = now
		return
	}
	w.mark(append(before, w.known()...), false, now)
}

// known are the names of all that may be applications: what is in Root, and what was
// watched there.
func (w *Watcher) known() []string {
	if w.cfg.One {
		return []string{"."}
	}
	names := map[string]bool{}
	for name := range w.links.targets {
		names[name] = true
	}
	for dir := range w.dirs {
		if w.root != "" && filepath.Dir(dir) == w.root {
			names[filepath.Base(dir)] = true
		}
	}
	entries, err := os.ReadDir(w.root)
	if err != nil && w.root != "" {
		w.cfg.Log.Error("cannot read the folder of the applications", "error", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names[e.Name()] = true
		}
	}
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	return out
}
