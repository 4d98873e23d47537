package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// attacksOnResponses are the rows in which an application answers what no server
// should send.
func attacksOnResponses() []attackRow {
	return []attackRow{
		{id: 35, name: "header injection", safe: "start_response raises; 500 without a byte of it", run: headerInjection},
		{id: 36, name: "bad status lines", safe: "start_response raises; no body where none may be", run: badStatus},
		{id: 37, name: "hop-by-hop headers and wrong lengths", safe: "refused, cut, or the connection ends", run: wrongLengths},
		{id: 38, name: "huge response headers", safe: "500", run: hugeResponseHeaders},
		{id: 39, name: "calls out of order", safe: "as PEP 3333 says; a broken body is never ended", run: outOfOrder},
		{id: 42, name: "tracebacks to clients", safe: "a request id and nothing else", run: tracebacks},
	}
}

// inBoth makes an attack on a tenant that is reused, and on one that is fresh for
// each request.
func inBoth(g *siege, attack func(g *siege, s site)) {
	g.hostile("reuse", "isolation = \"reuse\"\n")
	g.hostile("fresh", "isolation = \"fresh\"\n")
	s := g.serve()
	for _, tenant := range []string{"reuse", "fresh"} {
		attack(g, s.site(g.T, tenant))
		s.site(g.T, tenant).well(g.T)
	}
}

// starts tries one call of start_response after the other and answers with what
// each one raised. exc_info allows another call after one that failed.
const starts = `
import sys
try: raise LookupError
except LookupError: info = sys.exc_info()
out = []
for call in CALLS:
    try: start_response(*call, info)
    except Exception as e: out.append(type(e).__name__)
    else: out.append("accepted %a" % (call,))
start_response("200 OK", [("X-Last", "yes")], info)
response = ["\n".join(out).encode()]
`

// tries makes start_response calls and compares what each raises.
func tries(g *siege, s site, calls []string, want string) {
	g.Helper()
	a := s.attack(g.T, "CALLS = ["+strings.Join(calls, ", ")+"]\n"+starts).status(200).header("X-Last", "yes").header("X-Evil")
	got := strings.Split(a.body, "\n")
	if len(got) != len(calls) {
		g.Fatalf("%d answers to %d calls: %q", len(got), len(calls), a.body)
	}
	for i, call := range calls {
		if got[i] != want {
			g.Errorf("%s: start_response(%s): %s, want %s", s.tenant, call, got[i], want)
		}
	}
}

func headerInjection(g *siege) {
	inBoth(g, func(g *siege, s site) {
		var values, names, kinds []string
		for _, v := range []string{`"a\r\nX-Evil: 1"`, `"a\nX-Evil: 1"`, `"a\rX-Evil: 1"`, `"a\r\n X-Evil: 1"`, `"\x00"`, `"\x0b"`, `"\x1b[31m"`, `"\x7f"`, `"a\r\n\r\n<html>"`} {
			values = append(values, `("200 OK", [("X-A", `+v+`)])`)
		}
		for _, n := range []string{`""`, `"X Evil"`, `"X-Evil "`, `" X-Evil"`, `"X-Evil:"`, `"X\r\nX-Evil"`, `"X\x00"`, `"(X)"`, `"X\xe9"`, `"X/"`, `"\t"`} {
			names = append(names, `("200 OK", [(`+n+`, "1")])`)
		}
		for _, h := range []string{`[("X-A", 1)]`, `[("X-A", b"1")]`, `[("X-A", None)]`, `[(1, "1")]`, `[(b"X-A", "1")]`, `[("X-A",)]`, `[("X-A", "1", "2")]`, `["X-A"]`, `[["X-A", "1"]]`, `(("X-A", "1"),)`, `{"X-A": "1"}`, `None`, `"X-A: 1"`, `iter([])`} {
			kinds = append(kinds, `("200 OK", `+h+`)`)
		}
		tries(g, s, values, "ValueError")
		tries(g, s, names, "ValueError")
		tries(g, s, kinds, "TypeError")
		tries(g, s, []string{`("200 OK", [("X-A", "\u20ac")])`, `("200 OK", [("X-\u20ac", "1")])`, `("200 \u20ac", [])`, `("\u0662\u0660\u0660 OK", [])`}, "ValueError")
		for _, uncaught := range []string{`("X-A", "a\r\nX-Evil: 1")`, `("X Evil", "1")`, `("X-A", "\u20ac")`, `("X-A", 1)`} {
			s.attack(g.T, "start_response('200 OK', [('X-Other', '1'), "+uncaught+"])").status(500).header("X-Evil").header("X-Other").lacks("Evil")
		}
	})
}

func badStatus(g *siege) {
	inBoth(g, func(g *siege, s site) {
		var values, kinds []string
		for _, v := range []string{"200", "", "abc", "999999 X", "99 X", "099 X", "1000 X", "20 OK", "-20 OK", "+20 OK", "2 0 OK", "0x200 OK", "200OK", "200\\tOK", " 200 OK", "200  OK", "200 OK ",
			"200 OK\\r\\nX-Evil: 1", "200 OK\\n", "200 O\\x00K", "200 \\x0b", "100 Continue", "101 Switching Protocols", "102 Processing", "103 Early Hints", "199 X", "000 X"} {
			values = append(values, `("`+v+`", [])`)
		}
		for _, v := range []string{"200", "99", "None", "b'200 OK'", "200.0", "('200 OK',)"} {
			kinds = append(kinds, `(`+v+`, [])`)
		}
		tries(g, s, values, "ValueError")
		tries(g, s, kinds, "TypeError")
		s.attack(g.T, "start_response('101 Switching Protocols', [])").status(500)
		bodyless(g, s)
	})
}

// bodyless gives a body where HTTP has no place for one: the next answer on the
// connection must be the next answer.
func bodyless(g *siege, s site) {
	c := dial(g.T, s)
	for _, status := range []string{"204 No Content", "304 Not Modified"} {
		for _, response := range []string{"[b'evil']", "(b'evil' for _ in range(3))", "[b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n']"} {
			code := "start_response('" + status + "', []); response = " + response
			c.send("POST %s/ HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.prefix, s.host(), len(code), code)
			if a := c.answers(http.MethodPost).text("").header("Transfer-Encoding"); !strings.HasPrefix(status, fmt.Sprint(a.resp.StatusCode)) {
				g.Errorf("%s came as %d", status, a.resp.StatusCode)
			}
		}
	}
	c.send("HEAD %s/ HTTP/1.1\r\nHost: %s\r\n\r\n", s.prefix, s.host())
	c.answers(http.MethodHead).status(200).text("")
	c.send("GET %s/ HTTP/1.1\r\nHost: %s\r\n\r\n", s.prefix, s.host())
	c.answers(http.MethodGet).status(200).text("well\n")
}

func wrongLengths(g *siege) {
	inBoth(g, func(g *siege, s site) {
		var hop, length []string
		for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Trailers", "Transfer-Encoding", "transfer-ENCODING", "Upgrade"} {
			hop = append(hop, `("200 OK", [("`+name+`", "x")])`)
		}
		for _, v := range []string{"-1", "+1", "0x1", "1 ", " 1", "1,1", "", "abc", "1.0", "9223372036854775808", "99999999999999999999"} {
			length = append(length, `("200 OK", [("Content-Length", "`+v+`")])`)
		}
		length = append(length, `("200 OK", [("Content-Length", "1"), ("content-length", "2")])`)
		tries(g, s, hop, "AssertionError")
		tries(g, s, length, "ValueError")
		announced := func(n int, response string) string {
			return fmt.Sprintf("start_response('200 OK', [('Content-Length', '%d')]); response = %s", n, response)
		}
		// Too long: cut where it said, and the connection is in step.
		c := dial(g.T, s)
		for _, response := range []string{"[b'12345']", "[b'12', b'345']", "(b'12' for _ in range(10 ** 9))"} {
			code := announced(3, response)
			c.send("POST %s/ HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.prefix, s.host(), len(code), code)
			if a := c.answers(http.MethodPost).status(200).length(3); a.body != "123" && a.body != "121" {
				g.Errorf("%s: %q", response, a.body)
			}
		}
		// Too short: an error before anything was sent, the end of the connection after.
		cut(g, s, announced(10, "[b'123']"), "123")
		s.attack(g.T, announced(10, "[]")).status(500)
		cut(g, s, announced(1<<20, "iter([b'12', b'3'])"), "123")
	})
}

// cut asks for a response that breaks off: the client must see that, and the
// connection must not be used again.
func cut(g *siege, s site, code, sent string) {
	g.Helper()
	c := dial(g.T, s)
	c.send("POST %[1]s/ HTTP/1.1\r\nHost: %[2]s\r\nContent-Length: %[3]d\r\n\r\n%[4]sGET %[1]s/ HTTP/1.1\r\nHost: %[2]s\r\n\r\n", s.prefix, s.host(), len(code), code)
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		g.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil || string(text) != sent {
		g.Errorf("%s: %q arrived and then %v, want %q and no end", s.tenant, text, err, sent)
	}
	if rest, _ := io.ReadAll(c.in); len(rest) > 0 {
		g.Errorf("%s: behind the broken response came %q", s.tenant, rest)
	}
}

func hugeResponseHeaders(g *siege) {
	inBoth(g, func(g *siege, s site) {
		for _, headers := range []string{
			"[('X-A', 'a')] * 10 ** 6", "[('X-%d' % n, 'a') for n in range(10 ** 5)]", "[('X-A', 'a' * (100 << 20))]", "[('X' * (1 << 20), 'a')]",
			"[('Set-Cookie', 'a' * 4000)] * 1000",
		} {
			s.attack(g.T, "start_response('200 OK', "+headers+"); response = [b'ok']").status(500).header("X-A").header("Set-Cookie")
		}
		s.attack(g.T, "start_response('200 ' + 'a' * (10 << 20), []); response = [b'ok']").status(500)
	})
}

func outOfOrder(g *siege) {
	inBoth(g, func(g *siege, s site) {
		for _, broken := range []string{
			"response = [b'never started']",
			"response = iter([])",
			"start_response('200 OK', []); start_response('200 OK', []); response = [b'twice']",
			"start_response('200 OK', []); response = None",
			"start_response('200 OK', []); response = 5",
			"start_response('200 OK', []); response = ['text']",
			"start_response('200 OK', []); response = [None]",
			"start_response('200 OK', []); response = (1 / 0 for _ in range(1))",
			"start_response(); response = []",
			"start_response('200 OK', [], (1, 2, 3, 4)); response = []",
			"start_response('200 OK', [])('text'); response = []",
			"def early():\n  yield b'before'\n  start_response('200 OK', [])\nresponse = early()",
		} {
			if a := s.attack(g.T, broken); a.resp.StatusCode != 500 {
				g.Errorf("%s: %q answered %d %q", s.tenant, broken, a.resp.StatusCode, a.body)
			}
		}
		for _, fine := range []string{
			"w = start_response('200 OK', []); w(b'o'); response = iter([b'k'])",
			"def late():\n  start_response('200 OK', [])\n  yield b''\n  yield b'ok'\nresponse = late()",
			"class C:\n  def __iter__(self): return iter([b'ok'])\nstart_response('200 OK', []); response = C()",
			"class C(list):\n  def close(self): raise RuntimeError\nstart_response('200 OK', []); response = C([b'ok'])",
			"class C(list):\n  close = 5\nstart_response('200 OK', []); response = C([b'ok'])",
			"import sys\nstart_response('404 X', [('X-Evil', '1')])\ntry: 1 / 0\nexcept ZeroDivisionError: start_response('200 OK', [], sys.exc_info())\nresponse = [b'ok']",
		} {
			if a := s.attack(g.T, fine).header("X-Evil"); a.resp.StatusCode != 200 || a.body != "ok" {
				g.Errorf("%s: %q answered %d %q", s.tenant, fine, a.resp.StatusCode, a.body)
			}
		}
		const middle = "start_response('200 OK', [])\ndef body():\n  yield b'half'\n  "
		for _, end := range []string{
			"raise RuntimeError", "yield 'text'", "raise SystemExit", "import os; os._exit(0)", "start_response('500 X', [])\n  yield b'x'",
			"import sys\n  try: 1 / 0\n  except ZeroDivisionError: start_response('500 X', [('X-Evil', '1')], sys.exc_info())\n  yield b'x'",
		} {
			cut(g, s, middle+end+"\nresponse = body()", "half")
		}
	})
}

func tracebacks(g *siege) {
	inBoth(g, func(g *siege, s site) {
		for _, code := range []string{
			"raise RuntimeError('s3cret')", "s3cret = 1; s3cret()", "import s3cret", "s3cret s3cret", "open('/app/s3cret')", "raise type('s3cret', (Exception,), {})('s3cret')",
			"start_response('200 OK', [('s3cret', 's3cret\\n')])", "start_response('200 OK', []); response = ['s3cret']", "import os; os._exit('s3cret' == '')",
			"raise ExceptionGroup('s3cret', [ValueError('s3cret')])", "class E(Exception):\n  def __str__(self): raise RuntimeError('s3cret')\nraise E",
		} {
			for _, accept := range []string{"*/*", "text/html", "application/json"} {
				a := s.browser(g.T).send(http.MethodPost, "/", body("", code), header("Accept", accept)).lacks("s3cret", "Traceback", "attack.py", "wsgi.py", "File ", "Error:")
				if id := a.resp.Header.Get("X-Request-Id"); a.resp.StatusCode < 500 || id == "" || !strings.Contains(a.body, id) {
					g.Errorf("%s: %q answered %d %q", s.tenant, code, a.resp.StatusCode, a.body)
				}
			}
		}
	})
}
