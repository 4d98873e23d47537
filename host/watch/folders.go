package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// dirs are folders, each with those right below it that it has. Some applications may
// rename all the time, and what that takes must not depend on how many others there are.
type dirs map[string]map[string]struct{}

func (d dirs) add(dir string) {
	if _, ok := d[dir]; !ok {
		d[dir] = nil // most have none below
	}
	parent := filepath.Dir(dir)
	below, ok := d[parent]
	if !ok || parent == dir {
		return
	}
	if below == nil {
		below = map[string]struct{}{}
		d[parent] = below
	}
	below[dir] = struct{}{}
}

func (d dirs) remove(dir string) {
	delete(d, dir)
	delete(d[filepath.Dir(dir)], dir)
}

// addTree watches a folder and those below it. What vanishes meanwhile is no trouble:
// its removal is an event as well. Links right below Root are followed when the walk
// comes from there.
func (w *Watcher) addTree(top string) {
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // gone, or not ours to read: nothing to watch
		case top == w.root && d.Type()&fs.ModeSymlink != 0 && w.applications(path):
			w.relink(d.Name())
		case !d.IsDir():
		case w.skipped(path):
			return filepath.SkipDir
		default:
			return w.add(path)
		}
		return nil
	}
	// walk returns SkipDir and SkipAll, and nothing else.
	_ = filepath.WalkDir(top, walk)
}

// add watches one folder. What fsnotify has of that path goes first: it takes what the
// kernel knows already for what it knew it as, and stumbles over what it has left then.
// No other one is tried when there are too many.
func (w *Watcher) add(dir string) (skip error) {
	_ = w.notify.Remove(dir)
	err := w.notify.Add(dir)
	if err == nil {
		w.dirs.add(dir)
		return nil
	}
	w.dirs.remove(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, fs.ErrPermission):
		w.tell("rights", "a folder cannot be read: its changes are not noticed until this process may", dir, err)
	case errors.Is(err, syscall.ENOSPC):
		w.tell("watches", "not every folder is watched: changes there need a restart; raise fs.inotify.max_user_watches", dir, err)
		return filepath.SkipAll
	default:
		w.tell("folder", "a folder cannot be watched: changes there need a restart", dir, err)
	}
	return nil
}

// tell says something in the log for the first folder that it is true of.
func (w *Watcher) tell(what, text, dir string, err error) {
	if !w.told[what] {
		w.told[what] = true
		w.cfg.Log.Error(text, "folder", dir, "error", err)
	}
}

func (w *Watcher) watched(dir string) bool {
	_, ok := w.dirs[dir]
	return ok
}

// remove stops watching one folder. It is not watched already where the kernel or
// fsnotify was quicker.
func (w *Watcher) remove(dir string) {
	w.dirs.remove(dir)
	_ = w.notify.Remove(dir)
}

// removeTree stops watching a folder and those below it: where they are now, if they
// are, the kernel would go on to report them under their old names.
func (w *Watcher) removeTree(top string) {
	for dir := range w.dirs[top] {
		w.removeTree(dir)
	}
	w.remove(top)
}

// within says whether path is top or below it.
func within(top, path string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && (rest == "" || rest[0] == filepath.Separator || top == string(filepath.Separator))
}

// applications says whether a path is that of an application in Root, or of its
// manifest.
func (w *Watcher) applications(path string) bool {
	return !w.cfg.One && filepath.Dir(path) == w.root
}

// ignored says whether a change of path means nothing.
func (w *Watcher) ignored(path string) bool {
	name := filepath.Base(path)
	if w.applications(path) {
		return strings.HasPrefix(name, ".") || temporary(name)
	}
	return temporary(name) || w.cfg.Ignored != nil && w.cfg.Ignored(name)
}

// temporary says whether an editor writes a file of that name for itself.
func temporary(name string) bool {
	switch filepath.Ext(name) {
	case ".swp", ".swx":
		return true
	}
	return strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".#") || name == "4913"
}

// skipped says whether a folder is not watched, nor those below it. One of data may
// have many, and changes all the time; one with modules is a package of that name.
func (w *Watcher) skipped(dir string) bool {
	if dir == w.root || len(w.links.to(dir)) > 0 {
		return false
	}
	return w.ignored(dir) || filepath.Base(dir) == "data" && !w.applications(dir) && !hasModules(dir)
}

func hasModules(dir string) bool {
	// What was read before an error is worth as much.
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".py") })
}

// walkAgain watches what there is of an application, and returns all that is watched
// anew, because nothing was noticed there for a moment.
func (w *Watcher) walkAgain(name string) []string {
	path := filepath.Join(w.root, name)
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		if w.links.has(name) {
			w.relink(name)
		}
		path = w.links.target(name)
	}
	if path == "" {
		return nil
	}
	w.addTree(path)
	return append(w.namesOf(path), w.links.into(path)...)
}
