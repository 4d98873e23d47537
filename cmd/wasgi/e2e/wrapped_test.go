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
	python string // of a module that has the application as inner
}

func validator() wrapper {
	return wrapper{"validator", "from wsgiref.validate import validator\n\napplication = validator(inner)\n"}
}

// lint warns where wsgiref raises; here its warnings are errors. Two are not: it
// wants absolute URLs in Location, which RFC 9110 section 10.2.2 does not, and no
// Content-Length: 0 with 204, which Flask sends and the server takes off. What it
// says about HEAD, that fewer bytes came than Content-Length says, it raises in
// close(), where the response stands.
func lint() wrapper {
	return wrapper{"lint", `import warnings

from werkzeug.middleware.lint import HTTPWarning, LintMiddleware, WSGIWarning

warnings.simplefilter("error", HTTPWarning)
warnings.simplefilter("error", WSGIWarning)
for message in ("Absolute URLs required", "204 responses must have an empty content length"):
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
}

// scene is a part of an example's own test.
type scene struct {
	name string
	play func(*testing.T, site)
	not  map[string]string // wrappers that it cannot be played in, and why
}

// TestWrappedExamples plays the examples' own tests on wrapped applications:
// they answer as they do alone.
func TestWrappedExamples(t *testing.T) {
	for _, c := range []struct {
		example, entry string
		by             wrapper
		scenes         []scene
	}{
		{"bare", "wsgi:application", validator(), bareScenes()},
		{"flask", "app:app", validator(), flaskScenes()},
		{"flask", "app:app", lint(), flaskScenes()},
		{"bottle", "app:app", validator(), bottleScenes()},
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

// TestWrappedApps asks the applications of testdata/apps and their wrapped
// copies the same.
//
// Left out: broken, which is never imported; hostile, which calls read() without
// an argument (wsgiref wants one); and of pep3333 the applications
// that are wrong on purpose, that send no Content-Type (start, length, file and
// others: wsgiref wants it) or that look at the objects which the wrapper replaces.
func TestWrappedApps(t *testing.T) {
	t.Parallel()
	apps := map[string][]query{
		"counter":   {{}},
		"ledger":    {{path: "/add/a"}, {path: "/mode/delete"}, {}},
		"neighbour": {{}, {method: "HEAD"}},
		"noisy":     {{}},
		"steps":     {{path: "/ask?1"}},
		"unruly":    {{}, {path: "/short"}},
		"pep3333": {
			{path: "/called"}, {path: "/errors?wrapped"}, {path: "/cookies?own"}, {path: "/close?ends&wrapped"}, {path: "/close?raises&wrapped"},
			{path: "/excinfo"}, {path: "/input?i.read(2);i.readline();i.readline(1);i.read(-1);i.read(5)", method: "POST", body: "one\ntwo\nlast"},
			{path: "/gate?opened"},
		},
	}
	w, root := newWorld(t), t.TempDir()
	var names []string
	for name := range apps {
		w.app(t, root, name)
		folder := filepath.Join(root, name+"-wrapped")
		copyTree(t, filepath.Join(root, name), folder)
		manifest := strings.ReplaceAll(readIfThere(t, filepath.Join(folder, "wasgi.toml")), "entry = \"wsgi:application\"\n", "")
		write(t, folder, "wasgi.toml", manifest)
		validator().wrap(t, folder, "wsgi:application")
		names = append(names, name, name+"-wrapped")
	}
	s := w.serve(t, launch{root: root}, names...)
	for name, queries := range apps {
		t.Run(name, func(t *testing.T) {
			for _, q := range queries {
				if q.path == "" {
					q.path = "/"
				}
				alone, wrapped := seen(t, s.site(t, name), q), seen(t, s.site(t, name+"-wrapped"), q)
				if alone != wrapped {
					t.Errorf("%s %s: alone\n%s\nwrapped\n%s", q.method, q.path, alone, wrapped)
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
