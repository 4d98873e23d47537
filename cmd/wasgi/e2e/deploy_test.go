package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/bundle"
)

// operator runs commands against one server, as who owns its state folder.
type operator struct {
	*testing.T
	world  world
	server *server
	state  string
	root   string
}

// operated starts a server that has no tenant.
func operated(t *testing.T, flags ...string) *operator {
	t.Helper()
	o := &operator{T: t, world: newWorld(t), state: t.TempDir(), root: t.TempDir()}
	o.serve(flags...)
	return o
}

// serve starts the server, again after an earlier one has ended.
func (o *operator) serve(flags ...string) {
	o.Helper()
	o.server = o.world.serve(o.T, launch{root: o.root, state: o.state, flags: flags})
	o.server.logs(o.T, `msg="the admin API listens"`, 0)
}

func (o *operator) wasgi(args ...string) outcome {
	o.Helper()
	return o.world.run(o.T, program{args: args, state: o.state})
}

func (o *operator) input(stdin string, args ...string) outcome {
	o.Helper()
	return o.world.run(o.T, program{args: args, state: o.state, stdin: stdin})
}

// browser asks a tenant below its name, whoever serves it.
func (o *operator) browser(tenant string) *browser {
	o.Helper()
	match, _ := o.server.log.wait(o.T, regexp.MustCompile(listening), 0)
	return site{server: o.server, tenant: tenant, origin: match[1], prefix: "/" + tenant}.browser(o.T)
}

// app is a folder with an application that answers with the text, and what else
// is named.
func (o *operator) app(text string, more ...string) string {
	o.Helper()
	dir := filepath.Join(o.TempDir(), "shop")
	write(o.T, dir, "wsgi.py", source(text))
	for i := 0; i < len(more); i += 2 {
		write(o.T, dir, more[i], more[i+1])
	}
	return dir
}

// digests are those of a tenant's releases, and the current one.
func (o *operator) digests(tenant string) (all []string, current string) {
	o.Helper()
	var list []struct {
		Digest  string
		Current bool
	}
	decode(o.T, o.wasgi("releases", tenant, "--json").exited(0).stdout, &list)
	for _, r := range list {
		all = append(all, r.Digest)
		if r.Current {
			current = r.Digest
		}
	}
	return all, current
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// archives of a folder, below the base folder app.
func archives(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	var b bytes.Buffer
	must(t, bundle.Pack(&b, dir))
	out["tar.gz"] = filepath.Join(t.TempDir(), "shop.tar.gz")
	must(t, os.WriteFile(out["tar.gz"], b.Bytes(), 0o600))
	b.Reset()
	z := zip.NewWriter(&b)
	must(t, z.AddFS(os.DirFS(filepath.Dir(dir))))
	must(t, z.Close())
	out["zip"] = filepath.Join(t.TempDir(), "shop.zip")
	must(t, os.WriteFile(out["zip"], b.Bytes(), 0o600))
	return out
}

// TestDeploy brings an application to a server in every way, goes back, and finds
// it there after a restart.
func TestDeploy(t *testing.T) {
	t.Parallel()
	o := operated(t)
	b := o.browser("shop")
	o.wasgi("tenants", "ls").wrote(0, "TENANT  STATE  SOURCE  RELEASE  URL  ERROR\n", "")

	first := o.app("one\n", "wasgi.toml", "[warmup]\npaths = [\"/\"]\n[health]\npath = \"/health\"\n")
	out := o.wasgi("deploy", first).exited(0).complained("shop: uploading ", "shop: unpacking", "shop: preparing", "shop: booting", "shop: checking /health", "shop: switching")
	digests, current := o.digests("shop")
	if len(digests) != 1 || current != digests[0] || out.stdout != "shop serves "+current[:12]+"\n" {
		t.Fatalf("%v %q, %q", digests, current, out.stdout)
	}
	b.get("/").status(200).text("one\n")

	for kind, file := range archives(t, o.app(kindText("zip"))) {
		if kind == "zip" {
			o.wasgi("deploy", file).exited(0)
			b.get("/").status(200).text(kindText("zip"))
		}
	}
	o.wasgi("deploy", archives(t, o.app("three\n"))["tar.gz"]).exited(0)
	b.get("/").status(200).text("three\n")
	// The same files are the same release, whatever they come in.
	all, third := o.digests("shop")
	o.wasgi("deploy", archives(t, o.app("three\n"))["zip"], "--json").exited(0).printed(`"current": "` + third + `"`)
	if again, same := o.digests("shop"); same != third || len(again) != len(all) || len(all) != 3 {
		t.Errorf("%v after %v", again, all)
	}

	o.wasgi("rollback", "shop").exited(0)
	b.get("/").status(200).text(kindText("zip"))
	o.wasgi("rollback", "shop", current[:8]).exited(0)
	b.get("/").status(200).text("one\n")

	must(t, o.server.terminate(t))
	o.serve()
	o.server.ready(t, "shop")
	o.browser("shop").get("/").status(200).text("one\n")
	if _, now := o.digests("shop"); now != current {
		t.Errorf("%s serves, before the restart it was %s", now, current)
	}
}

func kindText(kind string) string { return "of a " + kind + "\n" }

// TestDeployedByteCode: what was deployed has byte code beside it, which
// tracebacks name as the application knows it.
func TestDeployedByteCode(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("x\n", "sub/late.py", "def fail():\n    raise RuntimeError('late')\n",
		"wsgi.py", source("x\n")+"    from sub.late import fail\n    fail()\n")).exited(0)
	_, current := o.digests("shop")
	if found, err := filepath.Glob(filepath.Join(o.state, "deployed", "shop", current, "app", "sub", "__pycache__", "late.*.pyc")); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	o.wasgi("deploy", o.app("x\n", "sub/late.py", "def fail():\n    raise RuntimeError('late')\n",
		"wsgi.py", "from sub.late import fail\nfail()\n"+source("x\n"))).exited(1).complained(`File "/app/sub/late.py", line 2, in fail`, "RuntimeError: late")
}

// TestKeptReleases: the oldest ones go, with their files.
func TestKeptReleases(t *testing.T) {
	t.Parallel()
	o := operated(t, "--keep-releases", "2")
	for _, text := range []string{"one\n", "two\n", "three\n"} {
		o.wasgi("deploy", o.app(text)).exited(0)
	}
	all, _ := o.digests("shop")
	folders, err := os.ReadDir(filepath.Join(o.state, "deployed", "shop"))
	must(t, err)
	var names []string
	for _, f := range folders {
		names = append(names, f.Name())
	}
	if len(all) != 2 || len(names) != 2 || !strings.Contains(strings.Join(names, " "), all[1]) {
		t.Errorf("releases %v, folders %v", all, names)
	}
	o.wasgi("rollback", "shop").exited(0)
	o.browser("shop").get("/").status(200).text("two\n")
	o.wasgi("rollback", "shop", "0000").exited(1).complained(`shop has no release "0000"`, "wasgi releases shop")
}

// TestDrainingReleaseIsKept: a request that began on a release reads its files
// however many are deployed meanwhile; then they go.
func TestDrainingReleaseIsKept(t *testing.T) {
	t.Parallel()
	o := operated(t, "--keep-releases", "2")
	app := `import os, time
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"begun\n"
    while not os.path.exists("/data/go"):
        time.sleep(0.01)
    import late
    yield late.TEXT
`
	o.wasgi("deploy", o.app("", "wsgi.py", app, "late.py", "TEXT = b'imported late'\n")).exited(0)
	_, first := o.digests("shop")
	b := o.browser("shop")
	resp, err := b.client.Do(b.request("GET", "/"))
	must(t, err)
	defer resp.Body.Close()
	begun := make([]byte, len("begun\n"))
	_, err = io.ReadFull(resp.Body, begun)
	must(t, err)
	for _, text := range []string{"two\n", "three\n", "four\n"} {
		o.wasgi("deploy", o.app(text)).exited(0)
	}
	if all, _ := o.digests("shop"); slices.Contains(all, first) {
		t.Errorf("the first release is still listed: %v", all)
	}
	write(t, filepath.Join(o.state, "data", "shop"), "go", "")
	rest, err := io.ReadAll(resp.Body)
	if string(rest) != "imported late" || err != nil {
		t.Errorf("the request of the first release got %q, %v", rest, err)
	}
	o.until("only the kept releases have folders", func(use) bool {
		left, err := os.ReadDir(filepath.Join(o.state, "deployed", "shop"))
		return err == nil && len(left) == 2
	})
}

// TestDeployFails: whatever is wrong, it is said, and the older release goes on.
func TestDeployFails(t *testing.T) {
	t.Parallel()
	o := operated(t)
	other := filepath.Join(o.TempDir(), "other")
	write(t, other, "wsgi.py", source("other\n"))
	write(t, other, "wasgi.toml", "paths = [\"/taken\"]\n")
	o.wasgi("deploy", other).exited(0)
	write(t, o.root, "folder/wsgi.py", source("folder\n"))
	o.server.ready(t, "folder")
	o.wasgi("deploy", o.app("fine\n")).exited(0)
	b := o.browser("shop")
	before, _ := o.digests("shop")

	for name, c := range map[string]struct {
		more []string
		says []string
	}{
		"import":   {[]string{"wsgi.py", "import nothing_there\n" + source("x\n")}, []string{"shop was not deployed: ", "ModuleNotFoundError: No module named 'nothing_there'", `File "/app/wsgi.py", line 1`}},
		"manifest": {[]string{"wasgi.toml", "\nisolatoin = \"fresh\"\n"}, []string{"shop was not deployed: wasgi.toml:2: isolatoin: unknown key; did you mean \"isolation\"?"}},
		"entry":    {[]string{"wsgi.py", "x = 1\n"}, []string{"shop was not deployed: "}},
		"native":   {[]string{"requirements.txt", "numpy==2.1.0\n"}, []string{"numpy"}},
		"health":   {[]string{"wsgi.py", strings.Replace(source("x\n"), "200 OK", "500 Bad", 1), "wasgi.toml", "[health]\npath = \"/up\"\n"}, []string{"the health check failed: GET /up was answered with 500, and 200 to 399 is wanted"}},
		"warm-up":  {[]string{"wsgi.py", strings.Replace(source("x\n"), "200 OK", "500 Bad", 1), "wasgi.toml", "[warmup]\npaths = [\"/\"]\n"}, []string{"shop was not deployed: "}},
		"routes":   {[]string{"wasgi.toml", "paths = [\"/taken\"]\n"}, []string{"tenants other and shop both claim any host /taken; other keeps it"}},
		"writable": {[]string{"wasgi.toml", "[data]\nwritable_app = true\n"}, []string{"keep what the application writes in /data"}},
		"so":       {[]string{"fast.so", "x"}, []string{`the bundle's entry "fast.so" is compiled code, which cannot run here`}},
		"pth":      {[]string{"x.pth", "import os"}, []string{`the bundle's entry "x.pth" would change sys.path`}},
		"site":     {[]string{"sitecustomize.py", "x = 1\n"}, []string{`the bundle's entry "sitecustomize.py" would run before the application does`}},
	} {
		o.wasgi("deploy", o.app("broken\n", c.more...)).exited(1).complained(c.says...)
		if strings.Contains(b.get("/").status(200).body, "broken") {
			t.Errorf("%s: the broken release serves", name)
		}
	}
	b.get("/").status(200).text("fine\n")
	o.browser("taken").get("/").status(200).text("other\n")
	o.wasgi("deploy", o.app("x\n"), "--tenant", "folder").exited(1).complained("the tenant folder is " + filepath.Join(o.root, "folder"))
	o.wasgi("deploy", o.app("x\n"), "--tenant", "No Name").exited(1)
	o.wasgi("rollback", "nobody").exited(1).complained("nobody has no earlier release")
	o.wasgi("tenants", "rm", "folder").exited(1).complained("change or remove that")

	// A tenant that never served is none.
	o.wasgi("deploy", o.app("x\n", "wsgi.py", "1/0\n"+source("x\n")), "--tenant", "fresh").exited(1).complained("ZeroDivisionError")
	o.browser("fresh").get("/").status(404)
	if _, now := o.digests("shop"); now != before[0] {
		t.Errorf("%s serves, it was %s", now, before[0])
	}
}

// TestFolderOfADeployedTenant: who was deployed goes before a folder of its name,
// and the log says so.
func TestFolderOfADeployedTenant(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("deployed\n")).exited(0)
	write(t, o.root, "shop/wsgi.py", source("folder\n"))
	o.server.logs(t, `level=ERROR msg="the folder is not served: a tenant of this name was deployed; .*tenant=shop folder=`+regexp.QuoteMeta(filepath.Join(o.root, "shop")), 0)
	o.browser("shop").get("/").status(200).text("deployed\n")
	o.wasgi("tenants", "rm", "shop").exited(0).printed("shop is removed\n")
	o.server.ready(t, "shop") // deployed
	o.server.ready(t, "shop") // the folder
	o.browser("shop").get("/").status(200).text("folder\n")
}

// TestSettings changes the environment and secrets of a tenant, which is started
// with them.
func TestSettings(t *testing.T) {
	t.Parallel()
	o := operated(t)
	app := `import os
if os.environ.get("BREAK"): raise RuntimeError("broken on purpose")
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr([os.environ.get(n) for n in ("A", "B", "KEY")]).encode()]
`
	// Before the first deploy, so that it starts with them.
	o.wasgi("env", "set", "shop", "A=1", "B=of env").exited(0)
	o.input("hush-hush\n", "secret", "set", "shop", "KEY").exited(0)
	o.wasgi("deploy", o.app("", "wsgi.py", app, "wasgi.toml", "[env]\nA = \"0\"\nB = \"0\"\n")).exited(0)
	b := o.browser("shop")
	b.get("/").status(200).text("['1', 'of env', 'hush-hush']")
	o.wasgi("env", "unset", "shop", "B").exited(0)
	b.get("/").status(200).text("['1', '0', 'hush-hush']")
	o.wasgi("env", "ls", "shop").wrote(0, "A=1\n", "")
	o.wasgi("secret", "ls", "shop").wrote(0, "KEY\n", "")
	o.wasgi("env", "set", "shop", "BREAK=1").exited(1).complained("broken on purpose")
	o.wasgi("env", "ls", "shop", "--json").wrote(0, "{\n  \"A\": \"1\"\n}\n", "")
	b.get("/").status(200).text("['1', '0', 'hush-hush']")
	o.wasgi("env", "set", "shop", "1A=x").exited(1).complained(`"1A": it cannot be a variable of the environment`)
	o.wasgi("env", "set", "shop", "KEY=x").exited(1).complained("a secret of this name is set")
	o.wasgi("env", "unset", "shop", "NONE").exited(1).complained("NONE is not set")
	o.wasgi("secret", "set", "shop", "KEY=x").exited(2).complained("the value is read from standard input")
	o.wasgi("tenants", "show", "shop").exited(0).printed("env        A=1\n", "secret     KEY\n")

	must(t, o.server.terminate(t))
	o.nowhere("hush-hush", o.state)
	o.serve()
	o.server.ready(t, "shop")
	o.browser("shop").get("/").status(200).text("['1', '0', 'hush-hush']")
	o.wasgi("secret", "rm", "shop", "KEY").exited(0)
	o.browser("shop").get("/").status(200).text("['1', '0', None]")
	if text := o.server.log.String() + o.server.out.String(); strings.Contains(text, "hush-hush") {
		t.Error("the secret is in the log")
	}
}

// nowhere looks for a text in every file below a folder.
func (o *operator) nowhere(text, dir string) {
	o.Helper()
	must(o.T, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if strings.Contains(read(o.T, name), text) {
			o.Errorf("%s has %q", name, text)
		}
		return nil
	}))
}

// TestFolderSettings: a tenant that is a folder has environment and secrets too,
// and can be stopped.
func TestFolderSettings(t *testing.T) {
	t.Parallel()
	o := operated(t)
	write(t, o.root, "text/wsgi.py", "import os\n"+strings.Replace(source(""), "TEXT.encode()", `os.environ.get("A", "-").encode()`, 1))
	o.server.ready(t, "text")
	b := o.browser("text")
	b.get("/").status(200).text("-")
	o.wasgi("env", "set", "text", "A=set").exited(0)
	b.get("/").status(200).text("set")
	o.wasgi("tenants", "stop", "text").exited(0).printed("text stopped\n")
	b.get("/").status(503).has("This application was stopped.")
	write(t, o.root, "text/other.py", "x = 1\n") // no reason to start
	must(t, o.server.terminate(t))
	o.serve()
	o.browser("text").get("/").status(503)
	o.wasgi("tenants", "start", "text").exited(0)
	o.browser("text").get("/").status(200).text("set")
	o.wasgi("env", "unset", "text", "A").exited(0)
	o.browser("text").get("/").status(200).text("-")
}

// TestOperate reads a log, runs programs, and asks how tenants do.
func TestOperate(t *testing.T) {
	t.Parallel()
	o := operated(t)
	app := "print('at import')\n" + source("fine\n") + "    print('request\\x1b[2J', environ['PATH_INFO'])\n    return [b'fine']\n"
	app = strings.Replace(app, "    return [TEXT.encode()]\n", "", 1)
	script := "import os, sys\nprint('in', sys.stdin.read(), os.getcwd(), os.environ['A'])\nprint('err', file=sys.stderr)\nopen('/data/kept', 'w').close()\nsys.exit(3)\n"
	o.wasgi("deploy", o.app("", "wsgi.py", app, "manage.py", script, "wasgi.toml", "[env]\nA = \"1\"\n")).exited(0)
	o.browser("shop").get("/page").status(200).text("fine")
	o.wasgi("logs", "shop").exited(0).printed("stdout: at import\n", "stdout: request�[2J /page")
	o.wasgi("logs", "shop", "--json", "-n", "1").exited(0).printed(`"message":"request`, `"source":"stdout"`)
	o.wasgi("logs", "nobody").exited(1).complained("there is no such tenant")

	o.input("stdin", "run", "shop", "--", "manage.py", "migrate").wrote(3, "in stdin /app 1\n", "err\n")
	if _, err := os.Stat(filepath.Join(o.state, "data", "shop", "kept")); err != nil {
		t.Error(err)
	}
	o.wasgi("run", "shop", "--", "-c", "raise SystemExit(0)").wrote(0, "", "")
	o.wasgi("run", "shop", "--json", "--", "-c", "print('x'); raise SystemExit(4)").wrote(4, "{\"stream\":\"stdout\",\"data\":\"eAo=\"}\n{\"exit\":4}\n", "")
	o.wasgi("run", "shop", "--", "-c", "1/0").exited(1).complained("ZeroDivisionError")
	o.wasgi("run", "shop", "x").exited(2).complained("write -- between the tenant and Python's arguments")

	var all []struct {
		Name, State, Source, Release string
		Idle                         int
		Requests                     uint64
		Memory                       uint64
	}
	decode(t, o.wasgi("ps", "--json").exited(0).stdout, &all)
	_, current := o.digests("shop")
	booked := os.Getenv(levelVariable) != "process" // a worker tells what it takes some time later
	if len(all) != 1 || all[0].Name != "shop" || all[0].State != "serving" || all[0].Source != "release" || all[0].Release != current || all[0].Requests != 1 || booked && all[0].Memory == 0 {
		t.Errorf("%+v", all)
	}
	o.wasgi("tenants", "stop", "shop").exited(0)
	o.browser("shop").get("/").status(503)
	o.wasgi("tenants", "ls").exited(0).printed("shop    stopped  release")
	o.wasgi("tenants", "start", "shop").exited(0)
	o.browser("shop").get("/").status(200)
	o.wasgi("tenants", "rm", "shop").exited(0)
	o.browser("shop").get("/").status(404)
	if _, err := os.Stat(filepath.Join(o.state, "deployed", "shop")); !os.IsNotExist(err) {
		t.Errorf("releases are left: %v", err)
	}
	if _, err := os.Stat(filepath.Join(o.state, "data", "shop")); err != nil {
		t.Errorf("/data is gone: %v", err)
	}
}

// TestNoServer: commands say what to do.
func TestNoServer(t *testing.T) {
	t.Parallel()
	w, state := newWorld(t), t.TempDir()
	w.run(t, program{args: []string{"ps"}, state: state}).exited(1).complained("no server answers at unix:"+state+"/api.sock", "start `wasgi serve`", "--host")
	w.run(t, program{args: []string{"ps", "--host", "nowhere"}}).exited(2).complained(`"nowhere" is no address of an admin API`)
}

// TestManualPages: there is one for each command.
func TestManualPages(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(t), filepath.Join(t.TempDir(), "man1")
	w.run(t, program{args: []string{"man", dir}}).exited(0)
	for _, name := range []string{"wasgi", "wasgi-deploy", "wasgi-secret-set", "wasgi-tenants-ls", "wasgi-serve"} {
		if text := read(t, filepath.Join(dir, name+".1")); !strings.Contains(text, ".TH") || !strings.Contains(text, "SYNOPSIS") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestJobs does the jobs of a manifest when they are asked for; when they are due
// is a matter of package tenants.
func TestJobs(t *testing.T) {
	t.Parallel()
	o := operated(t)
	app := strings.Replace(source("ok"), `"200 OK"`, `"404 No" if environ["PATH_INFO"] == "/none" else "200 OK"`, 1)
	o.wasgi("deploy", o.app("", "wsgi.py", app, "job.py", "import sys\nprint('done', sys.argv[1])\nsys.exit(int(sys.argv[2]))\n", "wasgi.toml",
		"[cron]\n\"/task?x=1\" = \"0 0 1 1 *\"\n\"/none\" = \"@yearly\"\n\"job.py 'a b' 0\" = \"@yearly\"\n\"job.py c 3\" = \"@yearly\"\n")).exited(0)
	o.wasgi("cron", "run", "shop", "/task?x=1").wrote(0, "", "")
	o.wasgi("cron", "run", "shop", "/task?x=1", "--json").wrote(0, "{\n  \"done\": \"/task?x=1\",\n  \"tenant\": \"shop\"\n}\n", "")
	o.wasgi("cron", "run", "shop", "/none").exited(1).complained("the job failed: GET /none was answered with 404")
	o.wasgi("cron", "run", "shop", "/unknown").exited(1).complained(`shop has no job "/unknown"`)
	o.wasgi("cron", "run", "shop", "job.py 'a b' 0").wrote(0, "", "")
	o.wasgi("cron", "run", "shop", "job.py c 3").exited(1).complained("the job failed: exit status 3")
	o.wasgi("logs", "shop").exited(0).printed("cron: done a b\n", `a job was done job=job.py 'a b' 0`, "a job failed error=exit status 3 job=job.py c 3")
	var all []struct{ What, Schedule, Next, Last, Error string }
	decode(t, o.wasgi("cron", "ls", "shop", "--json").exited(0).stdout, &all)
	if len(all) != 4 || all[0].What != "/none" || all[0].Error != "GET /none was answered with 404" || all[1].Error != "" || all[1].Last == "" || !strings.HasSuffix(all[1].Next, "-01-01T00:00:00Z") {
		t.Errorf("%+v", all)
	}
	o.wasgi("deploy", o.app("", "wsgi.py", app, "wasgi.toml", "[cron]\n\"/x\" = \"daily\"\n")).exited(1).complained(`wasgi.toml:1: cron: "daily" is no schedule`)
}
