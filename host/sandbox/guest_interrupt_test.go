package sandbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/abi"
)

// TestPythonIsAskedToEnd: the exception is raised wherever the application is,
// finally clauses and close() run, and the traceback names the line.
func TestPythonIsAskedToEnd(t *testing.T) {
	p := newPython(t)
	for name, code := range map[string]string{
		"loop":      "while True: pass",
		"swallowed": "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
		"regex":     "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')",
		"power":     "pow(3, 10**9)",
		"product":   "a = 3 ** 10**6\nwhile True: a * a",
		"decimal":   "from decimal import Decimal\nx = Decimal(2)\nwhile True: x.exp()",
		"difflib":   "import difflib; difflib.SequenceMatcher(None, 'ab' * 10**5, 'ba' * 10**5, autojunk=False).ratio()",
		"sleep":     "import time; time.sleep(3600)",
		"select":    "import select; select.select([], [], [], 3600)",
		"generator": "sum(i for i in iter(int, 1))",
		"thread":    "import threading; threading.Event().wait(3600)",
	} {
		t.Run(name, func(t *testing.T) {
			r, e := p.overrun(t, code, time.Hour)
			if !strings.Contains(e.Traceback, "in application") ||
				!strings.HasSuffix(e.Traceback, "wasgi.TimeOver: the host's time limit for this call is used up\n") {
				t.Errorf("traceback %q", e.Traceback)
			}
			if got := r.said(); got != "finally\n" {
				t.Errorf("the finally clause said %q", got)
			}
		})
	}
}

// TestPythonThatCannotBeAskedIsStopped: code that never looks for signals, or
// looks away, ends with its grace.
func TestPythonThatCannotBeAskedIsStopped(t *testing.T) {
	p := newPython(t)
	for name, code := range map[string]string{
		"sort":       "import random; sorted(random.random() for _ in range(10**7))",
		"sum":        "sum(range(10**12))",
		"contains":   "1.5 in range(10**12)",
		"deaf":       "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
		"finally":    "try:\n    while True: pass\nfinally:\n    while True: pass",
		"finaliser":  "class A:\n    def __del__(self):\n        while True: pass\nA()\nwhile True: pass",
		"own signal": "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass",
	} {
		t.Run(name, func(t *testing.T) {
			p.overrun(t, code, 50*time.Millisecond)
		})
	}
}

// overrun serves one request that never ends by itself, with code that runs
// inside try and finally, and 100 ms of time.
func (p *python) overrun(t *testing.T, code string, grace time.Duration) (*recorder, *Error) {
	t.Helper()
	source := "def application(environ, start_response):\n    if environ['PATH_INFO'] == '/warm-up':\n" +
		"        start_response('200 OK', [])\n        return []\n    try:\n        " +
		strings.ReplaceAll(code, "\n", "\n        ") +
		"\n    finally:\n        print('finally', file=environ['wsgi.errors'])\n"
	spec := p.spec(t, source)
	spec.Grace = grace
	in := restore(t, build(t, p.engine, spec))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	started, r := time.Now(), &recorder{}
	e := wantKind(t, in.Serve(ctx, &Request{Environ: get(t, "/")}, r), KindTimeout)
	t.Logf("ended %v after the deadline", time.Since(started)-100*time.Millisecond)
	if in.Usable() {
		t.Error("usable")
	}
	return r, e
}

// said is what the guest wrote to wsgi.errors.
func (r *recorder) said() string {
	var b strings.Builder
	for _, l := range r.logs {
		if l.Level == abi.LogErrors {
			b.WriteString(l.Text)
		}
	}
	return b.String()
}
