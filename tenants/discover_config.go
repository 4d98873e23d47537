package tenants

import (
	"path"
	"strings"
)

// fromFlaskEnv follows FLASK_APP in .flaskenv or .env.
func (f *finder) fromFlaskEnv() (Entry, bool) {
	for _, file := range []string{".flaskenv", ".env"} {
		data, ok := f.read(file)
		if !ok {
			continue
		}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
			name, value, _ := strings.Cut(line, "=")
			if strings.TrimSpace(name) == "FLASK_APP" {
				return f.fromFlaskApp(strings.Trim(strings.TrimSpace(value), `"'`), "FLASK_APP in "+file)
			}
		}
	}
	f.note(".flaskenv and .env: no FLASK_APP")
	return Entry{}, false
}

// fromFlaskApp understands what FLASK_APP may say: a file, a module, or either
// with a name or a factory call after a colon.
func (f *finder) fromFlaskApp(value, why string) (Entry, bool) {
	module, attr, named := strings.Cut(value, ":")
	folder := "."
	if file, ok := strings.CutSuffix(module, ".py"); ok {
		folder, module = path.Split(file)
		folder = path.Clean("./" + folder)
	}
	if named {
		return f.explicit(folder, module+":"+attr, why)
	}
	if !dottedName(module) {
		f.note("%s: cannot read %q", why, value)
		return Entry{}, false
	}
	e, ok := f.fromModule(folder, module)
	e.Why = why + "; " + e.Why
	return e, ok
}

// explicit accepts an entry that a file names outright.
func (f *finder) explicit(folder, entry, why string) (Entry, bool) {
	e, err := ParseEntry(entry)
	if err != nil {
		f.note("%s: %v", why, err)
		return Entry{}, false
	}
	if folder = path.Clean(folder); folder != "." {
		if !path.IsAbs(folder) && !strings.HasPrefix(folder, "..") {
			e.Path = []string{folder}
		}
	}
	e.Why = why
	return e, true
}

// fromServerConfig reads gunicorn.conf.py and uwsgi.ini.
func (f *finder) fromServerConfig() (Entry, bool) {
	if e, ok := f.fromGunicornConf("gunicorn.conf.py"); ok {
		return e, true
	}
	for _, name := range []string{"uwsgi.ini", "wsgi.ini"} {
		if e, ok := f.fromIni(name); ok {
			return e, true
		}
	}
	f.note("gunicorn.conf.py, uwsgi.ini and wsgi.ini: nothing usable")
	return Entry{}, false
}

func (f *finder) fromGunicornConf(name string) (Entry, bool) {
	src, ok := f.read(name)
	if !ok {
		return Entry{}, false
	}
	values := map[string]string{}
	for _, b := range scanSource(src) {
		if b.kind == assigned {
			values[b.name] = text(b.value)
		}
	}
	if values["wsgi_app"] == "" {
		f.note("%s: no wsgi_app", name)
		return Entry{}, false
	}
	return f.explicit(inside(values["chdir"]), values["wsgi_app"], "wsgi_app in "+name)
}

func (f *finder) fromIni(name string) (Entry, bool) {
	data, ok := f.read(name)
	if !ok {
		return Entry{}, false
	}
	values := map[string]string{}
	section := ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[] ")
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if ok && section == "uwsgi" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			values[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return f.fromUWSGI(values, name)
}

// fromUWSGI understands uWSGI's options, from its file or its command line.
func (f *finder) fromUWSGI(v map[string]string, why string) (Entry, bool) {
	folder := inside(firstOf(v, "chdir", "pythonpath", "python-path", "pp"))
	callable := firstOf(v, "callable")
	if module := firstOf(v, "module", "wsgi", "w"); module != "" {
		if callable != "" && !strings.Contains(module, ":") {
			module += ":" + callable
		}
		return f.explicit(folder, module, "module in "+why)
	}
	file, ok := strings.CutSuffix(firstOf(v, "wsgi-file", "file"), ".py")
	if !ok || strings.HasPrefix(file, "/") {
		f.note("%s: no module and no wsgi-file", why)
		return Entry{}, false
	}
	if callable == "" {
		callable = "application"
	}
	module := strings.ReplaceAll(strings.TrimPrefix(file, "./"), "/", ".")
	return f.explicit(folder, module+":"+callable, "wsgi-file in "+why)
}

func firstOf(values map[string]string, keys ...string) string {
	for _, k := range keys {
		if values[k] != "" {
			return values[k]
		}
	}
	return ""
}

// inside maps a working directory to a folder of the application. An absolute
// one names a place on the old server, where the application itself was: ".".
func inside(folder string) string {
	if folder == "" || path.IsAbs(folder) || strings.ContainsAny(folder, "$%") {
		return "."
	}
	return path.Clean(folder)
}
