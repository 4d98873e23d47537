package host

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

func sayVersion(c fakeCall) error { return c.say(200, c.version) }

// get is a request of which only status and body matter.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	res, body := r.dial().send("GET " + path + " HTTP/1.1\nHost: a\nConnection: close\n\n").response("GET")
	return res.StatusCode, body
}

func (r *running) want(path string, status int, body string) {
	r.t.Helper()
	if gotStatus, got := r.get(path); gotStatus != status || got != body {
		r.t.Errorf("%s: %d %q, want %d %q; log:\n%s", path, gotStatus, got, status, body, r.log)
	}
}

func TestTenantsComeChangeAndGo(t *testing.T) {
	r := start(t, setup{tenants: []string{"a", "b"}, app: sayVersion})
	r.ready("a", "b")
	r.want("/a", 200, "1")

	r.write("a", "2")
	r.event(EventReady, "a")
	r.want("/a", 200, "2")
	r.want("/b", 200, "1")

	r.write("c", "1")
	r.event(EventReady, "c")
	r.want("/c", 200, "1")

	if err := os.RemoveAll(filepath.Join(r.root, "b")); err != nil {
		t.Fatal(err)
	}
	r.event(EventStopped, "b")
	if status, _ := r.get("/b"); status != 404 {
		t.Errorf("/b: %d, want 404", status)
	}
	r.want("/a", 200, "2")
}

// TestFreshKeepsItsInstances: an instance is put back after a request, not
// thrown away.
func TestFreshKeepsItsInstances(t *testing.T) {
	var m *fakeMaker
	r := start(t, setup{app: sayVersion, tenants: []string{"other"}, maker: func(f *fakeMaker) { m = f }})
	r.ready("other")
	r.manifest("app", "isolation = \"fresh\"\n[instances]\nmax = 1\n")
	r.write("app", "1")
	r.event(EventReady, "app")
	for range 5 {
		r.want("/app", 200, "1")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.restored != 1 {
		t.Errorf("%d instances were made for 5 requests, want 1", m.restored)
	}
}

func TestBrokenReleaseLeavesTheOldOneServing(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.building = cannotImport("broken")
	}})
	r.event(EventReady, "app")
	r.write("app", "broken")
	if e := r.event(EventFailed, "app"); !strings.Contains(e.Err.Error(), "cannot import") {
		t.Errorf("failed with %v", e.Err)
	}
	r.want("/app", 200, "1")
	status := r.host.Status()[0]
	if status.State != Serving || status.Err == nil || status.Release == "" {
		t.Errorf("status %+v", status)
	}
	r.manifest("app", "isolatio = \"reuse\"\n")
	if e := r.event(EventFailed, "app"); !strings.Contains(e.Err.Error(), "wsgi.toml") && !strings.Contains(e.Err.Error(), "wasgi.toml:1") {
		t.Errorf("failed with %v", e.Err)
	}
	r.want("/app", 200, "1")
	if err := os.Remove(filepath.Join(r.root, "app", tenants.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	r.write("app", "3")
	r.event(EventReady, "app")
	r.want("/app", 200, "3")
	if status := r.host.Status()[0]; status.Err != nil {
		t.Errorf("status %+v", status)
	}
}

func TestBrokenTenantIsAnswered(t *testing.T) {
	broken := func(m *fakeMaker) {
		m.building = func(_ application, version string) error {
			if version == "1" {
				return &sandbox.Error{Kind: sandbox.KindException, Op: "load", Traceback: "Traceback\nImportError: secret"}
			}
			return nil
		}
	}
	for _, c := range []struct {
		name   string
		dev    bool
		secret bool
	}{{"serve", false, false}, {"dev", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			path := "/app"
			r := start(t, setup{app: sayVersion, maker: broken, edit: func(cfg *Config) {
				if cfg.Dev = c.dev; c.dev {
					cfg.Root, path = filepath.Join(cfg.Root, "app"), "/"
				}
			}})
			r.event(EventFailed, "app")
			status, body := r.get(path)
			if status != http.StatusBadGateway || strings.Contains(body, "ImportError: secret") != c.secret {
				t.Errorf("%d %q", status, body)
			}
			if state := r.host.Status()[0].State; state != Failed {
				t.Errorf("state %v", state)
			}
			r.write("app", "2")
			r.event(EventReady, "app")
			r.want(path, 200, "2")
		})
	}
}

// Requests that come while a tenant boots wait, and one boot serves them all.
func TestRequestsWaitForTheBoot(t *testing.T) {
	boot := make(chan struct{})
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.building = func(application, string) error { <-boot; return nil }
	}})
	r.event(EventProgress, "app")
	answers := make(chan string, 10)
	for range cap(answers) {
		c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
		go func() {
			_, body := c.response("GET")
			answers <- body
		}()
	}
	close(boot)
	for range cap(answers) {
		if got := <-answers; got != "1" {
			t.Errorf("answer %q", got)
		}
	}
	if r.maker.made != 1 {
		t.Errorf("%d boots", r.maker.made)
	}
}

// A tenant that is asked for does not wait for the boots of those that nobody
// asked for.
func TestWhoIsAskedForGoesFirst(t *testing.T) {
	booting, boot := make(chan struct{}), make(chan struct{})
	r := start(t, setup{app: sayVersion, tenants: []string{"slow"}, edit: func(c *Config) { c.Builders = 1 }, maker: func(m *fakeMaker) {
		m.building = func(a application, _ string) error {
			if a.tenant.Name == "slow" {
				booting <- struct{}{}
				<-boot
			}
			return nil
		}
	}})
	defer close(boot)
	<-booting
	r.write("quick", "2")
	c := r.dial()
	for { // until the folder was noticed
		if res, body := c.send("GET /quick HTTP/1.1\nHost: a\n\n").response("GET"); res.StatusCode != 404 {
			if res.StatusCode != 200 || body != "2" {
				t.Errorf("%d %q", res.StatusCode, body)
			}
			return
		}
	}
}

func TestBootThatTakesTooLong(t *testing.T) {
	boot := make(chan struct{})
	r := start(t, setup{app: sayVersion, edit: func(c *Config) { c.StartTimeout = 100 * time.Millisecond }, maker: func(m *fakeMaker) {
		m.building = func(application, string) error { <-boot; return nil }
	}})
	defer close(boot)
	r.event(EventProgress, "app")
	res, _ := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n").response("GET")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") != "5" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

// What changes while it is loaded is loaded again, and never served half.
func TestChangeDuringTheBoot(t *testing.T) {
	booting, boot := make(chan struct{}, 10), make(chan struct{})
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.building = func(application, string) error { booting <- struct{}{}; <-boot; return nil }
	}})
	<-booting
	early := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n") // waits through both attempts
	r.write("app", "2")
	close(boot)
	r.event(EventReady, "app")
	r.want("/app", 200, "2")
	if _, body := early.response("GET"); body != "2" {
		t.Errorf("body %q", body)
	}
}

func TestQueueFull(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, setup{
		app: func(c fakeCall) error {
			entered <- struct{}{}
			<-leave
			return c.say(200, "done")
		},
		edit: func(c *Config) { c.MaxInstances, c.QueueLength = 1, 0 },
	})
	r.event(EventReady, "app")
	first := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	<-entered
	res, _ := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n").response("GET")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	close(leave)
	if _, body := first.response("GET"); body != "done" {
		t.Errorf("body %q", body)
	}
}

func TestRequestTimeout(t *testing.T) {
	r := start(t, setup{
		app: func(c fakeCall) error {
			<-c.ctx.Done()
			return &sandbox.Error{Kind: sandbox.KindTimeout, Err: c.ctx.Err()}
		},
		edit: func(c *Config) { c.RequestTimeout = 10 * time.Millisecond },
	})
	r.event(EventReady, "app")
	if status, _ := r.get("/app"); status != http.StatusGatewayTimeout {
		t.Errorf("status %d", status)
	}
}

func TestSlowBody(t *testing.T) {
	r := start(t, setup{app: echoBody, edit: func(c *Config) { c.BodyTimeout = 10 * time.Millisecond }})
	r.event(EventReady, "app")
	got := r.ask("POST /app HTTP/1.1\nHost: a\nContent-Length: 3\n\nab")
	if !strings.HasPrefix(got, "HTTP/1.1 408 Request Timeout\r\n") {
		t.Errorf("got %q", got)
	}
}

// A shutdown lets running requests end, and takes no new ones.
func TestDrain(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, setup{app: func(c fakeCall) error {
		close(entered)
		<-leave
		return c.say(200, "done")
	}})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	<-entered
	r.cancel()
	for r.host.phase.Load() != phaseDraining {
		time.Sleep(time.Millisecond)
	}
	close(leave)
	if res, body := c.response("GET"); body != "done" || !res.Close {
		t.Errorf("%q, close %v", body, res.Close)
	}
}

// What does not end in time is killed, and the host ends all the same.
func TestDrainKills(t *testing.T) {
	entered := make(chan struct{})
	r := start(t, setup{
		app: func(c fakeCall) error {
			close(entered)
			<-c.ctx.Done()
			return &sandbox.Error{Kind: sandbox.KindCanceled, Err: c.ctx.Err()}
		},
		edit: func(c *Config) { c.DrainTimeout = 10 * time.Millisecond },
	})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	<-entered
	r.cancel()
	if got := c.rest(); got != "" && !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
}

// A reload lets the requests of the older release end on it.
func TestReloadDrains(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, setup{app: func(c fakeCall) error {
		if c.version == "1" {
			close(entered)
			<-leave
		}
		return c.say(200, c.version)
	}})
	r.event(EventReady, "app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\n\n")
	<-entered
	r.write("app", "2")
	r.event(EventReady, "app")
	r.want("/app", 200, "2")
	close(leave)
	if _, body := c.response("GET"); body != "1" {
		t.Errorf("body %q", body)
	}
}

func TestRoutesByHostAndPrefix(t *testing.T) {
	r := start(t, setup{tenants: []string{"a", "b"}, app: func(c fakeCall) error {
		return c.say(200, c.environ["SCRIPT_NAME"]+"|"+c.environ["PATH_INFO"])
	}})
	r.ready("a", "b")
	r.manifest("a", "hosts = [\"example.org\"]\npaths = [\"/x\", \"/\"]\n")
	r.event(EventReady, "a")
	for _, c := range []struct{ host, target, want string }{
		{"example.org", "/x/y", "/x|/y"},
		{"EXAMPLE.org:80", "/z", "|/z"},
		{"other", "/b/", "/b|/"},
	} {
		_, body := r.dial().send("GET " + c.target + " HTTP/1.1\nHost: " + c.host + "\n\n").response("GET")
		if body != c.want {
			t.Errorf("%s%s: %q, want %q", c.host, c.target, body, c.want)
		}
	}
	var urls []string
	for _, s := range r.host.Status() {
		urls = append(urls, s.URL)
	}
	_, port, _ := strings.Cut(r.addr, ":")
	if diff := cmp.Diff([]string{"http://example.org:" + port + "/x/", "http://" + r.addr + "/b/"}, urls); diff != "" {
		t.Error(diff)
	}
}

func TestAccessLog(t *testing.T) {
	r := start(t, setup{
		app:  func(c fakeCall) error { return c.say(200, "abc") },
		edit: func(c *Config) { c.AccessLog = "json" },
	})
	r.event(EventReady, "app")
	r.ask("GET /app/\x7f\"?q HTTP/1.1\nHost: a\nUser-Agent: x\x1by\nConnection: close\n\n")
	r.ask("GET /app/?q HTTP/1.1\nHost: a\nUser-Agent: x\"y\nConnection: close\n\n")
	r.ask("GET /none HTTP/1.1\nHost: a\nConnection: close\n\n")
	r.stop()
	text, err := os.ReadFile(r.access)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines:\n%s", len(lines), text)
	}
	for i, want := range []string{
		`"tenant":"app","remote":"127.0.0.1","method":"GET","host":"a","uri":"/app/?q","proto":"HTTP/1.1","status":200,"bytes":3,`,
		`"remote":"127.0.0.1","method":"GET","host":"a","uri":"/none","proto":"HTTP/1.1","status":404,"bytes":64,`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %s, want %s", i, lines[i], want)
		}
	}
	if !strings.Contains(lines[0], `"user_agent":"x\"y"`) || !strings.Contains(lines[1], `"fault":"unknown"`) {
		t.Errorf("%s", text)
	}
}

func TestProbes(t *testing.T) {
	boot := make(chan struct{})
	r := start(t, setup{
		app:  sayVersion,
		edit: func(c *Config) { c.AdminListen = "unix:" + filepath.Join(t.TempDir(), "admin") },
		maker: func(m *fakeMaker) {
			m.building = func(application, string) error { <-boot; return nil }
		},
	})
	r.event(EventProgress, "app")
	for r.host.phase.Load() == phaseStarting { // applications begin a little before the host serves
		runtime.Gosched()
	}
	if err := r.host.readiness(); err == nil || err.Error() != "1 applications are still starting" {
		t.Errorf("readiness %v", err)
	}
	close(boot)
	r.event(EventReady, "app")
	if err := r.host.readiness(); err != nil {
		t.Errorf("readiness %v", err)
	}
	r.stop()
	if err := r.host.readiness(); err == nil || err.Error() != "draining" {
		t.Errorf("readiness %v", err)
	}
}

func TestServeSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"root", func(c *Config) { c.Root = filepath.Join(c.Root, "none") }, "cannot read the folder of the applications"},
		{"listen", func(c *Config) { c.Listen = "192.0.2.1:1" }, "listen: "},
		{"admin", func(c *Config) { c.AdminListen = "192.0.2.1:1" }, "admin_listen: "},
		{"access log", func(c *Config) { c.AccessLogFile = "/none/x" }, "access_log_file: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := testConfig(t, t.TempDir())
			c.edit(&cfg)
			h := newHost(cfg, &fakeMaker{}, discard())
			if err := h.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Serve: %v, want %q", err, c.want)
			}
		})
	}
}

func TestStateTransitionsThatMustNotBe(t *testing.T) {
	for _, c := range []struct{ from, to State }{{Cold, Serving}, {Serving, Preparing}, {Failed, Serving}, {Stopped, Preparing}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s to %s was let through", c.from, c.to)
				}
			}()
			c.from.to(c.to)
		}()
	}
}

// TestTouchLoadsAgain: a manifest with a new time and the same text.
func TestTouchLoadsAgain(t *testing.T) {
	var m *fakeMaker
	r := start(t, setup{app: sayVersion, maker: func(f *fakeMaker) { m = f }})
	r.event(EventReady, "app")
	r.manifest("app", "")
	r.event(EventReady, "app")
	made := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.made
	}
	before := made()
	file := filepath.Join(r.root, "app", tenants.ManifestFile)
	if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	r.event(EventReady, "app")
	if made() != before+1 {
		t.Errorf("%d images, before it were %d", made(), before)
	}
	r.want("/app", 200, "1")
}

// TestSharedDefaults: a change of them reaches every application, and one that is
// broken none.
func TestSharedDefaults(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error { return c.say(200, c.environ["of.all"]) }, tenants: []string{"a", "b"}})
	r.ready("a", "b")
	r.want("/a", 200, "")
	defaults := filepath.Join(r.root, tenants.DefaultsFile)
	sees := func(want string) {
		t.Helper()
		for _, name := range []string{"a", "b"} {
			if got := r.host.fleet.routes.Load().sites[name].live.Load().tenant.Manifest.Environ["of.all"]; got != want {
				t.Errorf("%s has %q, want %q", name, got, want)
			}
		}
	}
	r.put(defaults, "[environ]\n\"of.all\" = \"1\"\n")
	r.ready("a", "b")
	sees("1")
	r.put(defaults, "[environ\n")
	r.write("a", "2")
	r.event(EventReady, "a")
	sees("1")
	if err := os.Remove(defaults); err != nil {
		t.Fatal(err)
	}
	r.ready("a", "b")
	sees("")
	if !strings.Contains(r.log.String(), "the defaults of all applications cannot be used: those from before go on") {
		t.Errorf("the log:\n%s", r.log)
	}
}

// TestManifestBesideTheFolders: one small file is a tenant, whose application lies
// elsewhere.
func TestManifestBesideTheFolders(t *testing.T) {
	elsewhere := t.TempDir()
	r := start(t, setup{app: sayVersion, tenants: []string{"other"}})
	r.ready("other")
	code := func(version string) {
		r.put(filepath.Join(elsewhere, "wsgi.py"), "def application(environ, start_response): pass  # version:"+version+"\n")
	}
	code("1")
	r.put(filepath.Join(elsewhere, tenants.ManifestFile), "paths = [\"/own\"]\n")
	file := filepath.Join(r.root, "shop.toml")
	r.put(file, "folder = \""+elsewhere+"\"\npaths = [\"/over\"]\n")
	r.event(EventReady, "shop")
	r.want("/over", 200, "1")
	if status, _ := r.get("/own"); status != 404 {
		t.Errorf("the application's own paths: %d", status)
	}
	code("2")
	if err := os.Chtimes(file, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	r.event(EventReady, "shop")
	r.want("/over", 200, "2")
	r.put(file, "folder = \"/nowhere\"\n")
	if e := r.event(EventFailed, "shop"); e.Err.Error() != file+":1: folder: /nowhere is no folder" {
		t.Errorf("failed with %v", e.Err)
	}
	r.want("/over", 200, "2")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.event(EventStopped, "shop")
	if status, _ := r.get("/over"); status != 404 {
		t.Errorf("removed: %d", status)
	}
	r.manifest("other", "folder = \"/srv\"\n")
	if e := r.event(EventFailed, "other"); !strings.Contains(e.Err.Error(), "folder: is for a manifest beside the applications' folders") {
		t.Errorf("failed with %v", e.Err)
	}
}
