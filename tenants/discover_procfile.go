package tenants

import (
	"path"
	"slices"
	"strings"
)

// fromProcfile reads the web process of a Procfile.
func (f *finder) fromProcfile() (Entry, bool) {
	data, ok := f.read("Procfile")
	if !ok {
		f.note("Procfile: no such file")
		return Entry{}, false
	}
	for line := range strings.Lines(string(data)) {
		name, command, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "web" {
			return f.fromCommand(shellWords(command))
		}
	}
	f.note("Procfile: no web process")
	return Entry{}, false
}

// command is one simple command of a shell line.
type command struct {
	words []string
	env   map[string]string
	dir   string // of a `cd` before it
}

// fromCommand looks for a WSGI server in the commands of a shell line.
func (f *finder) fromCommand(words []string) (Entry, bool) {
	dir := "."
	for _, c := range commands(words) {
		if c.words[0] == "cd" && len(c.words) > 1 {
			dir = inside(c.words[1])
			continue
		}
		c.dir = dir
		if e, ok := f.fromServer(c); ok {
			if len(c.env) > 0 {
				e.Env = c.env
			}
			return e, true
		}
	}
	if len(f.tried) == 0 || !strings.HasPrefix(f.tried[len(f.tried)-1], "Procfile") {
		f.note("Procfile: the web process starts no WSGI server that is known")
	}
	return Entry{}, false
}

// commands splits at the shell's separators and takes off what stands before
// the program: assignments, exec, python -m.
func commands(words []string) []command {
	var out []command
	for _, part := range splitAt(words, "&&", "||", ";", "|", "&") {
		c := command{env: map[string]string{}}
		for len(part) > 0 {
			name, value, assignment := strings.Cut(part[0], "=")
			if part[0] == "exec" || part[0] == "env" {
				part = part[1:]
				continue
			}
			if !assignment || !identifier(name) {
				break
			}
			c.set(name, value)
			part = part[1:]
		}
		if c.words = part; len(part) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// set keeps an environment variable; one that needs the shell is left out.
func (c *command) set(name, value string) {
	if identifier(name) && !strings.ContainsAny(value, "$`") {
		c.env[name] = value
	}
}

func splitAt(words []string, separators ...string) [][]string {
	var out [][]string
	var part []string
	for _, w := range words {
		if slices.Contains(separators, w) {
			out = append(out, part)
			part = nil
			continue
		}
		part = append(part, w)
	}
	return append(out, part)
}

// fromServer finds the server among the words (wrappers may stand before it)
// and reads its arguments.
func (f *finder) fromServer(c command) (Entry, bool) {
	for i, w := range c.words {
		rest := c.words[i+1:]
		switch name := path.Base(w); name {
		case "gunicorn", "waitress-serve", "granian", "bjoern":
			return f.fromArguments(c, name, rest)
		case "waitress":
			if i > 0 && c.words[i-1] == "-m" {
				return f.fromArguments(c, name, rest)
			}
		case "uwsgi":
			return f.fromUWSGICommand(c, rest)
		case "flask":
			return f.fromFlaskRun(rest)
		case "uvicorn", "hypercorn", "daphne":
			f.note("Procfile: %s serves ASGI, and this server calls WSGI", name)
			return Entry{}, false
		case "python", "python3":
			if e, ok := f.fromScript(c, rest); ok {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// fromArguments reads the arguments of a server that takes module:callable.
func (f *finder) fromArguments(c command, server string, args []string) (Entry, bool) {
	o := readOptions(args)
	for _, pair := range append(o.all["--env"], o.all["-e"]...) {
		name, value, _ := strings.Cut(pair, "=")
		c.set(name, value)
	}
	if strings.Contains(o.last("--worker-class", "-k"), "uvicorn") || strings.HasPrefix(o.last("--interface"), "asgi") {
		f.note("Procfile: %s with an ASGI worker, and this server calls WSGI", server)
		return Entry{}, false
	}
	folder := path.Join(c.dir, inside(o.last("--chdir", "--pythonpath", "--working-dir")))
	entry := o.last("--wsgi-app", "--app")
	if entry == "" {
		entry = o.entry()
	}
	why := "web process of the Procfile: " + server
	if entry == "" {
		if conf := o.last("--config", "-c"); conf != "" {
			return f.fromGunicornConf(path.Clean(strings.TrimPrefix(conf, "file:")))
		}
		f.note("Procfile: %s without module:callable", server)
		return Entry{}, false
	}
	e, ok := f.explicit(folder, entry, why)
	if o.has("--call", "--factory") {
		e.Factory = true
	}
	return e, ok
}

func (f *finder) fromUWSGICommand(c command, args []string) (Entry, bool) {
	o := readOptions(args)
	values := map[string]string{"w": o.last("-w"), "chdir": o.last("--chdir")}
	for _, key := range []string{"module", "wsgi", "wsgi-file", "file", "callable", "pythonpath", "pp"} {
		values[key] = o.last("--" + key)
	}
	if ini := append(o.all["--ini"], o.positional...); values["w"]+values["module"]+values["wsgi"]+values["wsgi-file"] == "" {
		for _, name := range ini {
			if strings.HasSuffix(name, ".ini") {
				return f.fromIni(path.Clean(name))
			}
		}
	}
	if values["chdir"] == "" {
		values["chdir"] = c.dir
	}
	return f.fromUWSGI(values, "web process of the Procfile")
}

func (f *finder) fromFlaskRun(args []string) (Entry, bool) {
	o := readOptions(args)
	app := o.last("--app", "-A")
	if !slices.Contains(args, "run") || app == "" {
		return Entry{}, false
	}
	return f.fromFlaskApp(app, "flask run in the Procfile")
}

// fromScript follows `python app.py`.
func (f *finder) fromScript(c command, args []string) (Entry, bool) {
	if len(args) == 0 || args[0] == "manage.py" {
		return Entry{}, false
	}
	script, ok := strings.CutSuffix(path.Clean(args[0]), ".py")
	if !ok || !dottedName(strings.ReplaceAll(script, "/", ".")) {
		return Entry{}, false
	}
	e, ok := f.fromFile(c.dir, strings.ReplaceAll(script, "/", "."), joinPath(c.dir, script+".py"))
	e.Why = "web process of the Procfile: python " + args[0] + "; " + e.Why
	return e, ok
}
