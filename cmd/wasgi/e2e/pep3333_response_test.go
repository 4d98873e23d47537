package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The lines about what the application answers.

func headersAreStored(p pep) {
	p.get("/start?replaced").code(299).header("X-First").header("X-Both", "second").text("body")
	p.get("/start?zero").code(200).header("X-Way", "zero").header("Content-Length", "0").text("")
	p.get("/start?none").code(200).header("X-Way", "none").header("Content-Length", "0").text("")
	gate := p.gate("flush") // the head comes while the application has no byte yet
	r := p.get("/start?flush&"+gate).code(200).header("X-Way", "flush").header("Content-Length")
	p.open(gate)
	r.text("body")
}

func secondCall(p pep) {
	p.get("/second?taken").code(200).header("X-Evil").text("AssertionError")
	p.get("/second?raised").code(200).header("X-Evil").text("ValueError AssertionError")
}

func excInfo(p pep) {
	from := p.mark()
	r := p.get("/excinfo").code(200).header("X-Evil").next("half")
	if p.proto.chunks() {
		r.breaks("")
	} else {
		r.text("")
	}
	p.logged("raised again True ['application', 'application']", from)
	p.logged("Late: as it was", from)
}

// checks compares what start_response raised for each of the calls.
func (p pep) checks(want string, calls ...string) {
	p.Helper()
	r := p.ask(query{method: "POST", path: "/checks", body: strings.Join(calls, "\n")}).code(299).header("X-Last", "yes")
	got := strings.Fields(r.rest())
	if len(got) != len(calls) {
		p.Fatalf("%d answers to %d calls: %q", len(got), len(calls), got)
	}
	for i, call := range calls {
		if got[i] != want {
			p.Errorf("start_response(%s): %s, want %s", call, got[i], want)
		}
	}
}

func statusAndHeaders(p pep) {
	p.checks("taken", `("200 OK", [])`, `("999 What", [])`, `("200 \xe9t\xe9", [])`, `("200 OK", [("X-A", ""), ("x-a", "\xe9\t\xff")])`)
	p.checks("ValueError", `("200", [])`, `("200  OK", [])`, `(" 200 OK", [])`, `("200 OK ", [])`, `("20 OK", [])`, `("200 O\r\nK", [])`, `("200 \x7f", [])`,
		`("200 \u20ac", [])`, `("103 Early Hints", [])`, `("200 OK", [("X:", "1")])`, `("200 OK", [("", "1")])`, `("200 OK", [("X", "a\r\nb")])`, `("200 OK", [("X", "a\nb")])`,
		`("200 OK", [("X", "\0")])`, `("200 OK", [("X", "\u20ac")])`)
	p.checks("TypeError", `(200, [])`, `(b"200 OK", [])`, `("200 OK", ())`, `("200 OK", {})`, `("200 OK", [["X", "1"]])`, `("200 OK", [("X", 1)])`, `("200 OK", [("X", b"1")])`, `("200 OK", [("X",)])`)
	for _, status := range []string{"299 Custom Reason", "200 Fine", "404 Not  here", "599 X", "201 \xe9t\xe9", "200 " + strings.Repeat("x", 5000)} {
		r := p.get("/reason?"+strings.NewReplacer(" ", "%20", "\xe9", "%E9").Replace(status)).header("Content-Length", "2")
		if code, reason, _ := strings.Cut(status, " "); strconv.Itoa(r.status) != code || r.reason != reason && p.proto.name() < "HTTP/2" {
			p.Errorf("%q came as %d %q", head(status), r.status, head(r.reason))
		}
		r.text("ok")
	}
}

func hopByHop(p pep) {
	var calls []string
	for _, name := range []string{"Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailers", "Trailer", "Transfer-Encoding", "UPGRADE"} {
		calls = append(calls, `("200 OK", [("`+name+`", "x")])`)
	}
	p.checks("AssertionError", calls...)
}

func dateServerCookies(p pep) {
	r := p.get("/cookies").code(200).header("Set-Cookie", "b=1", "a=2", "b=1; Path=/").header("X-A", "1").header("Server", "wasgi").header("Content-Type")
	if dates := r.values("Date"); len(dates) != 1 {
		p.Errorf("Date is %q", dates)
	} else if at, err := http.ParseTime(dates[0]); err != nil || time.Since(at).Abs() > time.Hour {
		p.Errorf("Date is %q: %v", dates[0], err)
	}
	p.get("/cookies?own").code(200).header("Date", "Thu, 01 Jan 1970 00:00:00 GMT").header("Server", "mine/1").header("Content-Type", "text/x-own")
}

// iterationAndClose: nothing is done to the iterable but to iterate and to close
// it, once, whatever happens.
func iterationAndClose(p pep) {
	end, from := p.gate("end"), p.mark()
	p.get("/close?ends&" + end).code(200).text("onetwo")
	p.once("closed ends&"+end+" iter made 3", from)
	bad, from := p.gate("bad"), p.mark()
	p.get("/close?raises&" + bad).code(200).next("one")
	p.once("closed raises&"+bad+" iter made 2", from)
	p.once("RuntimeError: raised by "+bad, from)
	no, from := p.gate("head"), p.mark()
	p.ask(query{method: "HEAD", path: "/close?ends&" + no}).code(200).text("")
	p.once("closed ends&"+no+" iter made 2", from)
}

// clientLeaves: the next piece, with bytes or without, is the last, and close()
// is called, once.
func clientLeaves(p pep) {
	for _, gate := range []string{p.gate("data"), p.gate("empty")} {
		from := p.mark()
		c := p.proto.dial(p.T, p.site)
		c.begin(query{path: "/close?leaves&" + gate}).code(200).next("one")
		c.leave()
		p.open(gate)
		p.once("closed leaves&"+gate+" iter made 2", from)
	}
	from := p.mark() // with nothing to answer yet, and not even a status
	c := p.proto.dial(p.T, p.site)
	gate := p.gate("silent")
	c.ask(query{path: "/silent?" + gate})
	p.logged("waiting for "+gate, from)
	c.leave()
	p.once("silent was closed for "+gate, from)
	if n := p.site.count("request failed", from); n > 1 || n == 1 && p.site.count("client-gone", from) != 1 {
		p.Errorf("the log:\n%s", p.site.server.log.String()[from:])
	}
}

func pieceByPiece(p pep) {
	gate := p.gate("piece")
	r := p.get("/pieces?" + gate).code(200).next("piece 1")
	p.open(gate + "-2")
	r.next("piece 2")
	p.open(gate + "-3")
	r.text("piece 3")
}

func writeCallable(p pep) {
	gate := p.gate("write")
	r := p.get("/writes?" + gate).code(200).next("written 1")
	p.open(gate + "-2")
	r.next("written 2")
	p.open(gate + "-3")
	r.text("returned")
}

// lengthOrChunks: a body that is known as a whole has a length; any other has
// chunks, or the end of the connection.
func lengthOrChunks(p pep) {
	p.get("/length?list").code(200).header("Content-Length", "3").header("Transfer-Encoding").text("one")
	for _, way := range []string{"iterator", "written"} {
		r := p.get("/length?" + way).code(200).header("Content-Length")
		switch p.proto.name() {
		case "HTTP/1.1":
			r.header("Transfer-Encoding", "chunked")
		default:
			r.header("Transfer-Encoding")
		}
		r.text(map[string]string{"iterator": "one", "written": "first second"}[way])
	}
}

func contentLength(p pep) {
	p.tooMuch("counted", "more than the 5 bytes of its Content-Length")
	p.tooMuch("beyond", "ValueError: write() past the 5 bytes of the Content-Length")
	from := p.mark()
	p.get("/length?iterator=4").code(200).header("Content-Length", "4").breaks("one")
	p.logged("sent 3 of the 4 bytes of its Content-Length", from)
	p.get("/length?list=3").code(200).text("one")
}

// tooMuch has an application that goes on behind its Content-Length: the client
// never sees it, and the application is stopped.
func (p pep) tooMuch(way, logged string) {
	p.Helper()
	id, from := way+"=5&"+p.gate(way), p.mark()
	c := p.proto.dial(p.T, p.site)
	c.begin(query{path: "/length?" + id}).code(200).header("Content-Length", "5").text("12121")
	p.logged(logged, from)
	if p.proto.keeps() { // what was too much is nowhere
		c.begin(query{path: "/length?list=3"}).code(200).text("one")
		c.begin(query{path: "/length?list=2"}).code(200).text("on")
	}
	p.once("made piece 3 "+id, from)
	if n := p.site.count("made piece 4 "+id, from); n != 0 {
		p.Errorf("%s: the application went on behind its Content-Length", way)
	}
}

func exceptions(p pep) {
	p.fails("/fails?early", "RuntimeError: failed early")
	from := p.mark()
	p.get("/fails?announced").code(200).header("Content-Length", "8").breaks("half")
	p.logged("RuntimeError: failed announced", from)
	from = p.mark()
	if r := p.get("/fails?late").code(200); p.proto.chunks() {
		r.breaks("half")
	} else {
		r.text("half") // without a length nobody can tell
	}
	p.logged("RuntimeError: failed late", from)
}

func notBytes(p pep) {
	for _, how := range []string{"text", "none", "array"} {
		p.fails("/fails?early&"+how, "TypeError: the response body must be made of bytes")
		from := p.mark()
		p.get("/fails?announced&" + how).code(200).breaks("half")
		p.logged("TypeError: the response body must be made of bytes", from)
	}
}

// noBody: the next response on the connection must be where the client looks
// for it.
func noBody(p pep) {
	for _, q := range []struct{ method, path, length string }{
		{"HEAD", "/nobody?200%20OK&4", "4"},
		{"HEAD", "/nobody?200%20OK", "4"}, // of the one piece that GET has
		{"HEAD", "/nobody/iterator?200%20OK", ""},
		{"HEAD", "/nobody/iterator?200%20OK&4", "4"},
		{"GET", "/nobody?204%20No%20Content", ""},
		{"GET", "/nobody?204%20No%20Content&4", ""},
		{"GET", "/nobody/iterator?204%20No%20Content", ""},
		{"GET", "/nobody?304%20Not%20Modified", ""},
		{"GET", "/nobody?304%20Not%20Modified&4", ""},
		{"HEAD", "/nobody?304%20Not%20Modified&4", ""},
	} {
		c := p.proto.dial(p.T, p.site)
		r := c.begin(query{method: q.method, path: q.path}).header("Transfer-Encoding")
		if q.length == "" {
			r.header("Content-Length").text("")
		} else {
			r.header("Content-Length", q.length).text("")
		}
		if p.proto.keeps() {
			c.begin(query{path: "/length?list"}).code(200).text("one")
		}
	}
	p.fails("/nobody?103%20Early%20Hints", "ValueError: status must be from 200 to 999")
}

// expectContinue: the application reads as ever; who is not told of 100 Continue
// in its protocol does not get one.
func expectContinue(p pep) {
	r := p.ask(query{method: "POST", path: "/input?i.read()", headers: []string{"Expect: 100-continue"}, body: "body"}).code(200)
	if p.proto.name() == "HTTP/1.0" && len(r.interim) > 0 {
		p.Errorf("HTTP/1.0 was answered with %v", r.interim)
	}
	r.text("b'body'\n")
	if h, ok := p.proto.(http20); ok {
		h.waitForContinue(p)
	}
	if p.proto.name() != "HTTP/1.1" {
		return
	}
	c := p.raw() // one that waits for the word
	c.send("POST %s/input?i.read() HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n", p.site.prefix, p.site.host())
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	c.send("body")
	c.answers("POST").status(200).text("b'body'\n")
}

func earlyHints(p pep) {
	r := p.get("/hints?late").code(200).header("X-Last", "yes").header("Link").header("X-Second").header("X-Late").text("ok")
	if p.proto.name() == "HTTP/1.0" {
		if len(r.interim) > 0 {
			p.Errorf("HTTP/1.0 was answered with %v", r.interim)
		}
		return
	}
	if len(r.interim) != 2 || r.interim[0].status != 103 || r.interim[1].status != 103 {
		p.Fatalf("before the response came %v", r.interim)
	}
	first, second := &reply{t: p.T, what: "the first hints", rawHead: r.interim[0]}, &reply{t: p.T, what: "the second hints", rawHead: r.interim[1]}
	first.header("Link", "</a.css>; rel=preload", "</b.js>; rel=preload").header("X-Second")
	second.header("X-Second", "yes").header("Link")
}

func extensions(p pep) {
	p.get("/extensions").code(200).header("X-Inner", "1").header("X-Outer", "2").text(`inner """`)
}

// singleThreaded: while a request waits, another one is served by another
// interpreter.
func singleThreaded(p pep) {
	gate := p.gate("alone")
	r := p.get("/alone?" + gate).code(200).next("waiting")
	p.get("/alone").code(200).text(" 1 running, 1 threads")
	p.open(gate)
	r.text(" 1 running, 1 threads")
}
