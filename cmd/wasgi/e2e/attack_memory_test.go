package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// attacksOnMemory are the rows that try to take the host's memory.
func attacksOnMemory() []attackRow {
	return []attackRow{
		{id: 13, name: "endless lists", safe: "MemoryError at the limit of the instance", run: endlessLists},
		{id: 14, name: "everybody wants all memory", safe: "the host stays inside memory_budget", run: everybodyWantsAll},
		{id: 14, name: "everybody writes everywhere", safe: "pages of the snapshot count too", run: everybodyWritesEverywhere},
		{id: 16, name: "deep native stacks at once", safe: "the host stays inside memory_budget", run: deepStacks},
		{id: 17, name: "recursion of every kind", safe: "RecursionError, MemoryError, or 502 for that request alone", run: recursions},
		{id: 18, name: "stack overflow", safe: "502, the next request is answered", run: stackOverflow},
		{id: 19, name: "deep input for decoders", safe: "refused by size; no decoder recurses", run: deepInput},
		{id: 20, name: "huge lengths", safe: "refused before anything is allocated", run: hugeLengths},
		{id: 21, name: "endless response", safe: "streamed; memory stays flat; close() runs when the client leaves", run: endlessResponse},
		{id: 22, name: "huge uploads", safe: "413 before the body is read, or at the limit", run: hugeUploads},
	}
}

// tight is a host with so little memory that an attack on it would be seen, in
// MiB. A worker process takes some 95 of it before it serves anybody.
func (g *siege) tight() int {
	if apartByDefault() {
		return 640 + 110*(len(g.names)+1)
	}
	return 640
}

// serveTight starts the host with memory_budget = tight.
func (g *siege) serveTight(flags ...string) *server {
	g.Helper()
	return g.serve(append([]string{"--memory-budget", fmt.Sprintf("%dMiB", g.tight()), "--slots", "2"}, flags...)...)
}

// within fails when the process has ever been seen above its budget.
func (g *siege) within() {
	g.Helper()
	peak := g.neighbour.mostMemory()
	if peak > g.tight() {
		g.Errorf("the process took %d MiB of %d", peak, g.tight())
	}
	g.note("at most %d of %d MiB", peak, g.tight())
}

func endlessLists(g *siege) {
	g.hostile("hostile", "[limits]\nmemory = \"128MiB\"\n")
	hostile := g.serveTight().site(g.T, "hostile")
	for _, code := range []string{
		"while True: x.append(bytearray(1 << 20))", "while True: x.append([])", "x = [[]] * 2**28",
		"while True: x.append('%030d' % len(x))", "x = {i: str(i) for i in range(10**9)}",
	} {
		hostile.attack(g.T, "x = []\ntry:\n    "+code+"\nexcept MemoryError:\n    del x\n    answer = 'refused'").status(200).text("refused")
		hostile.attack(g.T, "x = []\n"+code).status(500)
		hostile.well(g.T)
	}
	g.within()
}

// everybodyWantsAll has eight tenants grow to their limits at once; together
// they want many times what the host has.
func everybodyWantsAll(g *siege) {
	codes := []string{`
import time
x = []
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        x.append(bytearray(b"x" * (4 << 20)))
    except MemoryError:
        time.sleep(0.01)
`, `
import os, time
end, n = time.monotonic() + 2, 0
while time.monotonic() < end:
    try:
        with open(f"/tmp/{n}", "wb") as f: f.write(b"x" * (1 << 20))
        n += 1
    except OSError:
        time.sleep(0.01)
`}
	crowd(g, codes...)
}

// everybodyWritesEverywhere dirties every page that instances have from their
// snapshots, again and again.
func everybodyWritesEverywhere(g *siege) {
	crowd(g, `
import gc, time
end = time.monotonic() + 2
while time.monotonic() < end:
    hold = [bytes(300) for _ in range(50000)]
    del hold
    gc.unfreeze(); gc.collect(); gc.freeze()
`)
}

// crowd runs the codes in all instances of many tenants at once. What they get
// is an answer of any kind; what counts is that the host stays within its
// memory, and that the neighbour is served.
func crowd(g *siege, codes ...string) {
	g.Helper()
	const tenants, instances = 8, 3
	for i := range tenants {
		g.hostile(fmt.Sprintf("hostile%d", i), fmt.Sprintf("[limits]\nmemory = \"256MiB\"\n[instances]\nmax = %d\n[data]\ntmp = \"64MiB\"\n", instances))
	}
	s := g.serveTight()
	var all sync.WaitGroup
	for i := range tenants * instances {
		site := s.site(g.T, fmt.Sprintf("hostile%d", i%tenants))
		all.Go(func() {
			status := site.attack(g.T, codes[i%len(codes)]).resp.StatusCode
			if status != 200 && status != 500 && status != 503 {
				g.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	g.within()
	for i := range tenants {
		s.site(g.T, fmt.Sprintf("hostile%d", i)).recovers(g.T)
	}
}

// deepStacks makes wazero's stacks as large as they get, and keeps them while
// the guest sleeps.
func deepStacks(g *siege) {
	for i := range 6 {
		g.hostile(fmt.Sprintf("hostile%d", i), "[instances]\nmax = 3\n")
	}
	s := g.serveTight()
	var all sync.WaitGroup
	for i := range 18 {
		site := s.site(g.T, fmt.Sprintf("hostile%d", i%6))
		all.Go(func() {
			site.attack(g.T, `
import time
class Deep:
    def __getattr__(self, name): return getattr(self, name + "x")
end = time.monotonic() + 2
while time.monotonic() < end:
    try: Deep().x
    except RecursionError: pass
    time.sleep(0.02)
`)
		})
	}
	all.Wait()
	g.within()
}

// nest builds something nested very deep in x.
const nest = "x = %s\nfor i in range(3 * 10**5): x = %s\n"

func recursions(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"10s\"\nmemory = \"96MiB\"\n")
	hostile := g.serve().site(g.T, "hostile")
	limit := "import sys; sys.setrecursionlimit(10**9)\n"
	for name, code := range map[string]string{
		"function":    limit + "def f(): return f()\nf()",
		"through C":   limit + "def f(x): return max([x], key=f)\nf(1)",
		"__getattr__": limit + "class A:\n    def __getattr__(self, n): return getattr(self, n)\nA().x",
		"__str__":     limit + "class A:\n    def __str__(self): return str(self)\nstr(A())",
		"generator":   limit + "def g(): yield from g()\nnext(g())",
		"repr":        fmt.Sprintf(nest, "[]", "[x]") + "repr(x)",
		"compare":     fmt.Sprintf(nest, "[]", "[x]") + fmt.Sprintf(strings.ReplaceAll(nest, "x", "y"), "[]", "[y]") + "x == y",
		"hash":        fmt.Sprintf(nest, "()", "(x,)") + "hash(x)",
		"free":        fmt.Sprintf(nest, "()", "(x,)") + "del x",
		"iterators":   fmt.Sprintf(nest, "iter([1])", "map(int, x)") + "next(x)",
		"json loads":  "import json; json.loads('[' * 10**6)",
		"json dumps":  "import json\n" + fmt.Sprintf(nest, "[]", "[x]") + "json.dumps(x)",
		"pickle":      "import pickle\n" + fmt.Sprintf(nest, "[]", "[x]") + "pickle.dumps(x)",
		"unpickle":    "import pickle; pickle.loads(b'(' * 10**6 + b't' * 10**6 + b'.')",
		"marshal":     "import marshal; marshal.loads(b'[\\x01\\x00\\x00\\x00' * 10**6)",
		"deepcopy":    limit + "import copy\n" + fmt.Sprintf(nest, "[]", "[x]") + "copy.deepcopy(x)",
		"ast":         "import ast; ast.literal_eval('[' * 10**5)",
		"ast node":    "import ast\nx = ast.Constant(1)\nfor i in range(10**5): x = ast.UnaryOp(ast.Not(), x)\ncompile(ast.Expression(ast.fix_missing_locations(x)), 'x', 'eval')",
		"regex":       "import re; re.compile('(' * 5000 + ')' * 5000)",
		"xml":         "import xml.etree.ElementTree as E; E.fromstring('<a>' * 10**6)",
		"expat":       "import xml.parsers.expat as e; e.ParserCreate().Parse('<a>' * 10**6)",
		"sqlite":      "import sqlite3; sqlite3.connect(':memory:').execute('select ' + '(' * 10**5)",
		"class":       "x = object\nfor i in range(10**4): x = type('A', (x,), {})",
		"isinstance":  fmt.Sprintf(nest, "()", "(x,)") + "isinstance(1, x)",
		"exceptions":  "x = None\nfor i in range(10**5):\n    e = ValueError(); e.__context__ = x; x = e\nraise x",
		"groups":      "x = ValueError()\nfor i in range(10**5): x = ExceptionGroup('a', [x])\nraise x",
	} {
		status := hostile.attack(g.T, code).resp.StatusCode
		if status != 200 && status != 500 && status != 502 && status != 504 {
			g.Errorf("%s: status %d", name, status)
		}
		hostile.well(g.T)
	}
}

func stackOverflow(g *siege) {
	g.hostile("hostile", "")
	hostile := g.serve().site(g.T, "hostile")
	for range 5 {
		hostile.attack(g.T, "kept['mark'] = 1\n"+fmt.Sprintf(nest, "iter([1])", "map(int, x)")+"next(x)").status(502)
		hostile.attack(g.T, "answer = 'mark' in kept").status(200).text("False")
	}
}

// deepInput hands the host what a recursive decoder would drown in.
func deepInput(g *siege) {
	g.hostile("hostile", "")
	hostile := g.serve().site(g.T, "hostile")
	for _, code := range []string{
		"import os\ntry: os.stat('/tmp/' + 'a/' * 10**6)\nexcept OSError as e: answer = e.errno > 0",
		"import os\nos.chdir('/tmp')\ntry:\n    for i in range(1, 1000): os.mkdir('a/' * i)\nexcept OSError as e: answer = e.errno > 0",
	} {
		hostile.attack(g.T, code).status(200).text("True")
	}
	hostile.attack(g.T, "start_response('200 OK', [('X-' + str(i), '[' * 100) for i in range(10**4)])\nresponse = []").status(500)
	hostile.well(g.T)
}

func hugeLengths(g *siege) {
	g.hostile("hostile", "[limits]\nmemory = \"256MiB\"\n")
	hostile := g.serveTight().site(g.T, "hostile")
	// In this order one more request used to find the tenant's memory so full that it
	// was ended for what it wrote to.
	for _, attack := range []struct {
		code string
		want int
	}{
		{"start_response('200 OK', [('X-Long', 'x' * (100 << 20))])\nresponse = []", 500},
		{"start_response('200 OK', [('X', 'y')] * 10**6)\nresponse = []", 500},
		{"import os; os.listdir('/tmp/' + 'x' * (64 << 20))", 500},
		{"import os; os.urandom(2**31 - 1)", 500},
		{"start_response('200 ' + 'x' * (50 << 20), [])\nresponse = []", 500},
		{"open('/tmp/x', 'wb').truncate(2**40)", 500},
		{"environ['wsgi.errors'].write('x' * (20 << 20))", 200},
		{"environ['wsgi.input'].read(2**31 - 1)", 200},
		{"open('/tmp/x', 'wb').seek(2**62)", 200},
		{"import select; select.select(range(3), [], [], 0)", 200},
	} {
		if status := hostile.attack(g.T, attack.code).resp.StatusCode; status != attack.want {
			g.Errorf("%s: status %d, want %d", attack.code, status, attack.want)
		}
		hostile.well(g.T)
	}
	g.within()
}

func endlessResponse(g *siege) {
	g.hostile("hostile", "[instances]\nmax = 1\n")
	hostile := g.serveTight().site(g.T, "hostile")
	code := `
def endless():
    piece = b"x" * (256 << 10)
    try:
        while True: yield piece
    finally:
        print("closed", file=environ["wsgi.errors"])
start_response("200 OK", [])
response = endless()
`
	b := hostile.browser(g.T)
	resp, err := b.client.Do(b.request("POST", "/", body("", code)))
	if err != nil {
		g.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, 512<<20); err != nil {
		g.Errorf("after 512 MiB: %v", err)
	}
	resp.Body.Close()
	hostile.logged(g.T, "closed", 0)
	hostile.well(g.T)
	g.within()
}

func hugeUploads(g *siege) {
	g.hostile("hostile", "[limits]\nbody_size = \"8MiB\"\n")
	hostile := g.serveTight().site(g.T, "hostile")
	b := hostile.browser(g.T)
	announced := func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(io.LimitReader(zeroes{}, 10<<30)), 10<<30
		r.Header.Set("Expect", "100-continue")
	}
	b.send("POST", "/", announced).status(413)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			chunked := func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(zeroes{}), -1 }
			b := hostile.browser(g.T)
			resp, err := b.client.Do(b.request("POST", "/", chunked))
			if err != nil { // the connection was closed before the answer was read
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 413 {
				g.Errorf("an endless body: status %d", resp.StatusCode)
			}
		})
	}
	all.Wait()
	hostile.well(g.T)
	g.within()
}
