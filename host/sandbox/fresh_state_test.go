package sandbox

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/abi"
)

// freshApp changes everything that Python keeps for longer than a request, and
// shows it.
const freshApp = `
import atexit, builtins, codecs, contextvars, decimal, gc, json, locale, logging, os, random, signal, socket, sys
import tempfile, threading, time, warnings

var = contextvars.ContextVar("var")
local = threading.local()
kept = []
held = None

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    if environ["PATH_INFO"] == "/poison":
        poison(environ["wsgi.input"].read().decode(), environ)
        return []
    return [dump(show()).encode()]

dump = json.dumps

def poison(canary, environ):
    global held
    kept.append([canary * 100, environ])
    builtins.canary = canary
    os.environ["CANARY"] = os.environ["TZ"] = canary
    os.chdir("/tmp")
    with open("/tmp/canary", "w") as f:
        f.write(canary)
    held = open("/tmp/held", "w")
    held.write(canary)
    os.utime("/tmp", (1, 1))
    tempfile.tempdir = "/tmp/" + canary
    warnings.simplefilter("error")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(123)
    sys.set_int_max_str_digits(0)
    sys.setswitchinterval(3)
    sys.settrace(lambda *a: None)
    sys.setprofile(lambda *a: None)
    sys.excepthook = print
    sys.argv.append(canary)
    sys.modules["canary"] = sys
    sys.path.insert(0, canary)
    sys.stdout = sys.stderr
    sys.intern(canary + "interned")
    sys.flags.__class__
    atexit.register(print, canary)
    codecs.register(lambda name: (_ for _ in ()).throw(LookupError(canary)))
    decimal.getcontext().prec = 3
    decimal.DefaultContext.prec = 4
    gc.disable()
    gc.set_threshold(1, 2, 3)
    gc.garbage.append(canary)
    random.seed(1)
    var.set(canary)
    local.x = canary
    logging.getLogger().setLevel(5)
    logging.getLogger(canary).addHandler(logging.NullHandler())
    logging.disable(50)
    socket.setdefaulttimeout(3)
    json.dumps = lambda x: canary
    builtins.__import__ = lambda *a: 1 / 0
    print("".join(kept[0][0]), file=sys.__stderr__)

def show():
    drawn = random.getstate() == random.Random(1).getstate()
    number = os.open("/tmp/number", os.O_CREAT | os.O_RDWR)
    os.close(number)
    os.unlink("/tmp/number")
    return {
        "globals": len(kept), "held": held is None, "builtins": hasattr(builtins, "canary"),
        "environ": dict(os.environ), "cwd": os.getcwd(), "files": sorted(os.listdir("/tmp")),
        "times of /tmp": os.stat("/tmp").st_atime == 1, "descriptor": number, "tempdir": tempfile.tempdir,
        "filters": repr(warnings.filters), "signal": repr(signal.getsignal(signal.SIGINT)),
        "recursion": sys.getrecursionlimit(), "digits": sys.get_int_max_str_digits(), "switch": sys.getswitchinterval(),
        "trace": sys.gettrace() is None, "profile": sys.getprofile() is None, "excepthook": repr(sys.excepthook), "argv": sys.argv,
        "modules": sorted(sys.modules), "path": sys.path, "stdout": sys.stdout is sys.__stdout__, "atexit": atexit._ncallbacks(),
        "decimal": [decimal.getcontext().prec, decimal.DefaultContext.prec], "gc": [gc.isenabled(), gc.get_threshold(), len(gc.garbage)],
        "random": drawn, "var": var.get(None), "local": hasattr(local, "x"),
        "logging": [logging.getLogger().level, sorted(logging.Logger.manager.loggerDict), logging.Logger.manager.disable],
        "timeout": socket.getdefaulttimeout(), "json": json.dumps is dump, "import": repr(builtins.__import__),
        "codec": codec(),
    }

def codec():
    try:
        codecs.lookup("no such codec")
    except LookupError as e:
        return str(e)
`

// TestFreshShowsNothing: a request that changed everything leaves nothing to
// the next one. That each change is one is seen without the reset.
func TestFreshShowsNothing(t *testing.T) {
	p := newPython(t)
	p.engine.verify = true
	defer func() { p.engine.verify = false }()
	in := restore(t, build(t, p.engine, p.spec(t, freshApp)))
	canary := strings.Repeat("canary of request n ", 3)
	show := func() map[string]any {
		t.Helper()
		var state map[string]any
		must(t, json.Unmarshal(serve(t, in, &Request{Environ: get(t, "/")}).body, &state))
		return state
	}
	reset(t, in)
	before := show()
	for range 3 {
		serve(t, in, &Request{Environ: post(t, "/poison", len(canary)), Body: strings.NewReader(canary)})
		for _, key := range slices.Sorted(maps.Keys(before)) {
			if poisoned := show(); cmp.Equal(before[key], poisoned[key]) {
				t.Errorf("%s was not changed: the test shows nothing", key)
			}
		}
		reset(t, in)
		wantNoCanary(t, in, canary)
		if diff := cmp.Diff(before, show()); diff != "" {
			t.Fatalf("the request after it sees (-before +after):\n%s", diff)
		}
	}
}

// wantNoCanary looks through all of the guest's memory, as the text lies in
// bytes and in strings of Python with two and four bytes a character.
func wantNoCanary(t *testing.T, in *Instance, canary string) {
	t.Helper()
	memory := in.memory.base[:in.memory.size]
	for width := 1; width <= 4; width *= 2 {
		var pattern []byte
		for i := range len(canary) {
			pattern = append(pattern, canary[i])
			pattern = append(pattern, make([]byte, width-1)...)
		}
		if at := bytes.Index(memory, pattern); at >= 0 {
			t.Errorf("the canary is at %#x of %#x, with %d bytes a character", at, len(memory), width)
		}
	}
}

// post is the environ of a POST request with a body of size bytes.
func post(t testing.TB, path string, size int) []byte {
	t.Helper()
	pairs, err := abi.DecodeEnviron(get(t, path))
	if err != nil {
		t.Fatal(err)
	}
	var e abi.Environ
	for _, p := range pairs {
		switch p.Key {
		case "REQUEST_METHOD":
			p.Value = "POST"
		case "CONTENT_LENGTH":
			p.Value = strconv.Itoa(size)
		}
		e.Add(abi.KeyNumbers(), p.Key, p.Value)
	}
	b, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

// collisionApp answers with the keys that meet most often in one of 4096 places
// of a dict, or says how many of those that it is sent do.
const collisionApp = `
import collections, sys

def application(environ, start_response):
    start_response("200 OK", [("X-Algorithm", sys.hash_info.algorithm)])
    keys = environ["wsgi.input"].read().decode().split()
    places = collections.defaultdict(list)
    for k in keys or map(str, range(100000)):
        places[hash(k) & 0xfff].append(k)
    worst = max(places.values(), key=len)
    return [(str(len(worst)) if keys else " ".join(worst)).encode()]
`

// TestCollisionsDoNotTravel: keys that meet in one place of a dict under the
// seed of one tenant are spread under another's. Instances of one image share
// the seed, because it cannot be changed any more.
func TestCollisionsDoNotTravel(t *testing.T) {
	p := newPython(t)
	a, b := build(t, p.engine, p.spec(t, collisionApp)), build(t, p.engine, p.spec(t, collisionApp))
	found := serve(t, restore(t, a), &Request{Environ: get(t, "/")})
	keys := string(found.body)
	count := func(im *Image) (n int) {
		t.Helper()
		body := serve(t, restore(t, im), &Request{Environ: post(t, "/", len(keys)), Body: strings.NewReader(keys)}).body
		must(t, json.Unmarshal(body, &n))
		return n
	}
	all := len(strings.Fields(keys))
	same, other := count(a), count(b)
	t.Logf("of %d keys that meet, %d do in another instance and %d in another tenant", all, same, other)
	if got := found.heads[0].Headers[0].Value; got != "siphash13" {
		t.Errorf("the guest hashes with %s, whose collisions travel", got)
	}
	if all < 40 || same != all || other > 5 {
		t.Error("collisions of one tenant are collisions of another")
	}
}
