package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// attacksOnTime are the rows that try to keep a processor.
func attacksOnTime() []attackRow {
	return []attackRow{
		{id: 1, name: "endless loops", safe: "each gets 504, the next request is answered", run: endlessLoops},
		{id: 2, name: "recursion without loops", safe: "504", run: overruns(
			"def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(60)",
			"def g(n): return (x for x in g(n - 1)) if n else iter(int, 1)\nfor x in g(20): pass")},
		{id: 3, name: "catastrophic regex", safe: "504, raised inside the match", run: overruns(
			"import re; re.match(r'(a+)+$', 'a' * 40 + 'b')")},
		{id: 4, name: "huge numbers", safe: "504; int() and str() keep their limit of digits", run: hugeNumbers},
		{id: 5, name: "one huge operation", safe: "MemoryError, or the memory limit bounds it", run: bulkOperations},
		{id: 6, name: "loops in C", safe: "504", run: overruns(loopsInC()...)},
		{id: 7, name: "keys that collide", safe: "collisions found in one tenant are none in another", run: collidingKeys},
		{id: 8, name: "endless waits", safe: "504 at the deadline, and nobody else waits", run: endlessWaits},
		{id: 9, name: "import that hangs", safe: "the release is refused, the old one serves", run: badImports},
		{id: 10, name: "every slot spins", safe: "probes, neighbours and the collector go on", run: everySlotSpins},
		{id: 11, name: "after the response", safe: "the response is whole, the instance is replaced", run: afterTheResponse},
		{id: 12, name: "compile bombs", safe: "an exception or 504; the host goes on", run: compileBombs},
	}
}

// hasty ends a request after so little time that an attack takes no longer.
const hasty = "[limits]\nrequest_timeout = \"300ms\"\ngrace = \"200ms\"\n"

func endlessLoops(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"100ms\"\n[instances]\nqueue = 200\nqueue_timeout = \"1m\"\n")
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { hostile.attack(g.T, "while True: pass").status(504) })
	}
	all.Wait()
	hostile.logged(g.T, "wasgi.TimeOver", 0) // the traceback is in the tenant's log
	hostile.well(g.T)
	g.note("%d visits next door", g.neighbour.visits())
}

// overruns makes attacks that each must end with 504 and leave the tenant well.
func overruns(codes ...string) func(*siege) {
	return func(g *siege) {
		g.hostile("hostile", hasty)
		hostile := g.serve().site(g.T, "hostile")
		latest := time.Duration(0)
		for _, code := range codes {
			begun := time.Now()
			if a := hostile.attack(g.T, code); a.resp.StatusCode != 504 {
				g.Errorf("%s: status %d", code, a.resp.StatusCode)
			}
			latest = max(latest, time.Since(begun))
			hostile.well(g.T)
		}
		g.note("the slowest end after %s of 500ms allowed", latest.Round(time.Millisecond))
	}
}

func hugeNumbers(g *siege) {
	overruns("pow(7, 10**8)", "10 ** 10 ** 8", "import math; math.factorial(10**7)", "a = 3 ** 10**6\nwhile True: a * a",
		"import sys; sys.set_int_max_str_digits(0); str(3 ** 10**7)")(g)
	h := siteOf(g)
	digits := "try:\n    int('9' * 5000)\nexcept ValueError as e:\n    answer = 'refused'"
	h.attack(g.T, digits).status(200).text("refused")
	h.attack(g.T, strings.Replace(digits, "int('9' * 5000)", "str(10 ** 5000)", 1)).status(200).text("refused")
}

// siteOf is the hostile tenant of a siege that is being served.
func siteOf(g *siege) site { return g.server.site(g.T, "hostile") }

// bulkOperations finds how long one instruction of the guest keeps its
// processor: memory.copy and memory.fill at the memory limit.
func bulkOperations(g *siege) {
	g.hostile("hostile", "[limits]\nmemory = \"512MiB\"\n")
	hostile := g.serve().site(g.T, "hostile")
	for _, code := range []string{"'x' * 2**31", "bytearray(2**31)", "[0] * 2**30", "bytes(2**30)"} {
		hostile.attack(g.T, "try:\n    "+code+"\nexcept (MemoryError, OverflowError):\n    answer = 'refused'").status(200).text("refused")
	}
	a := hostile.attack(g.T, `
import time
b, longest = bytearray(200 << 20), 0
for i in range(5):
    begun = time.perf_counter()
    b[:] = bytes(b) if False else b
    c = bytes(b[:100 << 20])
    longest = max(longest, time.perf_counter() - begun)
    del c
answer = f"{longest * 1000:.0f} ms"
`).status(200)
	g.note("copies of 300 MiB keep a slot for %s", a.body)
	hostile.well(g.T)
}

func loopsInC() []string {
	return []string{
		"import random; sorted([random.random() for _ in range(10**7)])",
		"sum(range(10**12))",
		"-1.5 in range(10**12)",
		"x = [1.5] * 10**6\nwhile True: 2 in x",
		"import json\ntext = '[' + '1,' * 10**6 + '1]'\nwhile True: json.loads(text)",
		"import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)",
		"import hashlib\nwhile True: hashlib.scrypt(b'x', salt=b'y', n=2**14, r=8, p=1)",
		"import hashlib\nb = bytes(50 << 20)\nwhile True: hashlib.sha256(b)",
		"import zlib\nb = bytes(50 << 20)\nwhile True: zlib.compress(b, 9)",
		"import bz2\nb = bytes(20 << 20)\nwhile True: bz2.compress(b)",
		"import lzma\nb = bytes(20 << 20)\nwhile True: lzma.compress(b)",
		"import unicodedata\nwhile True: unicodedata.normalize('NFKD', '\\u1e9b\\u0323' * 10**6)",
		"from decimal import *\ngetcontext().prec = 10**6\nDecimal(2).sqrt().exp()",
		"import difflib; difflib.SequenceMatcher(None, 'ab' * 10**5, 'ba' * 10**5, autojunk=False).ratio()",
		"import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('with recursive r(n) as (select 1 union all select n + 1 from r) select count(*) from r').fetchone()",
		"import itertools; all(itertools.repeat(1))",
		"import collections; collections.deque(iter(int, 1), maxlen=0)",
		"while True: 'a' * 10**7 in 'a' * (10**7 - 1) + 'b' * 10**7",
		"while True: ('a' * 10**7).replace('aa', 'b').count('b')",
		"max(iter(int, 1))",
		"import pickle\nx = list(range(10**6))\nwhile True: pickle.loads(pickle.dumps(x))",
		"import xml.etree.ElementTree as E\ntext = '<a>' + '<b/>' * 10**5 + '</a>'\nwhile True: E.fromstring(text)",
		"import struct, binascii\nb = bytes(20 << 20)\nwhile True: binascii.hexlify(b)",
		"import random\nwhile True: random.randbytes(1 << 24)",
		"import os\nwhile True: os.urandom(1 << 24)",
	}
}

// collidingKeys has one tenant find keys that meet in one place of its dicts and
// another one use them.
func collidingKeys(g *siege) {
	g.hostile("hostile", "")
	g.hostile("victim", "")
	s := g.serve()
	find := "answer = ' '.join([str(i) for i in range(300000) if hash(str(i)) % 4096 == 1][:50])"
	keys := s.site(g.T, "hostile").attack(g.T, find).status(200).body
	meet := "from collections import Counter\nanswer = max(Counter(hash(k) % 4096 for k in '" + keys + "'.split()).values())"
	s.site(g.T, "hostile").attack(g.T, meet).status(200).text("50")
	most, err := strconv.Atoi(s.site(g.T, "victim").attack(g.T, meet).status(200).body)
	if err != nil || most > 5 {
		g.Errorf("%d of 50 keys meet in another tenant, %v", most, err)
	}
}

// endlessWaits: a guest that waits holds no slot, so one of them for each slot
// and more keep nobody from being served.
func endlessWaits(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"1s\"\n[instances]\nmax = 12\nqueue = 20\n")
	hostile := g.serve().site(g.T, "hostile")
	codes := []string{
		"import time; time.sleep(1e9)", "import select; select.select([], [], [], 1e9)",
		"import threading; threading.Event().wait(1e8)", "import asyncio; asyncio.run(asyncio.sleep(1e9))",
	}
	var all sync.WaitGroup
	for i := range 4 * len(codes) {
		all.Go(func() { hostile.attack(g.T, codes[i%len(codes)]).status(504) })
	}
	before := g.neighbour.visits()
	all.Wait()
	if g.neighbour.visits() == before {
		g.Error("the neighbour was not served meanwhile")
	}
	hostile.well(g.T)
}

// badImports replaces a good release by ones that never start.
func badImports(g *siege) {
	limits := "[limits]\nstart_timeout = \"1s\"\ngrace = \"100ms\"\nmemory = \"64MiB\"\n"
	folder := g.hostile("hostile", limits)
	hostile := g.serve("--watch-settle", "10ms").site(g.T, "hostile")
	for text, code := range map[string]string{
		"wasgi.TimeOver":      "while True: pass",
		"MemoryError":         "x = [bytearray(1 << 20) for _ in range(10000)]",
		"deadline has passed": "import time\ntime.sleep(1e9)",
	} {
		from := g.server.log.size()
		write(g.T, folder, "wsgi.py", code+"\ndef application(environ, start_response): pass\n")
		hostile.logged(g.T, text, from)
		hostile.well(g.T)
	}
}

// everySlotSpins keeps all slots busy with four times as many spinning tenants
// as there are cores, while the collector is made to run.
func everySlotSpins(g *siege) {
	tenants := 4 * runtime.NumCPU()
	for i := range tenants {
		g.hostile(fmt.Sprintf("hostile%d", i), "[limits]\nrequest_timeout = \"3s\"\n[instances]\nmax = 2\n")
	}
	env := append(environment(g.world.cache, g.TempDir()), "GODEBUG=gctrace=1")
	admin := adminSocket(g.T)
	s := g.launch(launch{env: env, flags: admin.flags()})
	var all sync.WaitGroup
	for i := range tenants {
		site := s.site(g.T, fmt.Sprintf("hostile%d", i))
		all.Go(func() { site.attack(g.T, "x = [3, 1, 2] * 10**5\nwhile True: sorted(x)").status(504) })
	}
	quiet := make(chan struct{})
	go func() { all.Wait(); close(quiet) }()
	g.collect(s, admin, quiet)
	for i := range tenants {
		s.site(g.T, fmt.Sprintf("hostile%d", i)).well(g.T)
	}
}

// collect makes garbage in the host until quiet, through requests for nothing,
// asks for its health, and notes the longest pause that the collector reported.
func (g *siege) collect(s *server, probes admin, quiet <-chan struct{}) {
	page, asked := s.site(g.T, "neighbour"), 0
	for {
		select {
		case <-quiet:
			g.note("%d probes, longest stop of the world %.2f ms in %d collections", asked, pauses(s), strings.Count(s.log.String(), "\ngc "))
			return
		default:
			if status := probes.ask(g.T, "GET", "/healthz"); status != http.StatusOK {
				g.Errorf("/healthz: status %d", status)
			}
			asked++
			page.browser(g.T).send(http.MethodPost, "/", body("text/plain", strings.Repeat("x", 900<<10))).status(200)
		}
	}
}

// pauses is the longest stop of the world in the log, in milliseconds: the first
// and the last of the three clock times of a line of GODEBUG=gctrace=1.
func pauses(s *server) (longest float64) {
	lines := regexp.MustCompile(`(?m)^gc \d+ @.*: ([0-9.]+)\+[0-9.]+\+([0-9.]+) ms clock`)
	for _, m := range lines.FindAllStringSubmatch(s.log.String(), -1) {
		for _, text := range m[1:] {
			if ms, err := strconv.ParseFloat(text, 64); err == nil {
				longest = max(longest, ms)
			}
		}
	}
	return longest
}

// afterTheResponse hangs when everything has been said.
func afterTheResponse(g *siege) {
	g.hostile("hostile", hasty)
	hostile := g.serve().site(g.T, "hostile")
	hangs := `
class Body:
    def __iter__(self): return iter([b"said"])
    def close(self):
        while True: pass
start_response("200 OK", [("Content-Length", "4")])
response = Body()
`
	leaves := `
class Late:
    def __del__(self):
        while True: pass
start_response("200 OK", [("Content-Length", "4")])
kept["late"] = Late(); kept["loop"] = [Late()]
kept["loop"].append(kept["loop"]); kept.clear()
response = [b"said"]
`
	for _, code := range []string{hangs, leaves} {
		status := hostile.attack(g.T, "kept['mark'] = 1\n"+code).resp.StatusCode
		if status != http.StatusOK && status != http.StatusGatewayTimeout {
			g.Errorf("status %d", status)
		}
		hostile.attack(g.T, "answer = 'mark' in kept").status(200).text("False")
	}
	hostile.attack(g.T, "import atexit\natexit.register(lambda: exec('while True: pass'))").status(200)
	hostile.well(g.T)
}

// compileBombs are sources that make the compiler recurse or allocate.
func compileBombs(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"5s\"\nmemory = \"128MiB\"\n")
	hostile := g.serve().site(g.T, "hostile")
	for name, source := range map[string]string{
		"parentheses": "'(' * 10**6",
		"nested":      "'(' * 150 + ')' * 150 + '+' + '[' * 10**5",
		"minus":       "'-' * 10**6 + '1'",
		"sum":         "'1' + '+1' * 10**6",
		"attributes":  "'a' + '.b' * 10**6",
		"calls":       "'a' + '()' * 10**6",
		"f-string":    "'f\"' + '{a}' * 10**5 + '\"'",
		"nested f":    "'f\"{' * 10**4 + '1' + '}\"' * 10**4",
		"lambda":      "'lambda: ' * 10**5 + '1'",
		"not":         "'not ' * 10**5 + '1'",
		"else":        "'1 if 1 else ' * 10**5 + '1'",
		"power":       "'1' + '**1' * 10**5",
		"constant":    "'(1,) * 10**9' ",
		"folding":     "'\"x\" * 2**31'",
	} {
		status := hostile.attack(g.T, "compile("+source+", 'bomb', 'eval')\nanswer = 'compiled'").resp.StatusCode
		if status != 200 && status != 500 && status != 502 && status != 504 {
			g.Errorf("%s: status %d", name, status)
		}
		hostile.well(g.T)
	}
}
