package tenants

import (
	"strings"
)

// fromDjango follows manage.py to the settings, and those to the application.
func (f *finder) fromDjango() (Entry, bool) {
	src, ok := f.read("manage.py")
	if !ok {
		f.note("manage.py: no such file")
		return Entry{}, false
	}
	settings := settingsModule(string(src))
	if settings == "" {
		f.note("manage.py: names no DJANGO_SETTINGS_MODULE")
		return Entry{}, false
	}
	e := f.djangoEntry(settings)
	e.Framework = "django"
	e.Env = map[string]string{"DJANGO_SETTINGS_MODULE": settings}
	return e, true
}

// settingsModule finds the string after DJANGO_SETTINGS_MODULE in
// os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings").
func settingsModule(src string) string {
	_, rest, ok := strings.Cut(src, "DJANGO_SETTINGS_MODULE")
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, "\"'], =\n\t")
	end := strings.IndexAny(rest, "\"'\n")
	if end < 0 || !dottedName(rest[:end]) {
		return ""
	}
	return rest[:end]
}

// djangoEntry takes WSGI_APPLICATION of the settings, else the wsgi module
// beside them, else Django's own factory.
func (f *finder) djangoEntry(settings string) Entry {
	if e, ok := f.wsgiApplication(settings); ok {
		return e
	}
	for pkg := settings; strings.Contains(pkg, "."); {
		pkg = pkg[:strings.LastIndexByte(pkg, '.')]
		if f.moduleFile(".", pkg+".wsgi") != "" {
			return Entry{Module: pkg + ".wsgi", Attr: "application", Why: "manage.py: settings " + settings + ", beside them " + pkg + ".wsgi"}
		}
	}
	return Entry{Module: "django.core.wsgi", Attr: "get_wsgi_application", Factory: true,
		Why: "manage.py: settings " + settings + " without a wsgi module of their own"}
}

func (f *finder) wsgiApplication(settings string) (Entry, bool) {
	file := f.moduleFile(".", settings)
	src, ok := f.read(file)
	if file == "" || !ok {
		return Entry{}, false
	}
	b, ok := lastBinding(scanSource(src), "WSGI_APPLICATION")
	name := text(b.value)
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot < 0 || f.moduleFile(".", name[:dot]) == "" {
		return Entry{}, false
	}
	return Entry{Module: name[:dot], Attr: name[dot+1:], Why: "manage.py: WSGI_APPLICATION in " + file}, true
}
