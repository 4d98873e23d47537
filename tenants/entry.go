package tenants

import (
	"fmt"
	"strings"
)

// Entry is the WSGI callable of an application and how it was found.
type Entry struct {
	// Module is the dotted name to import.
	Module string
	// Attr is the callable in it; dots go deeper.
	Attr string
	// Factory means that Attr is called once, without arguments, and returns
	// the callable.
	Factory bool
	// Path lists folders, relative to the application's and with slashes, that
	// go in front of sys.path: "src". The application's own is always on it.
	Path []string
	// Env is what the discovery adds to the environment (Django's settings
	// module). What the manifest sets wins; see Tenant.Environ.
	Env map[string]string
	// Framework is "flask", "django", "bottle" … or "" when nothing was recognised.
	Framework string
	// Why says in words which file led to this entry.
	Why string
	// Tried lists what was looked at before, for `wasgi doctor`.
	Tried []string
}

// String is the entry as the guest's load message wants it: "module:attr", or
// "module:attr()" for a factory.
func (e Entry) String() string {
	s := e.Module + ":" + e.Attr
	if e.Factory {
		s += "()"
	}
	return s
}

// ParseEntry reads "module:callable" or "module:factory()". Without a colon the
// callable is "application", as gunicorn has it.
func ParseEntry(s string) (Entry, error) {
	module, attr, given := strings.Cut(strings.TrimSpace(s), ":")
	if !given {
		attr = "application"
	}
	attr, factory := strings.CutSuffix(attr, "()")
	if strings.Contains(attr, "(") {
		return Entry{}, fmt.Errorf("entry %q: a factory is called without arguments; "+
			"write a wsgi.py with `application = factory(…)`", s)
	}
	if !dottedName(module) || !dottedName(attr) {
		return Entry{}, fmt.Errorf("entry %q: write it as \"module:callable\" or \"module:factory()\"", s)
	}
	return Entry{Module: module, Attr: attr, Factory: factory}, nil
}
