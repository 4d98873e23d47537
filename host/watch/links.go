package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// links are those right below Root that lead to folders.
type links struct {
	targets map[string]string   // of a link's name: the folder, "" while there is none
	names   map[string][]string // of a target: the links to it
	unsure  map[string]bool     // links that may lead elsewhere without an event
}

func newLinks() links {
	return links{map[string]string{}, map[string][]string{}, map[string]bool{}}
}

func (l *links) has(name string) bool { _, ok := l.targets[name]; return ok }

func (l *links) target(name string) string { return l.targets[name] }

// to are the names of the links to a folder.
func (l *links) to(target string) []string { return l.names[target] }

// doubt has links looked at again from time to time.
func (l *links) doubt(names ...string) {
	for _, name := range names {
		l.unsure[name] = true
	}
}

// set says where a link leads; a nil target takes it off.
func (l *links) set(name string, target *string) {
	if old := l.targets[name]; old != "" {
		l.names[old] = slices.DeleteFunc(l.names[old], func(n string) bool { return n == name })
		if len(l.names[old]) == 0 {
			delete(l.names, old)
		}
	}
	delete(l.targets, name)
	delete(l.unsure, name)
	if target == nil {
		return
	}
	l.targets[name] = *target
	if *target != "" {
		l.names[*target] = append(l.names[*target], name)
	}
}

// covered says whether a folder is watched for some link.
func (l *links) covered(dir string) bool {
	for target := range l.names {
		if within(target, dir) {
			return true
		}
	}
	return false
}

// relink looks where a link below Root leads, watches that, and says whether it is
// elsewhere than before.
func (w *Watcher) relink(name string) (changed bool) {
	path := filepath.Join(w.root, name)
	old, had := w.links.target(name), w.links.has(name)
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 || w.ignored(path) {
		w.links.set(name, nil)
		w.release(old)
		return had
	}
	target, certain := w.lead(path)
	if had && target == old && (target == "" || w.watched(target)) {
		return false
	}
	w.links.set(name, &target)
	if !certain {
		w.links.doubt(name)
	}
	if target != old {
		w.release(old)
	}
	if target != "" {
		w.addTree(target)
	}
	return true
}

// lead is the folder that a link leads to, "" for none, and whether an event would tell
// of a change of that. One that holds Root is none: it would be all applications.
func (w *Watcher) lead(path string) (target string, certain bool) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", false
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		return "", false
	case !info.IsDir():
		return "", true
	case within(target, w.root):
		w.tell("holds "+path, "a link leads to the folder of the applications or above: it is not watched", path, nil)
		return "", true
	}
	next, err := os.Readlink(path)
	if err == nil && !filepath.IsAbs(next) {
		next = filepath.Join(filepath.Dir(path), next)
	}
	return target, err == nil && filepath.Clean(next) == target
}

// release stops watching what only one link led to.
func (w *Watcher) release(target string) {
	if target == "" || w.inApplication(target) || w.links.covered(target) {
		return
	}
	w.removeTree(target)
	for other := range w.links.names {
		if within(target, other) {
			w.addTree(other)
		}
	}
}

// inApplication says whether a path is that of a folder of Root, or in one, that is
// watched for itself.
func (w *Watcher) inApplication(path string) bool {
	rest, err := filepath.Rel(w.root, path)
	return err == nil && filepath.IsLocal(rest) && (w.cfg.One || !strings.HasPrefix(rest, "."))
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
