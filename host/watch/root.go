package watch

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// checkEvery is how often is looked at what changes without an event: whether Root is
// still where it was, and what the links in it lead to.
const checkEvery = time.Second

// checkLinks is how many links are looked at then: each takes some 20 µs.
const checkLinks = 200

// calmness is how long nothing more is done about lost events.
const calmness = 5 * time.Second

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
	w.remember()
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
		w.leave()
	case err == nil && (root != w.root || w.stood == nil || !os.SameFile(stood, w.stood)):
		w.cfg.Log.Info("the folder of the applications is another one: looking at every application", "folder", root)
		w.anew(now)
	case err == nil:
		w.checkSome(now)
	}
}

// checkSome looks at some of the links, and at others the next time.
func (w *Watcher) checkSome(now time.Time) {
	names := slices.Sorted(maps.Keys(w.links.targets))
	from, _ := slices.BinarySearch(names, w.cursor+"\x00")
	for i := range min(len(names), checkLinks) {
		w.cursor = names[(from+i)%len(names)]
		if w.relink(w.cursor) {
			w.mark([]string{w.cursor}, true, now)
		}
	}
}

// anew watches everything anew, and reports every application. When Root cannot be
// watched it is away.
func (w *Watcher) anew(now time.Time) {
	if err := w.settleIn(); err != nil {
		w.tell("root", "the folder of the applications cannot be watched now", w.cfg.Root, err)
		w.leave()
		return
	}
	delete(w.told, "root")
	w.mark(slices.Collect(maps.Keys(w.seen)), false, now)
}

// trouble reports every application: which events were lost is not known, nor whether
// what is watched still has the name that it had.
func (w *Watcher) trouble(now time.Time) {
	w.cfg.Log.Warn("file events were lost: looking at every application", "error", w.lost)
	w.lost, w.calm = nil, now.Add(calmness)
	w.anew(now)
}

// remember adds what is in Root to the names of all that may be applications.
func (w *Watcher) remember() {
	if w.cfg.One {
		w.seen["."] = struct{}{}
		return
	}
	entries, err := os.ReadDir(w.root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.cfg.Log.Error("cannot read the folder of the applications", "error", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			w.seen[e.Name()] = struct{}{}
		}
	}
}
