package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// links are those right below Root that lead to folders.
type links struct {
	targets map[string]target   // of a link's name
	names   map[string][]string // of a target's path: the links to it
}

// target is a folder that a link leads to. The zero value is none.
type target struct {
	path  string
	stood os.FileInfo
}

func (t target) same(other target) bool {
	return t.path == other.path && (t.path == "" || os.SameFile(t.stood, other.stood))
}

func newLinks() links { return links{map[string]target{}, map[string][]string{}} }

func (l *links) has(name string) bool { _, ok := l.targets[name]; return ok }

func (l *links) target(name string) string { return l.targets[name].path }

// to are the names of the links to a folder.
func (l *links) to(path string) []string { return l.names[path] }

// into are the names of the links to a folder and to those below it.
func (l *links) into(path string) (names []string) {
	for at, links := range l.names {
		if within(path, at) {
			names = append(names, links...)
		}
	}
	return names
}

// set says where a link leads.
func (l *links) set(name string, to target) {
	l.forget(name)
	l.targets[name] = to
	if to.path != "" {
		l.names[to.path] = append(l.names[to.path], name)
	}
}

// forget takes a link off.
func (l *links) forget(name string) {
	if old := l.targets[name].path; old != "" {
		l.names[old] = slices.DeleteFunc(l.names[old], func(n string) bool { return n == name })
		if len(l.names[old]) == 0 {
			delete(l.names, old)
		}
	}
	delete(l.targets, name)
}

// covered says whether a folder is watched for some link.
func (l *links) covered(dir string) bool {
	for at := dir; ; at = filepath.Dir(at) {
		if len(l.names[at]) > 0 {
			return true
		}
		if filepath.Dir(at) == at {
			return false
		}
	}
}

// relink looks where a link below Root leads, watches that, and says whether it is
// something else than before, or could not be watched then.
func (w *Watcher) relink(name string) (changed bool) {
	path := filepath.Join(w.root, name)
	old, had := w.links.targets[name]
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 || w.ignored(path) {
		w.links.forget(name)
		w.release(old.path)
		return had
	}
	to := w.lead(path)
	watched := w.watched(to.path)
	if had && to.same(old) && (to.path == "" || watched) {
		return false
	}
	w.links.set(name, to)
	if to.path != old.path {
		w.release(old.path)
	}
	if to.path != "" {
		w.addTree(to.path)
	}
	return !had || !to.same(old) || w.watched(to.path)
}

// lead is the folder that a link leads to. One that holds Root is none: it would be all
// applications.
func (w *Watcher) lead(path string) target {
	to, err := filepath.EvalSymlinks(path)
	if err != nil {
		return target{}
	}
	info, err := os.Stat(to)
	if err != nil || !info.IsDir() {
		return target{}
	}
	if within(to, w.root) {
		w.tell("holds "+path, "a link leads to the folder of the applications or above: it is not watched", path, nil)
		return target{}
	}
	return target{to, info}
}

// release stops watching what only one link led to.
func (w *Watcher) release(target string) {
	if target == "" || w.inApplication(target) || w.links.covered(target) {
		return
	}
	w.removeTree(target)
	for other, names := range w.links.names {
		if within(target, other) {
			w.addTree(other)
			w.mark(names, false, time.Now()) // nothing was noticed there for a moment
		}
	}
}

// inApplication says whether a path is that of a folder of Root, or in one, that is
// watched for itself.
func (w *Watcher) inApplication(path string) bool {
	for at := path; within(w.root, at); at = filepath.Dir(at) {
		if at == w.root {
			return true
		}
		if w.skipped(at) {
			return false
		}
	}
	return false
}

// namesOf are the applications that a path is a part of.
func (w *Watcher) namesOf(path string) []string {
	var names []string
	for at := path; ; at = filepath.Dir(at) {
		names = append(names, w.links.to(at)...)
		parent := filepath.Dir(at)
		switch {
		case at == w.root && w.cfg.One:
			return append(names, ".")
		case parent == w.root && !w.cfg.One && !strings.HasPrefix(filepath.Base(at), "."):
			names = append(names, filepath.Base(at))
		}
		if parent == at {
			return names
		}
	}
}
