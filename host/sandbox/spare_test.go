package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/wasi"
)

// spare is one for the tenants of spec.
func (p *python) spare(t testing.TB, budget *Budget) *Spare {
	t.Helper()
	spare, err := p.engine.NewSpare(t.Context(), Spec{
		Policy: wasi.Policy{
			Mounts: []wasi.Mount{{Guest: "/", Open: func() (wasi.FS, error) { return p.root, nil }}},
			Env:    []string{"HOME=/tmp", "LANG=C.UTF-8"},
		},
		Boot:   abi.Boot{Args: []string{"wasgi"}},
		Budget: budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, spare.Close()) })
	return spare
}

// afterImport is a tenant whose application has run source, and answers with what it
// has put into answer.
func (p *python) afterImport(t testing.TB, source string, files map[string]string) Spec {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, files)
	put(t, dir, map[string]string{"app.py": `import sys
spare = type(sys.meta_path[0]).__name__ == "_Stash"
` + source + `

def application(environ, start_response):
    start_response("200 OK", [("X-Spare", str(spare))])
    return [answer.encode()]
`})
	spec := p.spec(t, "")
	spec.Policy.Mounts[2].Open = func() (wasi.FS, error) { return wasi.ReadOnlyDir(dir) }
	spec.Policy.Env = []string{"HOME=/data", "LANG=C.UTF-8", "OWN=1"}
	return spec
}

// put writes files into a folder.
func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// with is for Spec.Spare: the one there is, if it fits.
func with(spare *Spare) func(context.Context, func(*Spare) bool) *Spare {
	return func(_ context.Context, fits func(*Spare) bool) *Spare {
		if spare == nil || !fits(spare) {
			return nil
		}
		return spare
	}
}

// answer starts the application with a spare interpreter or without one; used says
// whether it took that.
func (p *python) answer(t testing.TB, spec Spec, spare *Spare) (used bool, answer string) {
	t.Helper()
	spec.Spare = with(spare)
	r := serve(t, restore(t, build(t, p.engine, spec)), &Request{Environ: get(t, "/")})
	return r.heads[0].Headers[0].Value == "True", string(r.body)
}

// TestSpareIsLikeAStart compares what an application finds after each import that is
// made ahead.
func TestSpareIsLikeAStart(t *testing.T) {
	p := newPython(t)
	sources := []string{"", "import sqlite3, asyncio", "import email; email.utils = None; import http.client"}
	for _, module := range ahead(t) {
		sources = append(sources, "import "+module)
	}
	for _, source := range sources {
		t.Run(source, func(t *testing.T) {
			spec := p.afterImport(t, source+`
import posix
def facts():
    yield f"{sys.path} {sys.argv} {sys.orig_argv} {posix.getcwd()} {posix.environ}"
    yield f"{[finder if isinstance(finder, type) else type(finder) for finder in sys.meta_path if type(finder).__name__ != '_Stash']}"
    for name, module in sys.modules.items():
        if name.startswith("_frozen_importlib"):
            continue  # importlib, once somebody has imported it, gives them a __file__
        spec, names = module.__spec__, vars(module).keys() - {"Match", "Pattern"}  # typing makes these when asked
        yield f"{name} {getattr(spec, 'name', None)} {getattr(spec, 'loader', None)!r:.40} {sorted(names)}"
answer = "\n".join(facts())
`, nil)
			_, want := p.answer(t, spec, nil)
			used, got := p.answer(t, spec, p.spare(t, nil))
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" || !used {
				t.Errorf("used: %v\n%s", used, diff)
			}
		})
	}
}

// ahead are the modules that a spare interpreter imports.
func ahead(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("../../pywasm/guest/_wasgi_spare.py")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `MODULES = """`)
	list, _, found := strings.Cut(rest, `"""`)
	if !found {
		t.Fatal("there is no list of modules in _wasgi_spare.py")
	}
	return strings.Fields(list)
}

// amended answers whether _wasgi_platform.py has amended the module ssl.
const amended = "answer = str(ssl.SSLContext.load_default_certs.__wrapped__.__name__ == 'load_default_certs')"

// conf writes a configuration of OpenSSL, and names it.
const conf = `
import os
def write(text):
    with open('/tmp/o.cnf', 'w') as f:
        f.write(text)
    os.environ['OPENSSL_CONF'] = '/tmp/o.cnf'
`

// lazy is the recipe of importlib's documentation.
const lazy = `
import importlib.util
def lazy(name):
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
`

// TestSpareStepsAside has applications with modules, hooks and patches of their own,
// each of which an import must find.
func TestSpareStepsAside(t *testing.T) {
	p := newPython(t)
	for _, test := range []struct {
		name   string
		files  map[string]string // in /app
		source string
		used   bool
		want   string
	}{
		{"a module of that name", map[string]string{"textwrap.py": "OWN = 'own'"},
			"import textwrap\nanswer = textwrap.OWN", false, "own"},
		{"a package of that name", map[string]string{"html/__init__.py": "OWN = 'own'"},
			"import html\nanswer = html.OWN", false, "own"},
		{"a folder of that name", map[string]string{"html/index.html": "", "json.txt": ""},
			"import html, json\nanswer = html.escape('<')", true, "&lt;"},
		{"a module in a folder that comes later", map[string]string{"vendor/secrets.py": "OWN = 'own'"},
			"sys.path.insert(0, '/app/vendor')\nimport random, secrets\nanswer = secrets.OWN", true, "own"},
		{"a module that others import", map[string]string{"vendor/numbers.py": "class Number:\n    register = classmethod(lambda *a: None)\nRational = Number\nOWN = 'own'"},
			"sys.path.insert(0, '/app/vendor')\nimport decimal, numbers\nanswer = numbers.OWN", true, "own"},
		{"a path behind the library's", map[string]string{"vendor/secrets.py": ""},
			"sys.path.append('/app/vendor')\nimport secrets\nanswer = secrets.__name__ + str(len(secrets.token_hex(2)))", true, "secrets4"},
		{"a patch before an import", nil, `
import socket
class Socket(socket.socket): pass
socket.socket = Socket
import ssl
answer = str(Socket in ssl.SSLSocket.__mro__)`, true, "True"},
		{"a patch after the import", nil, `
import ssl, socket
class Socket(socket.socket): pass
socket.socket = Socket
answer = str(Socket in ssl.SSLSocket.__mro__)`, true, "False"},
		{"another module in its place", nil, `
import types
sys.modules['json'] = json = types.ModuleType('json')
import importlib.metadata
answer = str(importlib.metadata.json is json)`, true, "True"},
		{"a module that must not be had", nil, `
sys.modules['json'] = None
try:
    import importlib.metadata
except ImportError as e:
    answer = str(e)`, true, "import of json halted; None in sys.modules"},
		{"a finder in front", nil, `
import importlib.machinery, importlib.abc
seen = []
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(name, path=None, target=None): seen.append(name)
sys.meta_path.insert(0, Finder)
import secrets
answer = str('hmac' in seen)`, true, "True"},
		{"an import of its own", nil, `
import builtins
seen, ordinary = [], builtins.__import__
def note(name, *rest):
    seen.append(name)
    return ordinary(name, *rest)
builtins.__import__ = note
import secrets
answer = str('hmac' in seen)`, true, "True"},
		{"a part of a package that was replaced", map[string]string{"own/parse.py": "OWN = 'own'"}, `
import types
sys.modules['urllib'] = urllib = types.ModuleType('urllib')
urllib.__path__ = ['/app/own']
import urllib.parse
answer = urllib.parse.OWN`, true, "own"},
		{"a folder in front of a package's", map[string]string{"own/parse.py": "OWN = 'own'"}, `
import urllib
urllib.__path__.insert(0, '/app/own')
import urllib.parse
answer = urllib.parse.OWN`, true, "own"},
		{"another platform", nil, `
sys.platform = 'winter'
import socket
answer = str(hasattr(socket, 'errorTab'))`, true, "True"},
		{"a patch of a builtin", nil, `
import builtins
ordinary = builtins.open
builtins.open = lambda *a, **k: ordinary(*a, **k)
import tokenize
answer = str(tokenize._builtin_open is builtins.open)`, true, "True"},
		{"a builtin more", nil, `
import gettext
gettext.install('app')
import secrets
answer = str(type(sys.meta_path[0]).__name__ == '_Stash' or not spare)`, true, "True"},
		{"a look without an import", nil, `
import importlib.util
spec = importlib.util.find_spec('decimal')
answer = f"{'decimal' in sys.modules} {spec.origin} {spec.loader.path == spec.origin}"
import decimal
answer += f" {decimal.__spec__.loader.name}"`, true, "False /usr/lib/python3.13/decimal.py True decimal"},
		{"a reload", nil, `
import importlib, logging
before = logging.Logger
answer = f"{importlib.reload(logging) is logging} {before is logging.Logger}"`, true, "True False"},
		{"an amendment when a module is shadowed", map[string]string{"vendor/socket.py": "from _socket import *\nOWN = 'own'"},
			"sys.path.insert(0, '/app/vendor')\ntry:\n    import ssl\nexcept Exception:\n    import socket\n    answer = socket.OWN", true, "own"},
		{"an amendment after a patch", nil, "import socket\nclass S(socket.socket): pass\nsocket.socket = S\nimport ssl\n" + amended, true, "True"},
		{"an amendment after a finder", nil, "class F:\n    find_spec = staticmethod(lambda *a: None)\nsys.meta_path.insert(0, F)\nimport ssl\n" + amended, true, "True"},
		{"an amendment after another list of finders", nil, "sys.meta_path[:] = [f for f in sys.meta_path if isinstance(f, type)]\nimport ssl\n" + amended, true, "True"},
		{"an amendment of what was handed out", nil, "import ssl\n" + amended, true, "True"},
		{"an amendment after a look", nil, "import importlib.util\nimportlib.util.find_spec('ssl')\nimport ssl\n" + amended, true, "True"},
		{"an amendment after a reload", nil, "import importlib, ssl\nimportlib.reload(ssl)\n" + amended, true, "True"},
		{"what others do without", nil, `
import types
sys.modules['_winapi'] = own = types.ModuleType('_winapi')
own._mimetypes_read_windows_registry = 'own'
import mimetypes
answer = mimetypes._mimetypes_read_windows_registry`, true, "own"},
		{"a file that others do without", map[string]string{"_winapi.py": "_mimetypes_read_windows_registry = 'own'"},
			"import mimetypes\nanswer = mimetypes._mimetypes_read_windows_registry", false, "own"},
		{"a file that others do without, behind the library", map[string]string{"vendor/_winapi.py": "_mimetypes_read_windows_registry = 'own'"},
			"sys.path.append('/app/vendor')\nimport mimetypes\nanswer = mimetypes._mimetypes_read_windows_registry", true, "own"},
		{"a tracer that imports in the middle of an import", nil, `
class Finder:
    find_spec = staticmethod(lambda *a: None)
def trace(frame, event, arg):
    if frame.f_code.co_name == 'module_from_spec':
        sys.settrace(None)
        sys.meta_path.insert(0, Finder)
        import secrets
sys.settrace(trace)
import decimal
import hmac
answer = f"{decimal.Decimal(1)} {sys.modules['secrets'].compare_digest is hmac.compare_digest}"`, true, "1 True"},
		{"OpenSSL's options", nil, conf + `
write("openssl_conf=i\n[i]\nssl_conf=s\n[s]\nsystem_default=t\n[t]\nOptions=UnsafeLegacyServerConnect\n")
import ssl
answer = str(bool(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).options & 4))`, true, "True"},
		{"OpenSSL's providers", nil, conf + `
write("openssl_conf=i\n[i]\nproviders=p\n[p]\ndefault=a\nlegacy=a\n[a]\nactivate=1\n")
import hashlib
answer = f"{hashlib.new('md4', b'').hexdigest()[:8]} {'md4' in hashlib.algorithms_available}"`, true, "31d6cfe0 True"},
		{"OpenSSL's options after another finder", nil, conf + `
sys.path_hooks.append(lambda path: 1/0)
import json
write("openssl_conf=i\n[i]\nssl_conf=s\n[s]\nsystem_default=t\n[t]\nOptions=UnsafeLegacyServerConnect\n")
import ssl
answer = str(bool(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).options & 4))`, true, "True"},
		{"paths that no file can have", nil,
			"sys.path.append('/plugins\\0')\nsys.path.append('\\ud800')\nimport json\nanswer = json.dumps(1)", true, "1"},
		{"a path that is no text", map[string]string{"vendor/_winapi.py": ""},
			"import pathlib\nsys.path.append(pathlib.Path('/app/vendor'))\nimport json\nanswer = str(json.loads.__module__ == 'json' and (not spare or bool(sys.meta_path[0]._aside)))", true, "True"},
		{"finders that cannot be compared", nil, `
class Finder:
    name = 'own'
    def __eq__(self, other): return self.name == other.name
    def find_spec(self, name, path=None, target=None): return None
sys.meta_path.insert(0, Finder())
import json
answer = json.dumps(1)`, true, "1"},
		{"another sort of path", nil, "import collections\nsys.path = collections.deque(sys.path)\nimport json\nanswer = json.dumps(1)", true, "1"},
		{"an audit hook that imports", nil, `
import types
def hook(event, args, seen=[]):
    if event == 'os.listdir' and not seen:
        seen.append(1)
        sys.modules['_winapi'] = types.ModuleType('_winapi')
        import json
sys.addaudithook(hook)
sys.path.insert(0, '/tmp')
import secrets
answer = str(len(secrets.token_hex(2)))`, true, "4"},
		{"a tracer that imports what needs it", nil, `
def trace(frame, event, arg):
    if frame.f_code.co_name == 'module_from_spec':
        sys.settrace(None)
        import decimal
sys.settrace(trace)
import numbers
import json
answer = f"{numbers.__name__} {isinstance(json.loads('1'), numbers.Number)}"`, true, "numbers True"},
		{"a folder that becomes a package", nil, `
import os
os.makedirs('/tmp/lib/secrets')
sys.path.insert(0, '/tmp/lib')
import pprint
with open('/tmp/lib/secrets/__init__.py', 'w') as f:
    f.write("OWN = 'own'")
import secrets
answer = secrets.OWN`, true, "own"},
		{"a module that runs again", nil, `
import numbers
numbers.__spec__.loader.exec_module(numbers)
import decimal
answer = str(isinstance(decimal.Decimal(1), numbers.Number))`, true, "True"},
		{"a module that is patched by exec", nil, `
import hmac
exec("compare_digest = 'own'", vars(hmac))
import secrets
answer = secrets.compare_digest`, true, "own"},
		{"a finder for a path", nil, `
import importlib.machinery, types
class Loader:
    create_module = staticmethod(lambda spec: None)
    @staticmethod
    def exec_module(module): module.OWN = 'own'
class Finder:
    @staticmethod
    def find_spec(name, target=None): return importlib.machinery.ModuleSpec(name, Loader) if name == 'secrets' else None
sys.path_importer_cache['/virtual'] = Finder
sys.path.insert(0, '/virtual')
import secrets
answer = secrets.OWN`, true, "own"},
		{"a copy of an amended module's loader", nil,
			"import copy, importlib.util\nanswer = copy.copy(importlib.util.find_spec('ssl').loader).name", true, "ssl"},
		{"finders within others", nil, `
class Within:
    def __init__(self, finder): self.find_spec = finder.find_spec
sys.meta_path[:] = [Within(finder) for finder in sys.meta_path]
import ssl
` + amended, true, "True"},
		{"an import that is lazy", nil, lazy + "decimal = lazy('decimal')\nanswer = str(decimal.Decimal(1))", true, "1"},
		{"an import that is lazy, before another", nil, lazy + "decimal = lazy('decimal')\nimport json\nanswer = str(decimal.Decimal(1))", true, "1"},
		{"an import that a request makes lazily", nil, lazy + `
decimal = lazy('decimal')
class Answer:
    def encode(self): return str(decimal.Decimal(1)).encode()
answer = Answer()`, true, "1"},
		{"a loader", nil, `
import importlib.util, importlib.machinery, copy
loader = importlib.util.find_spec('decimal').loader
answer = str(isinstance(loader, importlib.machinery.SourceFileLoader)) + copy.copy(loader).name`, true, "Truedecimal"},
		{"a path that follows the working directory", map[string]string{"sub/secrets.py": "OWN = 'own'"}, `
import os
sys.path.insert(0, '')
import pprint
os.chdir('/app/sub')
import secrets
answer = secrets.OWN`, true, "own"},
		{"a folder that is made later", nil, `
import importlib, os
sys.path.insert(0, '/tmp/lib')
import pprint
os.mkdir('/tmp/lib')
with open('/tmp/lib/secrets.py', 'w') as f:
    f.write("OWN = 'own'")
importlib.invalidate_caches()
import secrets
answer = secrets.OWN`, true, "own"},
		{"the time that logging began", nil, "import logging, time\nanswer = str(time.time_ns() - logging._startTime < 50e6)", true, "True"},
		{"the environment", nil, "import os\nanswer = f'{os.environ} {os.getenv(\"OWN\")} {sorted(os.environb)}'", true,
			"environ({'HOME': '/data', 'LANG': 'C.UTF-8', 'OWN': '1'}) 1 [b'HOME', b'LANG', b'OWN']"},
		{"sitecustomize", map[string]string{"sitecustomize.py": "import json, sys\nsys.customized = json.dumps(sys.path[0])"},
			"answer = sys.customized", false, `"/app"`},
		{"its files", map[string]string{"text.txt": "text"}, "answer = open('text.txt').read() + open('/app/text.txt').read()", true, "texttext"},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := p.afterImport(t, test.source, test.files)
			_, plain := p.answer(t, spec, nil)
			used, got := p.answer(t, spec, p.spare(t, nil))
			if plain != test.want || got != test.want || used != test.used {
				t.Errorf("%q after a start, %q (used: %v) with a spare interpreter; want %q (used: %v)", plain, got, used, test.want, test.used)
			}
		})
	}
}

// TestSpareIsNotFit has tenants whose start would have come to another state.
func TestSpareIsNotFit(t *testing.T) {
	p := newPython(t)
	for _, test := range []struct {
		name   string
		change func(*Spec)
		used   bool
	}{
		{"another variable", func(s *Spec) { s.Policy.Env = append(s.Policy.Env, "SECRET=1") }, true},
		{"another language", func(s *Spec) { s.Policy.Env[1] = "LANG=de_DE.UTF-8" }, false},
		{"a language less", func(s *Spec) { s.Policy.Env = s.Policy.Env[:1] }, false},
		{"a variable of Python's", func(s *Spec) { s.Policy.Env = append(s.Policy.Env, "PYTHONUNBUFFERED=1") }, false},
		{"a time zone", func(s *Spec) { s.Policy.Env = append(s.Policy.Env, "TZ=Europe/Berlin") }, false},
		{"other mounts", func(s *Spec) { s.Policy.Mounts[0], s.Policy.Mounts[1] = s.Policy.Mounts[1], s.Policy.Mounts[0] }, false},
		{"enough memory", func(s *Spec) { s.MemoryLimit = 128 << 20 }, true},
		{"little memory", func(s *Spec) { s.MemoryLimit = 64 << 20 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := p.afterImport(t, "answer = ''", nil)
			test.change(&spec)
			spare := p.spare(t, nil)
			if used, _ := p.answer(t, spec, spare); used != test.used {
				t.Errorf("used: %v, want %v", used, test.used)
			}
			if left := spare.in.now() == StateBooted; left == test.used {
				t.Errorf("it is left for another one: %v", left)
			}
		})
	}
}

// TestSpareDraws has what is random in two applications, and in two instances of one,
// be so.
func TestSpareDraws(t *testing.T) {
	p := newPython(t)
	seen := map[string]bool{}
	for range 2 {
		spec := p.afterImport(t, "answer = str(hash('x'))", nil)
		used, hash := p.answer(t, spec, p.spare(t, nil))
		spec = p.spec(t, randomApp)
		spare := p.spare(t, nil)
		spec.Policy.Env, spec.Spare = []string{"LANG=C.UTF-8"}, with(spare)
		im := build(t, p.engine, spec)
		if !used || spare.in.spec.Name != "py" {
			t.Error("no spare interpreter was used")
		}
		values := []string{hash}
		for range 2 {
			r := serve(t, restore(t, im), &Request{Environ: get(t, "/")})
			values = append(values, strings.Split(string(r.body), "\n")...)
		}
		for _, v := range values {
			if seen[v] {
				t.Errorf("%s came twice", v)
			}
			seen[v] = true
		}
	}
	if len(seen) != 2*(1+2*5) {
		t.Errorf("%d values were drawn: %v", len(seen), seen)
	}
}

// TestSparePays has each budget pay for the memory as long as it is in its name.
func TestSparePays(t *testing.T) {
	p := newPython(t)
	host := NewBudget(1<<30, nil)
	waiting, tenant := NewBudget(0, host), NewBudget(256<<20, host)
	spare := p.spare(t, waiting)
	if got, want := settled(waiting), spare.in.memory.size+spare.in.books.held; got != want || host.Used() != want {
		t.Errorf("%d bytes are booked, %d with the host, want %d", got, host.Used(), want)
	}
	spec := p.afterImport(t, "answer = ''", nil)
	spec.Budget = tenant
	spec.Spare = with(spare)
	in, err := p.engine.prepare(t.Context(), &spec)
	if err != nil {
		t.Fatal(err)
	}
	if in != spare.in {
		t.Error("the spare interpreter was not used")
	}
	settled(host)
	if got, want := tenant.Used(), in.memory.size+in.books.held; waiting.Used() != 0 || got != want || host.Used() != got {
		t.Errorf("%d bytes are booked, %d with the tenant, %d with the host; want 0, %d, and the same",
			waiting.Used(), got, host.Used(), want)
	}
	closed(t, in.Close())
	if settled(host) != 0 {
		t.Errorf("%d bytes are booked at the end", host.Used())
	}
	// It cannot be had twice.
	if used, _ := p.answer(t, spec, spare); used {
		t.Error("an interpreter became that of two applications")
	}
}

// TestSpareEnds has a start in it that is ended, as one without is.
func TestSpareEnds(t *testing.T) {
	p := newPython(t)
	spec := p.afterImport(t, "while True: pass", nil)
	spec.StartTimeout = 100 * time.Millisecond
	spare := p.spare(t, nil)
	spec.Spare = with(spare)
	_, err := p.engine.Build(t.Context(), spec)
	if spare.in.spec.Name != "py" {
		t.Error("the spare interpreter was not used")
	}
	if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != KindTimeout || e.Tenant != "py" || e.Op != "load" {
		t.Errorf("got %v", err)
	}
}

// TestSpareIsSmall has an application that fits into its memory, and not into what a
// spare interpreter leaves of it.
func TestSpareIsSmall(t *testing.T) {
	p := newPython(t)
	for _, size := range []int{20, 84} {
		spec := p.afterImport(t, fmt.Sprintf("import secrets\nanswer = str(len(bytearray(%d << 20)))", size), nil)
		spec.MemoryLimit = 96 << 20
		if used, answer := p.answer(t, spec, p.spare(t, nil)); answer != strconv.Itoa(size<<20) || used != (size == 20) {
			t.Errorf("%d MiB: %s (used: %v)", size, answer, used)
		}
	}
}

// TestSpareIsTriedOnce has starts that fail in one. Only one that had too little memory
// there is made again, without.
func TestSpareIsTriedOnce(t *testing.T) {
	p := newPython(t)
	const refused = "try:\n    bytearray(200 << 20)\nexcept MemoryError:\n    pass\n"
	for _, test := range []struct {
		name, source string
		starts       int
	}{
		{"too large", "answer = str(len(bytearray(200 << 20)))", 2},
		{"a fault", "raise ValueError", 1},
		{"a fault after a refusal", refused + "raise ValueError", 1},
		{"an error of its own", "raise MemoryError", 1},
		{"the end of the interpreter", refused + "import os; os._exit(3)", 1},
		{"the end of its stack", refused + "import functools\nx = 1\nfor i in range(10**6): x = functools.partial(print, x)\nrepr(x)", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := p.afterImport(t, test.source, nil)
			spec.MemoryLimit, spec.Spare = 128<<20, with(p.spare(t, nil))
			open, starts := spec.Policy.Mounts[2].Open, 0
			spec.Policy.Mounts[2].Open = func() (wasi.FS, error) { starts++; return open() }
			if _, err := p.engine.Build(t.Context(), spec); err == nil || starts != test.starts {
				t.Errorf("%d starts, and %v", starts, err)
			}
		})
	}
}

// TestSpareIsFreed has starts in which it cannot be used: each mount is closed as often
// as it was opened, and nobody pays in the end.
func TestSpareIsFreed(t *testing.T) {
	p := newPython(t)
	for _, test := range []struct {
		name  string
		files map[string]string
		fail  bool // the mount cannot be opened
	}{
		{"shadowed", map[string]string{"secrets.py": ""}, false},
		{"without its files", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := NewBudget(1<<30, nil)
			spare := p.spare(t, NewBudget(0, host))
			spec := p.afterImport(t, "answer = ''", test.files)
			spec.Budget, spec.Spare = NewBudget(0, host), with(spare)
			open, opened, closes := spec.Policy.Mounts[2].Open, 0, 0
			spec.Policy.Mounts[2].Open = func() (wasi.FS, error) {
				if test.fail {
					return nil, errors.New("gone")
				}
				opened++
				return open()
			}
			spec.Policy.Mounts[2].Close = func() error { closes++; return nil }
			in, err := p.engine.prepare(t.Context(), &spec)
			if (err != nil) != test.fail {
				t.Fatalf("got %v", err)
			}
			if spare.in.now() != StateClosed {
				t.Errorf("it is %v", spare.in.now())
			}
			if in != nil {
				closed(t, in.Close())
			}
			if opened != closes || settled(host) != 0 {
				t.Errorf("opened %d times, closed %d times; %d bytes are booked", opened, closes, host.Used())
			}
		})
	}
}
