package tenants

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// NoEntryError says that no WSGI callable was found, and where it was looked for.
type NoEntryError struct {
	Dir       string
	HasPython bool     // the folder has Python files or a manifest: it is meant to be an application
	Tried     []string // what was looked at and why it was not it
}

// Error lists everything that was tried.
func (e *NoEntryError) Error() string {
	return fmt.Sprintf("%s: no WSGI application found; name it in %s with entry = \"module:callable\". Tried:\n  %s",
		e.Dir, ManifestFile, strings.Join(e.Tried, "\n  "))
}

// Discover finds the WSGI callable of the application in dir, reading its files
// without running them. What says the entry outright comes before what is
// guessed: the manifest; a Procfile; the configuration of gunicorn or uWSGI;
// wsgi.py; FLASK_APP in .flaskenv; Django's manage.py; app.py, main.py and the
// like; packages; the src layout; any other module. Errors: *NoEntryError, those
// of LoadManifest, or of opening the folder.
func Discover(dir string) (Entry, error) {
	m, err := LoadManifest(dir)
	if err != nil {
		return Entry{}, err
	}
	return discover(dir, m)
}

func discover(dir string, m Manifest) (Entry, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Entry{}, err
	}
	defer root.Close()
	f := &finder{root: root, manifest: m}
	for _, step := range []func(*finder) (Entry, bool){
		(*finder).fromManifest, (*finder).fromProcfile, (*finder).fromServerConfig,
		(*finder).fromWSGIFile, (*finder).fromFlaskEnv, (*finder).fromDjango,
		(*finder).fromUsualFiles, (*finder).fromPackages, (*finder).fromSrc, (*finder).fromAnyFile,
	} {
		if e, ok := step(f); ok {
			e.Tried = f.tried
			if e.Framework == "" {
				e.Framework = f.frameworkOf(e)
			}
			return e, nil
		}
	}
	return Entry{}, &NoEntryError{dir, f.hasPython(), f.tried}
}

// finder is one discovery.
type finder struct {
	root     *os.Root
	manifest Manifest
	tried    []string
}

func (f *finder) note(format string, args ...any) {
	f.tried = append(f.tried, fmt.Sprintf(format, args...))
}

// read returns a file's text; what cannot be read is noted and counts as missing.
func (f *finder) read(name string) ([]byte, bool) {
	data, err := readIn(f.root, name)
	switch {
	case err == nil:
		return data, true
	case !errors.Is(err, fs.ErrNotExist):
		f.note("%s: %v", name, err)
	}
	return nil, false
}

func (f *finder) isFile(name string) bool {
	info, err := f.root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// list returns the names in a folder that are wanted, sorted.
func (f *finder) list(folder string, wanted func(fs.DirEntry) bool) []string {
	entries, err := fs.ReadDir(f.root.FS(), folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if wanted(e) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// modules lists the Python files of a folder by module name.
func (f *finder) modules(folder string) []string {
	var out []string
	for _, name := range f.list(folder, func(e fs.DirEntry) bool { return !e.IsDir() }) {
		if m, ok := strings.CutSuffix(name, ".py"); ok && identifier(m) {
			out = append(out, m)
		}
	}
	return out
}

func (f *finder) hasPython() bool {
	if len(f.manifest.Files) > 0 || len(f.modules(".")) > 0 {
		return true
	}
	return slices.ContainsFunc([]string{"Procfile", "requirements.txt", "pyproject.toml", "src"},
		func(name string) bool { _, err := f.root.Stat(name); return err == nil })
}

func (f *finder) fromManifest() (Entry, bool) {
	if f.manifest.Entry == "" {
		f.note("%s and [tool.wasgi]: no entry", ManifestFile)
		return Entry{}, false
	}
	e, err := ParseEntry(f.manifest.Entry)
	if err != nil {
		f.note("entry of the manifest: %v", err)
		return Entry{}, false
	}
	where := "the host's configuration"
	if n := len(f.manifest.Files); n > 0 {
		where = f.manifest.Files[n-1]
	}
	e.Why = "entry in " + where
	return e, true
}

// moduleFile finds the source of a module below folder, "" when it is not the
// application's own. A package hides a module of the same name, as in Python.
func (f *finder) moduleFile(folder, module string) string {
	base := joinPath(folder, strings.ReplaceAll(module, ".", "/"))
	for _, name := range []string{base + "/__init__.py", base + ".py"} {
		if f.isFile(name) {
			return name
		}
	}
	return ""
}

// joinPath is path.Join for a folder that may be ".", without cleaning.
func joinPath(folder, name string) string {
	if folder == "." || folder == "" {
		return name
	}
	return folder + "/" + name
}

// searchPath is where modules are looked for: the manifest's folders, then "."
func (f *finder) searchPath() []string { return append(slices.Clone(f.manifest.PythonPath), ".") }

// sourceOf finds the file of an entry's module.
func (f *finder) sourceOf(e Entry) string {
	for _, folder := range slices.Concat(e.Path, f.searchPath()) {
		if file := f.moduleFile(folder, e.Module); file != "" {
			return file
		}
	}
	return ""
}
