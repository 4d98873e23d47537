package tenants

import (
	"fmt"
	"slices"
	"strings"
)

// choice is a callable that was found in a module, or why there is none.
type choice struct {
	attr      string // "" when there is none
	factory   bool
	framework string
	why       string
}

// callableNames are the names by which a WSGI callable goes, best first.
func callableNames() []string { return []string{"application", "app", "wsgi", "wsgi_app"} }

// factoryNames are the names by which a function that makes one goes.
func factoryNames() []string {
	return []string{"create_app", "make_app", "get_app", "create_application"}
}

// makers maps what makes a WSGI application to its framework.
func makers() map[string]string {
	return map[string]string{
		"Flask": "flask", "APIFlask": "flask", "Eve": "flask",
		"falcon.App": "falcon", "falcon.API": "falcon",
		"Bottle": "bottle", "default_app": "bottle",
		"get_wsgi_application": "django",
		"make_wsgi_app":        "pyramid",
		"Dash":                 "dash",
		"create_app":           "", "make_app": "", "get_app": "",
		"DispatcherMiddleware": "", "SharedDataMiddleware": "", "ProxyFix": "", "WhiteNoise": "",
	}
}

// asgiMakers make applications that a WSGI server cannot call.
func asgiMakers() []string {
	return []string{"FastAPI", "Starlette", "Quart", "Sanic", "Litestar", "BlackSheep", "get_asgi_application", "ProtocolTypeRouter"}
}

// choose picks the callable of a module: one by name, then whatever a known
// framework made, then a factory.
func (f *finder) choose(folder string, all []binding) choice {
	var notes []string
	for _, pick := range []func() choice{
		func() choice { return f.byName(folder, all, &notes) },
		func() choice { return firstMade(all) },
		func() choice { return byFactory(all, &notes) },
	} {
		if c := pick(); c.attr != "" {
			if c.framework == "" {
				c.framework = frameworkIn(all)
			}
			return c
		}
	}
	if len(notes) == 0 {
		notes = []string{"no application, app, wsgi or create_app at the top level"}
	}
	return choice{why: strings.Join(notes, "; ")}
}

func (f *finder) byName(folder string, all []binding, notes *[]string) choice {
	for _, name := range callableNames() {
		b, ok := lastBinding(all, name)
		if !ok {
			continue
		}
		c := f.judge(folder, b)
		if c.attr != "" {
			return c
		}
		*notes = append(*notes, c.why)
	}
	return choice{}
}

// lastBinding finds the binding that holds when the module has been run.
func lastBinding(all []binding, name string) (binding, bool) {
	for _, b := range slices.Backward(all) {
		if b.name == name {
			return b, true
		}
	}
	return binding{}, false
}

// judge decides whether a name can be the WSGI callable.
func (f *finder) judge(folder string, b binding) choice {
	switch b.kind {
	case imported:
		return choice{why: b.name + " is a module"}
	case coroutine:
		return choice{why: b.name + " is a coroutine (ASGI), and this server calls WSGI"}
	case function:
		if n := required(b.value); n != 2 {
			return choice{why: fmt.Sprintf("%s() takes %d arguments, not environ and start_response", b.name, n)}
		}
		return choice{attr: b.name, why: "function " + b.name}
	case from:
		if f.isModule(folder, b) {
			return choice{why: b.name + " is a module"}
		}
		return choice{attr: b.name, why: fmt.Sprintf("%s, imported from %s", b.name, b.value)}
	case class:
		return choice{attr: b.name, why: "class " + b.name}
	}
	return judgeAssigned(b)
}

// isModule reports whether `from package import name` imports a module.
func (f *finder) isModule(folder string, b binding) bool {
	if strings.HasPrefix(b.value, ".") {
		return false
	}
	module := b.value + "." + b.item
	return dottedName(module) && f.moduleFile(folder, module) != "" && !f.binds(folder, b)
}

// binds reports whether the package itself binds the name, which then hides
// its module.
func (f *finder) binds(folder string, b binding) bool {
	_, bound := lastBinding(f.bindingsOf(f.moduleFile(folder, b.value)), b.item)
	return bound
}

func judgeAssigned(b binding) choice {
	if maker := lastPart(callee(b.value)); slices.Contains(asgiMakers(), maker) {
		return choice{why: fmt.Sprintf("%s is made by %s(): an ASGI application, and this server calls WSGI", b.name, maker)}
	}
	if c := judgeMade(b); c.attr != "" {
		return c
	}
	if b.value == "None" || text(b.value) != "" {
		return choice{why: fmt.Sprintf("%s is %s", b.name, b.value)}
	}
	return choice{attr: b.name, why: b.name + " at the top level"}
}

// judgeMade accepts a name to which the result of a known maker is assigned.
func judgeMade(b binding) choice {
	maker := callee(b.value)
	framework, known := makers()[maker]
	if !known {
		maker = lastPart(maker)
		framework, known = makers()[maker]
	}
	if b.kind != assigned || !known {
		return choice{}
	}
	c := choice{attr: b.name, framework: framework, why: fmt.Sprintf("%s is made by %s()", b.name, maker)}
	if maker == "Dash" {
		c.attr += ".server"
		c.why += ", whose WSGI application is its server"
	}
	return c
}

func firstMade(all []binding) choice {
	for _, b := range all {
		if c := judgeMade(b); c.attr != "" {
			return c
		}
	}
	return choice{}
}

func byFactory(all []binding, notes *[]string) choice {
	for _, name := range factoryNames() {
		b, ok := lastBinding(all, name)
		if !ok || b.kind != function && b.kind != from {
			continue
		}
		if n := required(b.value); b.kind == function && n > 0 {
			*notes = append(*notes, fmt.Sprintf("%s() needs %d arguments; write a wsgi.py with `application = %s(…)`", name, n, name))
			continue
		}
		return choice{attr: name, factory: true, why: "factory " + name + "()"}
	}
	return choice{}
}

// frameworks maps top-level packages to the framework that they belong to.
func frameworks() map[string]string {
	return map[string]string{
		"flask": "flask", "django": "django", "bottle": "bottle", "falcon": "falcon",
		"pyramid": "pyramid", "dash": "dash", "webob": "webob", "werkzeug": "werkzeug",
		"cherrypy": "cherrypy", "web": "web.py", "pecan": "pecan", "eve": "flask", "apiflask": "flask",
	}
}

// frameworkIn names the framework that a module imports.
func frameworkIn(all []binding) string {
	for _, b := range all {
		if b.kind != imported && b.kind != from {
			continue
		}
		top, _, _ := strings.Cut(b.value, ".")
		if name := frameworks()[top]; name != "" {
			return name
		}
	}
	return ""
}

// frameworkOf looks into the entry's module, then into the modules of the
// application that it imports, then into the requirements.
func (f *finder) frameworkOf(e Entry) string {
	all := f.bindingsOf(f.sourceOf(e))
	if name := frameworkIn(all); name != "" {
		return name
	}
	for _, b := range all {
		if b.kind != imported && b.kind != from || !dottedName(b.value) {
			continue
		}
		if name := frameworkIn(f.bindingsOf(f.sourceOf(Entry{Module: b.value, Path: e.Path}))); name != "" {
			return name
		}
	}
	data, _ := f.read("requirements.txt")
	for line := range strings.Lines(string(data)) {
		if name := frameworks()[requirementName(line)]; name != "" {
			return name
		}
	}
	return ""
}

// bindingsOf scans a file; none for "".
func (f *finder) bindingsOf(file string) []binding {
	if file == "" {
		return nil
	}
	src, _ := f.read(file)
	return scanSource(src)
}
