package console

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console/history"
)

func none(t *testing.T, f *fake) {
	t.Helper()
	if got := f.called(); len(got) > 0 {
		t.Errorf("the host was asked for %q", got)
	}
}

func TestGuard(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, hostToken)
	for _, path := range []string{"/console/tenants/..%2f..%2fetc", "/console/tenants/Shop", "/console/tenants/shop%00", "/console/tenants/..%2f..%2fetc/log"} {
		c.get(path).is(404)
	}
	for _, path := range []string{"/console/", "/console/login", "/console/tenants/none", "/console/assets/none"} {
		h := c.get(path).header
		if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", path, h)
		}
	}
	for _, word := range []string{"unsafe", "data:", "*", "http:"} {
		if strings.Contains(policy, word) {
			t.Errorf("the policy has %q", word)
		}
	}
	r := c.request("GET", "/console/", nil)
	r.Host = "evil.example:8001"
	c.do(r).is(421).has("api_hosts")
	for _, c2 := range []struct {
		name, value string
		status      int
	}{
		{"Origin", "", 403}, {"Origin", "null", 403}, {"Origin", "http://evil.example", 403}, {"Origin", "http://127.0.0.1:1", 403},
		{"Origin", "ftp://" + strings.TrimPrefix(s.URL, "http://"), 403}, {"Sec-Fetch-Site", "same-site", 403}, {"Sec-Fetch-Site", "cross-site", 403}, {"Origin", s.URL, 303},
	} {
		r := c.form("/console/tenants/shop/stop", "revision", "7")
		if r.Header.Set(c2.name, c2.value); c2.value == "" {
			r.Header.Del(c2.name)
		}
		c.do(r).is(c2.status)
	}
	if got := f.called(); !slices.Equal(got, []string{"stop shop at 7"}) {
		t.Errorf("%q", got)
	}
	for _, c2 := range []struct {
		site, mode, dest string
		status           int
	}{
		{"cross-site", "navigate", "document", 200}, {"same-site", "navigate", "document", 200}, {"none", "navigate", "document", 200}, {"same-origin", "cors", "empty", 200},
		{"same-site", "no-cors", "script", 403}, {"cross-site", "navigate", "iframe", 403}, {"same-site", "cors", "empty", 403},
	} {
		r := c.request("GET", "/console/", nil)
		r.Header.Set("Sec-Fetch-Site", c2.site)
		r.Header.Set("Sec-Fetch-Mode", c2.mode)
		r.Header.Set("Sec-Fetch-Dest", c2.dest)
		c.do(r).is(c2.status)
	}
}

func TestLogin(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := anonymous(t, s)
	c.get("/console/").is(303).leads("/console/login")
	c.get("/console/tenants/shop?past=3h").is(303).leads("/console/login?then=%2Fconsole%2Ftenants%2Fshop%3Fpast%3D3h")
	c.post("/console/login", "token", hostToken).is(403) // no page was ever shown
	c.secret = strings.Repeat("0", 64)
	c.post("/console/login", "token", hostToken).is(403)
	c.post("/console/login", "token", "wasgi_wrong").is(401).has("the token is unknown, wrong, or has expired").lacks("wasgi_wrong")
	for then, to := range map[string]string{
		"/console/tenants/shop?past=3h": "/console/tenants/shop?past=3h", "https://evil.example/": Base, "//evil.example": Base, "/console//evil": Base,
		"/console/../x": Base, `/console/\evil`: Base, "/other": Base, "": Base,
	} {
		c := anonymous(t, s)
		c.get("/console/login?then=" + url.QueryEscape(then)).is(200)
		a := c.post("/console/login", "token", " "+hostToken+"\n", "then", then)
		a.is(303).leads(to)
		cookie := a.header.Values("Set-Cookie")[0]
		if !strings.HasPrefix(cookie, "wasgi_console=") || !strings.HasSuffix(cookie, "; Path=/console/; Max-Age=43200; HttpOnly; SameSite=Strict") {
			t.Error(cookie)
		}
	}
	want := []string{"nobody POST /console/login 403", "nobody POST /console/login 403", "nobody POST /console/login 401", "token 0a1b2c3d4e5f POST /console/login 303"}
	if got := f.audited(); len(got) != 11 || !slices.Equal(got[:4], want) {
		t.Errorf("%q", got)
	}
	none(t, f)
}

func TestLoginOverTLS(t *testing.T) {
	f := newFake()
	plain := serving(t, f)
	s := httptest.NewTLSServer(plain.Config.Handler)
	defer s.Close()
	c := anonymous(t, s)
	c.get("/console/login").is(200)
	cookie := c.post("/console/login", "token", hostToken).is(303).header.Values("Set-Cookie")[0]
	if !strings.HasPrefix(cookie, "__Host-wasgi_console=") || !strings.HasSuffix(cookie, "; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Strict") {
		t.Error(cookie)
	}
	c.get("/console/").is(200)
}

func TestSessionsEnd(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	out := func(c *client) { c.Helper(); c.get("/console/tenants/shop").is(303) }

	c := member(t, s, hostToken)
	base, _ := url.Parse(s.URL + Base)
	kept := c.http.Jar.Cookies(base)
	c.post("/console/logout").is(303).leads("/console/login")
	c.http.Jar.SetCookies(base, kept) // whoever has stolen it
	out(c)

	c = member(t, s, hostToken)
	c.secret = ""
	c.post("/console/logout").is(403)
	c.get("/console/").is(200)
	c.http.Jar.SetCookies(base, []*http.Cookie{{Name: sessionCookie, Value: "planted", Path: "/"}}) // by an application of the same name
	out(c)

	c = member(t, s, readToken)
	f.revoke(readToken)
	out(c)

	c = member(t, s, hostToken)
	f.pass(119 * time.Minute)
	c.get("/console/").is(200)
	f.pass(119 * time.Minute)
	r := c.request("GET", "/console/", nil) // by a page that nobody looks at
	r.Header.Set("Wasgi-Refresh", "1")
	c.do(r).is(200)
	f.pass(time.Minute)
	out(c)

	c = member(t, s, hostToken)
	for range 11 {
		f.pass(time.Hour)
		c.get("/console/").is(200)
	}
	f.pass(time.Hour)
	out(c)
}

// A store that fails ends no session, and tells nobody why.
func TestTokensCannotBeRead(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, hostToken)
	f.deaf = errOwn
	c.get("/console/tenants/shop").is(500).has("The host failed; its log says why.").lacks("fire", "Log out")
	c.post("/console/tenants/shop/stop", "revision", "7").is(500)
	none(t, f)
	f.deaf = nil
	c.get("/console/tenants/shop").is(200)
}

func TestSessionsAreBounded(t *testing.T) {
	at := time.Unix(0, 0)
	s := newSessions(func() time.Time { return at })
	first := s.begin("t", "n")
	second := s.begin("t", "n")
	for range maxSessions - 1 {
		at = at.Add(time.Millisecond)
		s.find(first, true)
		s.begin("t", "n")
	}
	if len(s.byHash) != maxSessions || s.find(first, true) == nil || s.find(second, true) != nil {
		t.Errorf("%d sessions", len(s.byHash))
	}
	one := s.find(first, true)
	s.close()
	if one.ctx.Err() == nil || s.find(first, true) != nil || s.find(s.begin("t", "n"), true) != nil {
		t.Error("a session outlives the console")
	}
}

// Every change needs the secret of the session's own forms.
// TestNetwork is on the page of a tenant that has asked for anything.
func TestNetwork(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, hostToken)
	c.get("/console/tenants/shop").is(200).has(
		`<div id="network"><dt>Network</dt><dd>4 connections open <span class="hint">of 10`+thin+`412 begun</span>, 17 refused</dd></div>`,
		`<div id="carried"><dt>Sent and received</dt><dd>3 MiB, 5 GiB</dd></div>`,
		`<div id="pool"><dt>Pool of connections</dt><dd>1 used, 3 idle <span class="hint">of 8</span></dd></div>`)
	c.get("/console/tenants/wiki").is(200).lacks(`id="network"`, `id="carried"`, `id="pool"`)
}

func TestForgedForms(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c, other := member(t, s, hostToken), member(t, s, hostToken)
	for _, secret := range []string{"", strings.Repeat("0", 64), other.secret} {
		for _, what := range []string{"rollback", "stop", "start", "env", "secrets"} {
			c.post("/console/tenants/shop/"+what, "form", secret, "revision", "7", "name", "A", "value", "b").is(403).has("not sent from a page of this session")
		}
		c.upload("/console/tenants/shop/deploy", "zip", "form", secret, "revision", "7").is(403)
		c.upload("/console/deploy", "zip", "form", secret, "tenant", "shop").is(403)
		c.upload("/console/deploy", "zip", "tenant", "shop", "form", c.secret).is(403) // the secret comes first
		c.upload("/console/deploy", "zip").is(403)
	}
	none(t, f)
}

func TestRights(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	for _, who := range []struct {
		token             string
		look, other       int
		change, otherToo  int
		sees, never       []string
		deploy, deployNew int
	}{
		{hostToken, 200, 200, 303, 303, []string{"/console/tenants/wiki", "Deploy an application", "chart-requests"}, nil, 200, 200},
		{readToken, 200, 200, 403, 403, []string{"/console/tenants/wiki", "chart-requests"}, []string{"<form class=\"deploy\"", "/stop"}, 403, 403},
		{shopToken, 200, 404, 303, 404, []string{"/console/tenants/shop", "Deploy an application"}, []string{"wiki", "billing", "chart-requests"}, 200, 403},
		{shopReader, 200, 404, 403, 404, []string{"/console/tenants/shop"}, []string{"wiki", "<form class=\"deploy\""}, 403, 403},
	} {
		c := member(t, s, who.token)
		c.get("/console/").is(200).has(who.sees...).lacks(who.never...)
		c.get("/console/tenants/shop").is(who.look)
		c.get("/console/tenants/shop/log").is(who.look)
		c.get("/console/tenants/wiki").is(who.other)
		c.get("/console/tenants/wiki/log").is(who.other)
		if who.other == 404 {
			c.get("/console/tenants/wiki/log/stream").is(404)
		}
		f.called()
		for _, what := range []string{"rollback", "stop", "start", "env", "secrets"} {
			c.post("/console/tenants/shop/"+what, "revision", "0", "name", "DEBUG", "value", "1", "release", rel(2)).is(who.change)
			if who.change == 403 {
				none(t, f)
			}
			f.called()
			c.post("/console/tenants/wiki/"+what, "revision", "0", "name", "DEBUG", "value", "1").is(who.otherToo)
			if who.otherToo != 303 {
				none(t, f)
			}
		}
		at, _ := f.Tenant("shop")
		c.upload("/console/tenants/shop/deploy", "zip", "form", c.secret, "revision", strconv.FormatUint(at.Revision, 10)).is(who.deploy)
		f.called()
		c.upload("/console/deploy", "zip", "form", c.secret, "tenant", "fresh").is(who.deployNew)
		if who.deployNew == 403 {
			none(t, f)
		}
	}
}

// What tenants and operators have written is text on every page.
func TestNothingOfATenantIsMarkup(t *testing.T) {
	f := newFake()
	hostile := f.statuses["billing"]
	hostile.Error, hostile.URL = evil, "javascript:alert(1)"
	f.statuses["billing"] = hostile
	s := serving(t, f)
	c := member(t, s, hostToken)
	for _, path := range []string{"/console/", "/console/tenants/shop", "/console/tenants/wiki", "/console/tenants/billing", "/console/tenants/shop/log",
		"/console/?q=" + url.QueryEscape(evil), "/console/?sort=" + url.QueryEscape(evil), "/console/tenants/shop?done=" + url.QueryEscape(evil), "/console/tenants/" + url.PathEscape(evil)} {
		c.get(path).lacks("<script>alert", "\x1b", "\u202e", `href="javascript:`, "style=", "onclick")
	}
	c.get("/console/tenants/shop").has(`&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;\x1b[31mred\u202eevil`)
	f.refuse(problem(422, evil))
	c.post("/console/tenants/shop/env", "revision", "7", "name", evil, "value", evil).is(422).has("&lt;script&gt;").lacks("<script>alert", "\x1b", "\u202e")
	c.upload("/console/tenants/shop/deploy", evil, "form", c.secret, "revision", "7").is(200).has("&lt;script&gt;").lacks("<script>alert", "\x1b", "\u202e")
}

func TestChanges(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, shopToken)
	c.post("/console/tenants/shop/env", "revision", "7", "name", " A ", "value", "one\r\ntwo").is(303).leads("/console/tenants/shop?done=env")
	c.post("/console/tenants/shop/env", "revision", "8", "name", "DEBUG", "do", "unset").is(303)
	c.post("/console/tenants/shop/secrets", "revision", "9", "name", "KEY", "value", "hush").is(303).leads("/console/tenants/shop?done=secrets")
	c.post("/console/tenants/shop/rollback", "revision", "10", "release", rel(2)).is(303)
	c.get("/console/tenants/shop?done=release").has("The release serves now.").lacks("hush")
	want := []string{
		`env map["A":"one\ntwo"] [] of shop at 7`, `env map[] ["DEBUG"] of shop at 8`, `secrets map["KEY":"hush"] [] of shop at 9`,
		"rollback to " + digest(rel(2)) + " of shop at 10",
	}
	if got := f.called(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	f.audited()

	// Somebody else was faster: the page of now, with the reason.
	c.post("/console/tenants/shop/stop", "revision", "7").is(412).has("somebody else has changed it", `name="revision" value="11"`)
	f.refuse(fmt.Errorf("writing the state: %w", errOwn))
	c.post("/console/tenants/shop/stop", "revision", "11").is(500).has("The host failed; its log says why.").lacks("fire")
	c.post("/console/tenants/shop/stop", "revision", "x").is(400)
	c.post("/console/tenants/shop/env", "revision", "11", "value", "x").is(422).has("A variable needs a name.")
	c.post("/console/tenants/shop/env", "revision", "11", "name", "A", "value", strings.Repeat("x", maxForm)).is(413)
	wantAudit := []string{"token 2a1b2c3d4e5f POST /console/tenants/shop/stop 412", "token 2a1b2c3d4e5f POST /console/tenants/shop/stop 500",
		"token 2a1b2c3d4e5f POST /console/tenants/shop/stop 400", "token 2a1b2c3d4e5f POST /console/tenants/shop/env 422", "token 2a1b2c3d4e5f POST /console/tenants/shop/env 413"}
	if got := f.audited(); !slices.Equal(got, wantAudit) {
		t.Errorf("%q", got)
	}
}

func TestDeploy(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, hostToken)
	f.audited()
	c.upload("/console/tenants/shop/deploy", "the bundle", "form", c.secret, "revision", "7").is(200).has("uploaded", "preparing", "switching", "The release serves now.")
	want := []string{`upload "the bundle" "" by token 0a1b2c3d4e5f to shop at 0`, "deploy " + digest(rel(77)) + " to shop at 8"}
	if got := f.called(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	f.refuse(problem(422, "the bundle has a file app.so: native code cannot run"))
	c.upload("/console/deploy", "bad", "form", c.secret, "tenant", "fresh").is(422).has("The bundle has a file app.so", "Deploy an application")
	f.called()
	for _, name := range []string{"", "..", "../../etc", "Shop", "a/b", strings.Repeat("x", 64)} {
		c.upload("/console/deploy", "zip", "form", c.secret, "tenant", name).is(422).has("name has small letters")
		none(t, f)
	}
	f.audited()
	// What serves with problems has answered before: the page says it.
	f.statuses["shop"] = f.statuses["wiki"]
	f.broken = problem(422, "wsgi.py:1: SyntaxError")
	c.upload("/console/tenants/shop/deploy", "late", "form", c.secret, "revision", "9").is(200).has("It does not serve; what served before goes on.", "wsgi.py:1: SyntaxError.").lacks("The release serves now.")
	f.called()
	c.upload("/console/tenants/shop/deploy", "stale", "form", c.secret, "revision", "7").is(412).has("Somebody else has changed the tenant", `name="revision" value="10"`)
	none(t, f)
	wantAudit := []string{"token 0a1b2c3d4e5f POST /console/tenants/shop/deploy 422", "token 0a1b2c3d4e5f POST /console/tenants/shop/deploy 412"}
	if got := f.audited(); !slices.Equal(got, wantAudit) {
		t.Errorf("%q", got)
	}
	c.post("/console/tenants/shop/deploy", "revision", "7").is(400).has("The form has no file.")
	f.called()
	c.upload("/console/tenants/shop/deploy", "x", "form", c.secret).is(400)
	none(t, f)
}

// events is a log that is followed.
type events struct {
	*testing.T
	lines *bufio.Scanner
}

func (c *client) follow(path string) events {
	c.Helper()
	res, err := c.http.Do(c.request("GET", path, nil))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = res.Body.Close() })
	e := events{c.T, bufio.NewScanner(res.Body)}
	e.is("event: hello\ndata: {}\n")
	return e
}

// next is one event, "" at the end of the stream.
func (e events) next() (text string) {
	e.Helper()
	for e.lines.Scan() && e.lines.Text() != "" {
		text += e.lines.Text() + "\n"
	}
	if err := e.lines.Err(); err != nil {
		e.Error(err)
	}
	return text
}

func (e events) is(want string) {
	e.Helper()
	if got := e.next(); got != want {
		e.Errorf("%q, want %q", got, want)
	}
}

// ends waits until nothing comes but beats, and then nothing.
func (e events) ends() {
	e.Helper()
	for {
		switch got := e.next(); got {
		case "":
			return
		case "event: beat\ndata: {}\n":
		default:
			e.Errorf("%q", got)
		}
	}
}

func TestStream(t *testing.T) {
	f := newFake()
	c := member(t, serving(t, f), shopToken)
	e := c.follow("/console/tenants/shop/log/stream?lines=1")
	e.is("event: line\ndata: " + `{"iso":"2026-11-25T19:41:35.000Z","time":"19:41:35.000","level":"INFO","class":"plain","message":"order 20412 paid","fields":"request_id=b54cda58fbbee87e  source=stderr"}` + "\n")
	f.say("shop", evil)
	if got := e.next(); !strings.Contains(got, `"message":"\u003cscript\u003ealert(1)\u003c/script\u003e\"'\u0026\\x1b[31mred\\u202eevil"`) {
		t.Errorf("%q", got)
	}
}

// A stream ends with its session, with its token, and with the console.
func TestStreamsEnd(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	console := s.Config.Handler.(*Console)
	console.checkEvery = time.Millisecond
	const path = "/console/tenants/shop/log/stream?lines=0"
	c := member(t, s, shopToken)
	e := c.follow(path)
	c.post("/console/logout").is(303)
	e.ends()

	e = member(t, s, shopToken).follow(path)
	f.pass(sessionIdle)
	e.ends()

	e = member(t, s, shopToken).follow(path)
	f.revoke(shopToken)
	e.ends()

	e = member(t, s, shopReader).follow(path)
	console.Close()
	e.ends()
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, shopToken)
	console := s.Config.Handler.(*Console)
	for range maxStreams {
		console.streams <- struct{}{}
	}
	c.get("/console/tenants/shop/log/stream").is(503)
}

func TestList(t *testing.T) {
	f := newFake()
	for n := range 230 {
		name := fmt.Sprintf("t%03d", n)
		f.statuses[name] = f.statuses["intranet"]
		one := f.statuses[name]
		one.Name = name
		f.statuses[name] = one
	}
	s := serving(t, f)
	c := member(t, s, hostToken)
	c.get("/console/").has("238 of 238", `/console/?from=100" rel="next"`, ">shop<").lacks("t150", "prev")
	c.get("/console/?from=100").has(">t150<", `/console/?from=200" rel="next"`, `rel="prev"`)
	c.get("/console/?from=900000&q=T22").has("10 of 238")
	c.get("/console/?q=failed").has("1 of 238", ">billing<")
	c.get("/console/?q=zzz").has("No tenant’s name or state is like that.")
	body := c.get("/console/?sort=memory").body
	if strings.Index(body, ">shop<") > strings.Index(body, ">wiki<") || strings.Index(body, ">wiki<") > strings.Index(body, ">billing<") {
		t.Error("not sorted by memory")
	}
	body = c.get("/console/?sort=state").body
	if strings.Index(body, ">billing<") > strings.Index(body, ">wiki<") || strings.Index(body, ">wiki<") > strings.Index(body, ">shop<") {
		t.Error("not sorted by state")
	}
}

func BenchmarkListOfThousands(b *testing.B) {
	f := newFake()
	for n := range 10_000 {
		one := f.statuses["intranet"]
		one.Name = fmt.Sprintf("t%05d", n)
		f.statuses[one.Name] = one
		f.tenants[one.Name] = api.Tenant{Name: one.Name}
	}
	h := history.New(f, history.Options{Now: f.clock})
	c, err := New(Config{Host: f, History: h, Limits: f.Limits, AnswersTo: func(string) bool { return true }, Now: f.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r := httptest.NewRequest("GET", "/console/", nil)
		v := &visit{Request: r, console: c, w: httptest.NewRecorder(), session: &session{}}
		if err := c.overview(v); err != nil {
			b.Fatal(err)
		}
	}
}
