package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wrapper is middleware that holds an application and its server to PEP 3333: it
// raises at what either does wrong.
type wrapper struct {
	name   string
	needs  string // packages, for requirements.txt
	python string // of a module that has the application as inner
}

func validator() wrapper {
	return wrapper{name: "validator", python: "from wsgiref.validate import validator\n\napplication = validator(inner)\n"}
}

// lint warns where wsgiref raises; here its warnings are errors. Three are not: it
// wants absolute URLs in Location, which RFC 9110 section 10.2.2 does not, a
// Content-Length: 0 with 204, and quotes around an ETag, which Bottle leaves out. What it
// says about HEAD, that fewer bytes came than Content-Length says, it raises in
// close(), where the response stands.
func lint() wrapper {
	return wrapper{"lint", "Werkzeug==3.1.9\nMarkupSafe==3.0.4\n", `import warnings

from werkzeug.middleware.lint import HTTPWarning, LintMiddleware, WSGIWarning

warnings.simplefilter("error", HTTPWarning)
warnings.simplefilter("error", WSGIWarning)
for message in ("Absolute URLs required", "204 responses must have an empty content length", "Unquoted etag emitted"):
    warnings.filterwarnings("ignore", message)
application = LintMiddleware(inner)
`}
}

// wrap makes a folder serve its application in the wrapper.
func (w wrapper) wrap(t *testing.T, folder, entry string) {
	t.Helper()
	module, name, _ := strings.Cut(entry, ":")
	write(t, folder, "wrapped_by_test.py", "from "+module+" import "+name+" as inner\n"+w.python)
	prepend(t, folder, "entry = \"wrapped_by_test:application\"\n")
	requirements := filepath.Join(folder, "requirements.txt")
	if has := readIfThere(t, requirements); !strings.Contains(has, "Werkzeug") && w.needs != "" {
		write(t, folder, "requirements.txt", has+w.needs)
	}
}

// scene is a part of an example's own test.
type scene struct {
	name string
	play func(*testing.T, site)
	not  map[string]string // wrappers that it cannot be played in, and why
}

// TestWrappedExamples plays the examples' own tests on wrapped applications:
// they answer as they do alone. Left out: notes, which has a test of its own with
// real servers.
func TestWrappedExamples(t *testing.T) {
	for _, c := range []struct {
		example, entry string
		by             wrapper
		scenes         []scene
	}{
		{"bare", "wsgi:application", validator(), bareScenes()},
		{"flask", "app:app", validator(), flaskScenes()},
		{"flask", "app:app", lint(), flaskScenes()},
		{"bare", "wsgi:application", lint(), bareScenes()},
		{"bottle", "app:app", validator(), bottleScenes()},
		{"bottle", "app:app", lint(), bottleScenes()},
		{"django", "mysite.wsgi:application", lint(), djangoScenes()},
		{"django", "mysite.wsgi:application", validator(), djangoScenes()},
	} {
		t.Run(c.example+"_"+c.by.name, func(t *testing.T) {
			prepare := func(w world, folder, state string) {
				c.by.wrap(t, folder, c.entry)
				if c.example == "django" {
					djangoSetUp(t, w, folder, state)
				}
			}
			inBothIsolations(t, c.example, prepare, func(t *testing.T, s site) {
				for _, part := range c.scenes {
					t.Run(part.name, func(t *testing.T) {
						if why := part.not[c.by.name]; why != "" {
							t.Skip(why)
						}
						part.play(t, s)
					})
				}
			})
		})
	}
}

func bareScenes() []scene {
	return []scene{
		{name: "greeting", play: bareGreeting},
		{name: "environ", play: bareEnviron},
		{name: "echo", play: bareEcho},
		{name: "stream", play: bareStream},
		{name: "status", play: bareStatus},
		{name: "fail", play: bareFail},
	}
}

func flaskScenes() []scene {
	return []scene{
		{name: "session", play: flaskSession},
		{name: "uploads", play: flaskUploads},
		{name: "items", play: flaskItems, not: map[string]string{"validator": "Flask sends Content-Type with 204, which wsgiref forbids and no RFC does"}},
		{name: "concurrent", play: flaskConcurrent},
		{name: "rest", play: flaskRest},
	}
}

func bottleScenes() []scene {
	return []scene{
		{name: "visitor", play: bottleVisitor},
		{name: "uploads", play: bottleUploads},
		{name: "sums", play: bottleSums},
		{name: "rest", play: bottleRest},
	}
}

func djangoScenes() []scene {
	return []scene{
		{name: "anonymous", play: djangoAnonymous},
		{name: "notes", play: func(t *testing.T, s site) {
			b := djangoBrowser(t, s)
			djangoLogin(s, b)
			djangoNotes(s, b)
		}},
		{name: "static", play: djangoStatic},
		{name: "rest", play: djangoRest},
	}
}

// typed has an application send a Content-Type where it sends none, which wsgiref's
// validator wants.
const typed = `def typed(app):
    def application(environ, start_response):
        def start(status, headers, *exc_info):
            if type(headers) is list and not any(name.lower() == "content-type" for name, _ in headers):
                headers = [*headers, ("Content-Type", "text/x-typed")]
            return start_response(status, headers, *exc_info)

        return app(environ, start)

    return application


inner = typed(inner)
`

// wrappedApps are what the applications of testdata/apps are asked.
//
// Left out: broken, which is never imported; hostile, which runs whatever it is
// told; those that have tests of their own with real servers (bucket, clients,
// outside, pooled, together, django-database, together-django); and of pep3333 what
// is wrong on purpose, or looks at objects that a wrapper replaces (checks,
// environ, nobody, silent).
func wrappedApps() map[string][]query {
	return map[string][]query{
		"counter":   {{}},
		"ledger":    {{path: "/add/a"}, {path: "/mode/delete"}, {}},
		"neighbour": {{}, {method: "HEAD"}},
		"noisy":     {{}},
		"steps":     {{path: "/ask?1"}},
		"unruly":    {{}, {path: "/short"}},
		"pep3333": {
			{path: "/alone"}, {path: "/called"}, {path: "/errors?wrapped"}, {path: "/cookies"}, {path: "/cookies?own"},
			{path: "/close?ends&wrapped"}, {path: "/close?raises&wrapped"}, {path: "/excinfo"}, {path: "/extensions"},
			{path: "/fails?early&raises"}, {path: "/fails?late&raises"}, {path: "/fails?announced&raises"},
			{path: "/file?as=plain&size=100000&id=1"}, {path: "/file?as=raw&size=5000&id=2&skip=9"}, {path: "/file?as=memory&size=10&id=3&length=10"},
			{path: "/file?as=temporary&size=70000&id=4&write=first"}, {path: "/file?as=tmp&size=0&id=5"}, {path: "/file?as=plain&size=9000&id=6&middleware="},
			{path: "/input?i.read(2);i.read(4);list(i);i.read(1)", method: "POST", body: "one\ntwo\nlast"},
			{path: "/input?i.read(2);i.readline();i.readline(1);i.read(-1);i.read(5)", method: "POST", body: "one\ntwo\nlast"},
			{path: "/gate?g-2"}, {path: "/gate?g-3"}, {path: "/pieces?g"}, {path: "/writes?g"}, {path: "/hints"}, {path: "/hints?late"},
			{path: "/length?list"}, {path: "/length?iterator"}, {path: "/length?written"}, {path: "/length?list=3"}, {path: "/length?list=9"},
			{path: "/reason?299%20Custom%20Reason"}, {path: "/second?taken"}, {path: "/start?replaced"}, {path: "/start?zero"}, {path: "/start?none"},
		},
	}
}

// TestWrappedApps asks the applications of testdata/apps and their wrapped
// copies the same.
func TestWrappedApps(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	ways := []wrapper{{name: "alone", python: "application = inner\n"}, validator(), lint()}
	var names []string
	for name := range wrappedApps() {
		for _, way := range ways {
			folder := filepath.Join(root, name+"-"+way.name)
			copyTree(t, filepath.Join("testdata", "apps", name), folder)
			manifest := strings.ReplaceAll(readIfThere(t, filepath.Join(folder, "wasgi.toml")), "entry = \"wsgi:application\"\n", "")
			write(t, folder, "wasgi.toml", manifest)
			way.python = typed + way.python
			way.wrap(t, folder, "wsgi:application")
			names = append(names, name+"-"+way.name)
		}
	}
	s := w.serve(t, launch{root: root}, names...)
	for name, queries := range wrappedApps() {
		t.Run(name, func(t *testing.T) {
			for _, q := range queries {
				if q.path == "" {
					q.path = "/"
				}
				alone := seen(t, s.site(t, name+"-alone"), q)
				for _, way := range ways[1:] {
					if way.name == "lint" && strings.Contains(q.path, "readline") {
						continue // lint calls each readline() unsafe
					}
					if wrapped := seen(t, s.site(t, name+"-"+way.name), q); alone != wrapped {
						t.Errorf("%s %s: alone\n%s\nin %s\n%s", q.method, q.path, alone, way.name, wrapped)
					}
				}
			}
		})
	}
}

func readIfThere(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// seen is a response as text, without what differs from one to the next or says
// how the body is framed.
func seen(t *testing.T, s site, q query) string {
	t.Helper()
	r := http11{}.dial(t, s).begin(q)
	lines := slices.DeleteFunc(r.lines, func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.Contains([]string{"Date", "X-Request-Id", "Content-Length", "Transfer-Encoding"}, name)
	})
	body, err := io.ReadAll(r.body)
	text := regexp.MustCompile("Request: [0-9a-f]+").ReplaceAllString(string(body), "")
	return fmt.Sprintf("%d %s\n%s\n%q %v", r.status, r.reason, strings.Join(lines, "\n"), text, err)
}
