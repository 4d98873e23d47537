package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// attacksOnState are the rows that look for what others left, or leave
// something for others to find.
func attacksOnState() []attackRow {
	return []attackRow{
		{id: 15, name: "memory that leaks", safe: "MemoryError at the limit, others go on, the host stays small", run: leakingMemory},
		{id: 40, name: "exits", safe: "500 or 502, the next request is answered", run: exits},
		{id: 41, name: "an instance after its end", safe: "never used again", run: afterItsEnd},
		{id: 57, name: "another request's environ", safe: "gone; only the application's own globals last", run: anothersEnviron},
		{id: 58, name: "another tenant's bytes", safe: "not in the memory of any instance", run: anothersBytes},
		{id: 59, name: "secrets in a snapshot", safe: "the tenant's own only, mode 0600", run: secretsInSnapshots},
		{id: 60, name: "equal randomness of clones", safe: "no value comes twice, hashes differ between tenants", run: equalRandomness},
		{id: 61, name: "fine timers", safe: "clocks count microseconds; no threads, no shared memory", run: fineTimers},
		{id: 62, name: "who else is here", safe: "one answer to every name that nobody has", run: whoElse},
		{id: 63, name: "the admin listener from a guest", safe: "PermissionError: loopback is not allowed", run: adminFromGuest},
	}
}

func leakingMemory(g *siege) {
	g.hostile("hostile", "[limits]\nmemory = \"96MiB\"\n[instances]\nmax = 1\n")
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	requests := 200
	if allAttacks() {
		requests = 5000
	}
	b, failed := hostile.browser(g.T), 0
	for range requests {
		a := b.send(http.MethodPost, "/", body("", "kept.setdefault(2, []).append(bytearray(1 << 20)); answer = 'kept'"))
		switch a.resp.StatusCode {
		case http.StatusOK:
			a.text("kept")
		default:
			a.status(500)
			failed++
		}
	}
	if failed == 0 || failed > requests/4 {
		g.Errorf("%d of %d requests failed: want some, when the memory is full, and few", failed, requests)
	}
	g.note("%d of %d requests failed, the host has %d MiB", failed, requests, s.memory(g.T, "VmRSS")>>20)
	if got := s.memory(g.T, "VmRSS"); got > 1<<30 {
		g.Errorf("the host has %d bytes", got)
	}
}

func exits(g *siege) {
	g.hostile("hostile", "")
	g.hostile("fresh", "isolation = \"fresh\"\n")
	s := g.serve()
	for _, tenant := range []string{"hostile", "fresh"} {
		hostile := s.site(g.T, tenant)
		for code, status := range map[string]int{
			"import sys; sys.exit()": 500, "import sys; sys.exit(3)": 500, "raise SystemExit('text')": 500, "quit()": 500,
			"raise KeyboardInterrupt": 500, "raise GeneratorExit": 500, "raise BaseException": 500, "class E(BaseException): pass\nraise E": 500,
			"import os; os._exit(0)": 502, "import os; os._exit(7)": 502, "import os; os.abort()": 502,
			"import signal; signal.raise_signal(signal.SIGABRT)": 502,
			"import faulthandler; faulthandler._sigsegv()":       502,
			"import os; os.kill(os.getpid(), 9)":                 500,
			"import atexit; atexit._run_exitfuncs(); 1 / 0":      500,
		} {
			a := hostile.persist(g.T, code)
			if a.resp.StatusCode != status {
				g.Errorf("%s: %q answered %d, want %d", tenant, code, a.resp.StatusCode, status)
			}
			a.lacks("Traceback", "attack.py").has(a.resp.Header.Get("X-Request-Id"))
			hostile.persist(g.T, "").status(200).text("well\n")
		}
	}
}

// persist is attack that comes again while it is told to come later, as after a
// crash.
func (s site) persist(t *testing.T, code string) answer {
	t.Helper()
	for give := time.Now().Add(patience); ; {
		if a := s.attack(t, code); a.resp.StatusCode != http.StatusServiceUnavailable || time.Now().After(give) {
			return a
		}
	}
}

func afterItsEnd(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"1s\"\ngrace = \"0s\"\n[instances]\nmax = 1\n")
	hostile := g.serve().site(g.T, "hostile")
	for _, end := range []string{"import os; os.abort()", "import os; os._exit(1)", "while True: pass", "import time; time.sleep(100)"} {
		hostile.persist(g.T, "kept['poison'] = 1; answer = 'set'").status(200).text("set")
		hostile.persist(g.T, "answer = kept['poison']").status(200).text("1") // reuse: globals last
		hostile.persist(g.T, end)
		hostile.persist(g.T, "answer = 'poison' in kept").status(200).text("False")
	}
}

func anothersEnviron(g *siege) {
	g.hostile("hostile", "[instances]\nmax = 1\n")
	b := g.serve().site(g.T, "hostile").browser(g.T)
	post := func(code string, o ...option) answer {
		return b.send(http.MethodPost, "/", append(o, body("", code))...)
	}
	post("kept['seen'] = 1; answer = environ['HTTP_X_SECRET']", header("X-Secret", "s3cret"), header("Cookie", "c=s3cret"), header("Authorization", "s3cret")).
		status(200).text("s3cret")
	post(`answer = [kept, sorted(k for k, v in environ.items() if "s3cret" in str(v)), environ["wsgi.input"].read(), __import__("sys").stdin.read()]`).
		status(200).text("[{'seen': 1}, [], b'', '']")
}

// anothersBytes looks through the memory of the server for what a tenant had,
// before and after it is gone.
func anothersBytes(g *siege) {
	gone := g.hostile("gone", "[limits]\nrequest_timeout = \"1s\"\ngrace = \"0s\"\n[instances]\nmax = 2\n")
	g.hostile("quiet", "[instances]\nmax = 2\n")
	s := g.serve()
	hostile, quiet := s.site(g.T, "gone"), s.site(g.T, "quiet")
	canary := "the canary of a tenant that is gone"
	leave := "text = '" + canary + "'\nkept[3] = [text * 100000, text.encode() * 100000, (text + '\\u4e00') * 1000]\nopen('/tmp/c', 'w').write(text * 1000)\nprint(text)\n"
	hostile.attack(g.T, leave).status(200)
	if n := inGuest(g.T, s, "gone", canary); n == 0 {
		g.Fatal("the canary is not found in the tenant's own memory: the search finds nothing")
	}
	quiet.well(g.T)
	for _, end := range []string{"import os; os._exit(0)", "import os; os.abort()", "while True: pass"} {
		hostile.attack(g.T, leave+end)
		quiet.attack(g.T, "kept.clear(); kept[1] = bytearray(50 << 20); answer = 'grown'").status(200).text("grown")
		if n := inGuest(g.T, s, "quiet", canary); n != 0 {
			g.Errorf("after %q another tenant's memory has the canary %d times", end, n)
		}
	}
	if err := os.RemoveAll(gone); err != nil {
		g.Fatal(err)
	}
	s.logs(g.T, `msg=stopped tenant=gone`, 0)
	quiet.well(g.T)
	if n := inGuest(g.T, s, "quiet", canary); n != 0 {
		g.Errorf("another tenant's memory has the canary %d times", n)
	}
}

// inGuest counts a text in the mappings of a tenant's image, and in what
// follows each without a gap: the memory that grew.
func inGuest(t *testing.T, s *server, tenant, text string) int {
	t.Helper()
	pid := s.guestProcess(t, tenant)
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if errors.Is(err, fs.ErrPermission) {
		t.Skip("the memory of a process must not be read here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	count, end := 0, uint64(0)
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/maps", pid))) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatal(err)
		}
		own := strings.HasSuffix(strings.TrimSpace(line), snapshotOf("/", tenant))
		if !own && from != end || !strings.HasPrefix(mode, "rw") {
			continue
		}
		if own || from == end {
			end = to
			piece := make([]byte, to-from)
			if _, err := memory.ReadAt(piece, int64(from)); err == nil {
				count += bytes.Count(piece, []byte(text))
			}
		}
	}
	return count
}

func secretsInSnapshots(g *siege) {
	state := g.TempDir()
	for _, name := range []string{"one", "two"} {
		folder := g.hostile(name, "[env]\nPASSWORD = \"secret-of-"+name+"\"\n")
		write(g.T, folder, "wsgi.py", "import os\nkept = os.environ['PASSWORD'] + ' and more'\n"+read(g.T, filepath.Join(folder, "wsgi.py")))
	}
	env := append(environment(g.world.cache, state), "PASSWORD=secret-of-the-operator", "OTHER=secret-of-the-operator")
	g.launch(launch{state: state, env: env})
	for _, name := range []string{"one", "two"} {
		file := snapshotOf(state, name)
		info, err := os.Stat(file)
		if err != nil || info.Mode() != 0o600 {
			g.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
		var found []string
		for _, match := range regexp.MustCompile(`secret-of-(the-operator|one|two)`).FindAllString(read(g.T, file), -1) {
			if !slices.Contains(found, match) {
				found = append(found, match)
			}
		}
		if diff := cmp.Diff([]string{"secret-of-" + name}, found); diff != "" {
			g.Errorf("in the snapshot of %s (-want +got):\n%s", name, diff)
		}
	}
	for _, dir := range []string{state, filepath.Join(state, "snapshots"), filepath.Join(state, "data"), filepath.Join(state, "data", "one"), filepath.Join(state, "releases")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 && dir != state {
			g.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

func equalRandomness(g *siege) {
	for _, name := range []string{"reuse", "fresh", "other"} {
		folder := g.hostile(name, "[instances]\nmax = 4\n")
		write(g.T, folder, "wsgi.py", "import os, random, secrets, tempfile, uuid\nrandom.random()\nuuid.uuid1()\ntempfile.mktemp()\n"+
			read(g.T, filepath.Join(folder, "wsgi.py")))
	}
	prepend(g.T, filepath.Join(g.root, "fresh"), "isolation = \"fresh\"\n")
	s := g.serve()
	seen, hashes := map[string]string{}, map[string]bool{}
	for _, name := range []string{"reuse", "fresh", "other"} {
		b := s.site(g.T, name).browser(g.T)
		for range 50 {
			a := b.send(http.MethodPost, "/", body("", `
import os, random, secrets, tempfile, uuid
answer = "\n".join(map(str, [hash("a"), random.random(), random.SystemRandom().random(), uuid.uuid1(), uuid.uuid4(),
    secrets.token_hex(), tempfile.mktemp(), os.urandom(8).hex(), id(object()) and random.getrandbits(64)]))
`)).status(200)
			values := strings.Split(a.body, "\n")
			hashes[name+values[0]] = true
			hashes[values[0]] = true
			for _, v := range values[1:] {
				if who, ok := seen[v]; ok {
					g.Errorf("%s was drawn by %s and by %s", v, who, name)
				}
				seen[v] = name
			}
		}
	}
	if len(hashes) != 2*3 {
		g.Errorf("hashes of one text: %v, want one for each tenant", hashes)
	}
	g.note("%d values", len(seen))
}

func fineTimers(g *siege) {
	g.hostile("hostile", "")
	a := g.serve().site(g.T, "hostile").attack(g.T, `
import threading, time
steps = set()
for clock in time.perf_counter_ns, time.monotonic_ns, time.time_ns:
    last = clock()
    for _ in range(20000):
        now = clock()
        if now != last:
            steps.add((now - last) % 1000)
            kept["least"] = min(kept.get("least", 1 << 60), now - last)
        last = now
try:
    threading.Thread(target=print).start()
    thread = "started"
except RuntimeError:
    thread = "refused"
answer = f"{steps} {time.get_clock_info('perf_counter').resolution:.0e} {thread} {kept['least']}"
`).status(200)
	if !regexp.MustCompile(`^\{0\} 1e-06 refused \d+000$`).MatchString(a.body) {
		g.Errorf("%q", a.body)
	}
	g.note("least step %s ns", a.body[strings.LastIndexByte(a.body, ' ')+1:])
}

// whoElse compares what is answered to names that somebody has, in some other
// way, with what is answered to a name that nobody has.
func whoElse(g *siege) {
	g.hostile("hidden", "hosts = [\"hidden.example\"]\n")
	g.hostile("mine", "hosts = [\"mine.example\"]\n")
	write(g.T, g.root, ".secret/wsgi.py", "application = None\n")
	s := g.serve()
	b := site{server: s, tenant: "neighbour", origin: s.site(g.T, "neighbour").origin}.browser(g.T)
	show := func(name, path string) string {
		resp := b.send(http.MethodGet, path, host(name))
		head := resp.resp.Header.Clone()
		id := head.Get("X-Request-Id")
		for _, h := range []string{"Date", "X-Request-Id"} {
			head.Del(h)
		}
		return fmt.Sprint(resp.resp.StatusCode, head, strings.ReplaceAll(resp.body, id, "ID"))
	}
	nobody := show("nobody.example", "/nothing")
	if !strings.HasPrefix(nobody, "404 ") {
		g.Errorf("nobody's page: %s", nobody)
	}
	for _, at := range [][2]string{
		{"nobody.example", "/hidden/"}, {"nobody.example", "/mine"}, {"x.hidden.example", "/"}, {"hidden", "/"}, {"hidden.example.com", "/"},
		{"127.0.0.1", "/hidden"}, {"localhost", "/.secret/"}, {"nobody.example", "/metrics"}, {"nobody.example", "/healthz"},
		{"nobody.example", "/readyz"}, {"nobody.example", "/debug/pprof/"}, {"nobody.example", "/neighbourhood"},
	} {
		if got := show(at[0], at[1]); got != nobody {
			g.Errorf("%s%s: %s, want %s", at[0], at[1], got, nobody)
		}
	}
}

func adminFromGuest(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--admin-listen", "127.0.0.1:0")
	_, port, _ := strings.Cut(s.site(g.T, "hostile").host(), ":")
	s.site(g.T, "hostile").attack(g.T, tried+"port = "+port+`
import socket, urllib.request
say("connect", socket.create_connection, ("127.0.0.1", port), 1)
say("connect 6", socket.create_connection, ("::1", port), 1)
say("socket", socket.socket)
say("unix", socket.socket, getattr(socket, "AF_UNIX", 3))
say("raw", socket.socket, socket.AF_INET, 3)
say("pair", getattr(socket, "socketpair", lambda: 1 / 0))
say("fileno", socket.socket, fileno=3)
say("resolve", socket.getaddrinfo, "localhost", 80)
say("url", urllib.request.urlopen, f"http://127.0.0.1:{port}/")
`).status(200).text(`connect: ENOTCAPABLE
connect 6: ENOTCAPABLE
socket: ok
unix: ENOTCAPABLE
raw: ENOTCAPABLE
pair: ok
fileno: ENOTSOCK
resolve: ok
url: None
`)
}
