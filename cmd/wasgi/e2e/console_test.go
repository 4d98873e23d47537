package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/admin/console/browsertest"
)

// talkative logs each request, and answers with the cookies that it got.
const talkative = `import sys

def application(environ, start_response):
    print("visited", environ["PATH_INFO"], "<b>", file=sys.stderr)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "own=1")])
    return [b"cookies: " + environ.get("HTTP_COOKIE", "none").encode()]
`

// consoleAt is the origin of the console on the listener for probes.
func (o *operator) consoleAt() string {
	o.Helper()
	match, _ := o.server.log.wait(o.T, regexp.MustCompile(`msg="the console listens" address=(\S+)/console/`), 0)
	return "http://" + match[1]
}

func (o *operator) token(args ...string) string {
	o.Helper()
	return strings.TrimSpace(o.wasgi(append([]string{"token", "create"}, args...)...).exited(0).stdout)
}

// TestConsole is a visit of an operator: tenants, a log as it is written, roll
// back, a bundle, a variable, the way out.
func TestConsole(t *testing.T) {
	t.Parallel()
	o := operated(t, "--admin-listen", "127.0.0.1:0")
	b := browsertest.Open(t, o.consoleAt())
	client := o.browser("shop")
	o.wasgi("deploy", o.app("one\n")).exited(0)
	o.wasgi("deploy", o.app("two\n")).exited(0)
	write(t, o.root, "quiet/wsgi.py", source("quiet\n"))
	o.server.ready(t, "quiet")
	all, second := o.digests("shop")

	b.Login(o.token("--note", "console"), "/console/")
	b.Sees("quiet")
	b.Shot("real-tenants")
	b.Click("a[href='/console/tenants/shop']")
	b.At("/console/tenants/shop")
	browsertest.Is(b, "document.querySelector('#releases .current code').title", second)
	browsertest.Is(b, "document.querySelector('#limits').innerText.includes('limits.request_timeout')", true)

	b.Click("#releases tbody tr:not(.current) summary")
	b.Click("#releases tbody tr:not(.current) button")
	b.At("/console/tenants/shop?done=release")
	b.Sees("The release serves now.")
	client.get("/").status(200).text("one\n")
	if _, current := o.digests("shop"); current != all[1] {
		t.Errorf("%s serves, want %s", current, all[1])
	}

	b.Choose("#releases input[type=file]", archives(t, o.app("three\n"))["zip"])
	b.Click("#releases .deploy button")
	b.At("/console/tenants/shop/deploy")
	b.Sees("The release serves now.")
	b.Sees("switching")
	client.get("/").status(200).text("three\n")
	b.Click(".button")
	b.At("/console/tenants/shop")
	b.Type("form[action$='/env'].pair input[name=name]", "GREETING")
	b.Type("form[action$='/env'].pair textarea", "hello")
	b.Click("form[action$='/env'].pair button")
	b.At("/console/tenants/shop?done=env")
	o.wasgi("env", "ls", "shop").exited(0).printed("GREETING")
	b.Shot("real-tenant")

	// A bundle that is none: nothing changes, and the page says why.
	junk := filepath.Join(t.TempDir(), "junk.zip")
	must(t, os.WriteFile(junk, []byte("junk"), 0o600))
	b.Expect("422")
	b.Choose("#releases input[type=file]", junk)
	b.Click("#releases .deploy button")
	b.Sees("That did not work.")
	client.get("/").status(200).text("three\n")

	b.Click("header button")
	b.At("/console/login")
	b.Go("/console/tenants/shop")
	b.At("/console/login?then=%2Fconsole%2Ftenants%2Fshop")
	audit, err := os.ReadFile(filepath.Join(o.state, "audit.log"))
	must(t, err)
	for _, path := range []string{"/console/login", "/console/tenants/shop/rollback", "/console/tenants/shop/deploy", "/console/tenants/shop/env", "/console/logout"} {
		if !regexp.MustCompile(`"caller":"token [0-9a-f]{12}",.*"method":"POST","path":"` + path + `"`).Match(audit) {
			t.Errorf("the audit log does not name %s: %s", path, audit)
		}
	}
}

// TestConsoleFollowsLogs sees a line while it is written, by a token that may
// only look at this tenant; an application on the same name gets no cookie of it.
func TestConsoleFollowsLogs(t *testing.T) {
	t.Parallel()
	o := operated(t, "--admin-listen", "127.0.0.1:0")
	write(t, o.root, "console/wsgi.py", talkative)
	write(t, o.root, "other/wsgi.py", source("other\n"))
	o.server.ready(t, "console")
	o.server.ready(t, "other")
	tenant, origin := o.browser("console"), o.server.site(t, "console").origin
	b := browsertest.Open(t, o.consoleAt())
	b.Login(o.token("--tenant", "console", "--read-only"), "/console/tenants/console/log")
	b.Holds("document.querySelector('[data-live-state]').textContent === 'live'")
	tenant.get("/here").status(200)
	b.Sees("visited /here <b>")
	b.Shot("real-log")
	b.Expect("404")
	b.Go("/console/tenants/other")
	b.Sees("There is no such tenant, or this token is not for it.")

	b.Expect("asked for " + origin)
	for range 2 { // with the cookie of the application itself the second time
		b.Visit(origin + "/console/")
		b.Sees("cookies: ")
	}
	b.Sees("cookies: own=1")
	b.Lacks("wasgi_console")
	b.Go("/console/tenants/console")
	b.Sees("Limits")
	b.Lacks("<form method=\"post\" action=\"/console/tenants")
}

// TestConsoleIsLocal is where tokens could be read on their way.
func TestConsoleIsLocal(t *testing.T) {
	t.Parallel()
	o := operated(t, "--admin-listen", "0.0.0.0:0", "--api-listen", "127.0.0.1:0")
	o.server.logs(t, `msg="the admin API listens"`, 0)
	if log := o.server.log.String(); strings.Contains(log, "the console listens address=0.0.0.0") || strings.Contains(log, `msg="the console listens" address=[::]`) {
		t.Errorf("the console is where others can reach it: %s", log)
	}
	b := browsertest.Open(t, o.remote().url)
	b.Go("/console")
	b.At("/console/login")
}

// TestConsoleManages makes a token, which the command line lists, revokes it,
// and removes a tenant with its /data.
func TestConsoleManages(t *testing.T) {
	t.Parallel()
	o := operated(t, "--admin-listen", "127.0.0.1:0")
	o.wasgi("deploy", o.app("one\n")).exited(0)
	o.browser("shop").get("/").status(200).text("one\n")
	data := filepath.Join(o.state, "data", "shop")
	must(t, os.MkdirAll(data, 0o700))
	b := browsertest.Open(t, o.consoleAt())
	b.Login(o.token("--note", "console"), "/console/tokens")
	b.Type(".new-token input[name=tenant]", "shop")
	b.Type(".new-token input[name=note]", "from the page")
	b.Click(".new-token button")
	b.Sees("cannot be shown again")
	b.Go("/console/tokens")
	b.Sees("from the page")
	id := regexp.MustCompile(`(?m)^([0-9a-f]{12}) +shop +read .*from the page`).FindStringSubmatch(o.wasgi("token", "ls").exited(0).stdout)
	if id == nil {
		t.Fatal("the token is not in the list of wasgi token ls")
	}
	b.Click(".tokens tbody tr:first-child summary") // the newest
	b.Click(".tokens tbody tr:first-child button")
	b.At("/console/tokens?done=revoked")
	if left := o.wasgi("token", "ls").exited(0).stdout; strings.Contains(left, id[1]) {
		t.Errorf("the token is left: %s", left)
	}

	b.Go("/console/tenants/shop/remove")
	b.Sees("1 release,")
	b.Click(".tick input")
	b.Type(".removal input[name=name]", "shop")
	b.Click(".removal button")
	b.At("/console/?done=removed")
	o.browser("shop").get("/").status(404)
	for _, dir := range []string{data, filepath.Join(o.state, "deployed", "shop")} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}
