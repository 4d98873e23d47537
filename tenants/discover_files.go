package tenants

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// usualFiles are the modules that by custom hold the application, best first.
func usualFiles() []string {
	return []string{"app", "main", "application", "server", "run"}
}

func (f *finder) fromWSGIFile() (Entry, bool) { return f.fromModule(".", "wsgi") }

func (f *finder) fromUsualFiles() (Entry, bool) { return f.fromModules(".", usualFiles()) }

func (f *finder) fromModules(folder string, modules []string) (Entry, bool) {
	for _, m := range modules {
		if e, ok := f.fromModule(folder, m); ok {
			return e, true
		}
	}
	return Entry{}, false
}

// fromPackages looks into <pkg>/wsgi.py of every package, then into their
// __init__.py, then into their usual modules.
func (f *finder) fromPackages() (Entry, bool) { return f.fromPackagesIn(".") }

func (f *finder) fromPackagesIn(folder string) (Entry, bool) {
	packages := f.packages(folder)
	if len(packages) == 0 {
		f.note("%s: no packages", folder)
	}
	for _, p := range packages {
		if e, ok := f.fromModule(folder, p+".wsgi"); ok {
			return e, true
		}
	}
	for _, p := range packages {
		if e, ok := f.fromModule(folder, p); ok {
			return e, true
		}
	}
	for _, p := range packages {
		for _, m := range usualFiles() {
			if f.isFile(joinPath(folder, p+"/"+m+".py")) {
				if e, ok := f.fromModule(folder, p+"."+m); ok {
					return e, true
				}
			}
		}
	}
	return Entry{}, false
}

// packages lists the folders that hold Python modules and may be the application.
func (f *finder) packages(folder string) []string {
	return f.list(folder, func(e fs.DirEntry) bool {
		name := e.Name()
		if !e.IsDir() || !identifier(name) || ignoredFolder(name) || slices.Contains(sideFolders(), name) {
			return false
		}
		inside := joinPath(folder, name)
		return f.isFile(inside+"/__init__.py") || f.isFile(inside+"/wsgi.py")
	})
}

// sideFolders are packages that are never the application itself.
func sideFolders() []string { return []string{"tests", "test", "docs", "migrations", "src", "scripts"} }

func (f *finder) fromSrc() (Entry, bool) {
	if info, err := f.root.Stat("src"); err != nil || !info.IsDir() || f.isFile("src/__init__.py") {
		f.note("src: no such folder, or a package itself")
		return Entry{}, false
	}
	if e, ok := f.fromModules("src", append([]string{"wsgi"}, usualFiles()...)); ok {
		return e, true
	}
	return f.fromPackagesIn("src")
}

// fromAnyFile accepts any module at the top that makes a WSGI application of a
// known kind.
func (f *finder) fromAnyFile() (Entry, bool) {
	for _, m := range f.modules(".") {
		if m == "wsgi" || slices.Contains(usualFiles(), m) {
			continue
		}
		src, ok := f.read(m + ".py")
		if !ok {
			continue
		}
		for _, b := range scanSource(src) {
			if c := judgeMade(b); c.attr != "" {
				e := f.entry(".", m, c)
				e.Why = fmt.Sprintf("%s.py: %s is made by %s()", m, b.name, callee(b.value))
				return e, true
			}
		}
	}
	f.note("other modules: none makes an application of a known framework at its top level")
	return Entry{}, false
}

// fromModule looks for a callable in one module of a folder.
func (f *finder) fromModule(folder, module string) (Entry, bool) {
	file := f.moduleFile(folder, module)
	if file == "" {
		f.note("%s: no such file", joinPath(folder, strings.ReplaceAll(module, ".", "/")+".py"))
		return Entry{}, false
	}
	return f.fromFile(folder, module, file)
}

func (f *finder) fromFile(folder, module, file string) (Entry, bool) {
	src, ok := f.read(file)
	if !ok {
		return Entry{}, false
	}
	c := f.choose(folder, scanSource(src))
	if c.attr == "" {
		f.note("%s: %s", file, c.why)
		return Entry{}, false
	}
	e := f.entry(folder, module, c)
	e.Why = file + ": " + c.why
	return e, true
}

// entry makes the Entry for what was chosen in a module of a folder.
func (f *finder) entry(folder, module string, c choice) Entry {
	e := Entry{Module: module, Attr: c.attr, Factory: c.factory, Framework: c.framework}
	if folder != "." {
		e.Path = []string{folder}
	}
	return e
}
