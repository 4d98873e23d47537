package tenants

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDiscover(t *testing.T) {
	golden(t, "discover", func(t *testing.T, dir string) string {
		e, err := Discover(dir)
		var nothing *NoEntryError
		if errors.As(err, &nothing) {
			return fmt.Sprintf("error (python %t):\n%s\n", nothing.HasPython, err)
		}
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		return describeEntry(e)
	})
}

func describeEntry(e Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nwhy: %s\n", e, e.Why)
	if e.Framework != "" {
		fmt.Fprintf(&b, "framework: %s\n", e.Framework)
	}
	if len(e.Path) > 0 {
		fmt.Fprintf(&b, "path: %s\n", strings.Join(e.Path, " "))
	}
	for _, k := range slices.Sorted(maps.Keys(e.Env)) {
		fmt.Fprintf(&b, "env: %s=%s\n", k, e.Env[k])
	}
	return b.String()
}

func TestScanSource(t *testing.T) {
	src := "\ufeff#!/usr/bin/python\n" + `"""Doc
app = Flask()
"""
from flask import (Flask,
    request as r,  # app = 1
)
import os.path, sys as system
app: Flask = \
    Flask(__name__, x={"a": "#"})
application = wsgi = app
app.config["X"] = 1
if True:
    hidden = 1
x == 3
y += 1
s = 'it''s # not a comment'; t = "open
z = 1
def create_app(config=None, *, debug: bool = False):
    '''
def inner(): pass
'''
    q = 2
async  def run(a): pass
class App(object): pass
@decorated
def f(environ, start_response): return []
`
	var got []string
	for _, b := range scanSource([]byte(src)) {
		got = append(got, fmt.Sprintf("%d %s %q", b.kind, b.name, b.value))
	}
	want := []string{
		`5 Flask "flask"`, `5 r "flask"`, `4 os "os.path"`, `4 system "sys"`,
		`0 app "Flask(__name__, x={\"a\": \"#\"})"`,
		`0 application "app"`, `0 wsgi "app"`,
		`0 s "'it''s # not a comment'"`, `0 t "\"open"`,
		`0 z "1"`,
		`1 create_app "config=None, *, debug: bool = False"`,
		`2 run "a"`, `3 App ""`, `1 f "environ, start_response"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequiredParameters(t *testing.T) {
	for params, want := range map[string]int{
		"": 0, "a": 1, "a, b": 2, "a, b=1": 1, "*args, **kw": 0, "self, /": 1, "c: dict[str, int] = {'a': 1, 'b': 2}": 0,
		"environ: dict, start_response": 2, "a=(1, 2), *, b='='": 0, "a,\n b,": 2,
	} {
		if got := required(params); got != want {
			t.Errorf("(%s): %d, want %d", params, got, want)
		}
	}
}

func FuzzScanSource(f *testing.F) {
	for _, s := range []string{
		"app = Flask(__name__)", "'''", "\"\"\"a\\", "def f(", "from x import (a", "a = b = ", "\\", "((((\n", "async", "import ", "x = '\\",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, b := range scanSource(src) {
			if b.name == "" && b.kind != imported {
				t.Errorf("a binding without a name: %+v", b)
			}
			_ = required(b.value)
			_ = text(b.value)
			_ = callee(b.value)
		}
	})
}

func TestShellWords(t *testing.T) {
	for line, want := range map[string][]string{
		`gunicorn app:app`:                 {"gunicorn", "app:app"},
		`A="x y" b 'c "d"' e\ f`:           {"A=x y", "b", `c "d"`, "e f"},
		`cd x&&gunicorn "a:f()" ; true||b`: {"cd", "x", "&&", "gunicorn", "a:f()", ";", "true", "||", "b"},
		`a "" 'open`:                       {"a", "", "open"},
		`x \`:                              {"x", ""},
	} {
		if diff := cmp.Diff(want, shellWords(line)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func FuzzProcfile(f *testing.F) {
	for _, s := range []string{
		"web: gunicorn app:app", "web: FOO=bar gunicorn --chdir=x 'a:b()' -b :80", "web: uwsgi --ini u.ini", "web: cd 'x", "web:&&", "web: env", "web: flask --app x run",
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, procfile string) {
		if !utf8.ValidString(procfile) || len(procfile) > 1000 {
			return
		}
		write(t, dir+"/Procfile", procfile)
		e, err := Discover(dir)
		if err != nil {
			return
		}
		if _, err := ParseEntry(e.String()); err != nil {
			t.Errorf("%q led to %q: %v", procfile, e, err)
		}
	})
}

func TestParseEntry(t *testing.T) {
	for text, want := range map[string]string{
		"app:app": "app:app", "a.b.c": "a.b.c:application", "shop:make()": "shop:make()", "dash_app:app.server": "dash_app:app.server", " x:y ": "x:y",
	} {
		e, err := ParseEntry(text)
		if err != nil || e.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, e, err, want)
		}
	}
	for _, text := range []string{"", ":", "a:", ":b", "a b:c", "a:b:c", "a/b:c", "1:2", "app:make('x')", "a:b.", "..a:b"} {
		if e, err := ParseEntry(text); err == nil {
			t.Errorf("%q was read as %q", text, e)
		}
	}
}
