package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// attacksOnFairness are the rows that try to keep others from being served, and
// the faults that a host must outlive.
func attacksOnFairness() []attackRow {
	return []attackRow{
		{id: 55, name: "a client that leaves", safe: "the next piece ends the application, close() runs", run: leavingClients},
		{id: 64, name: "requests to inner addresses", safe: "PermissionError, whatever the manifest allows; a guest sees its own files only", run: innerAddresses},
		{id: 65, name: "egress as a weapon", safe: "connections, bytes and names are counted; PermissionError above", run: egressAsAWeapon},
		{id: 66, name: "admin without rights", safe: "two read-only probes on loopback, nothing else", run: adminListener},
		{id: 69, name: "another's domain", safe: "the first claim stands, the second tenant is told", run: takenDomain},
		{id: 78, name: "clock jumps", why: "setting the clock would hit the whole machine; every deadline is a monotonic reading of Go's clock, which context and the meter compare (TestDeadlinesAreMonotonic in host/sandbox)"},
		{id: 79, name: "SIGTERM with work in flight", safe: "answered, streamed to the end, exit 0", run: orderlyEnd},
		{id: 79, name: "a second SIGTERM", safe: "ends at once", run: impatientEnd},
		{id: 80, name: "a worker process dies", safe: "its requests alone get 502, the next one starts", run: dyingWorker},
		{id: 80, name: "a panic in the host", why: "none can be made from outside; TestStatusOfFaults in host injects one, and each host function contains its own (TestServeHostPanics in host/sandbox)"},
		{id: 81, name: "crash loop at import", safe: "attempts with growing pauses, 502 at once", run: crashLoop},
		{id: 81, name: "crash loop at restore", safe: "503 with Retry-After at once", run: restoreLoop},
		{id: 82, name: "noisy neighbour", safe: "the other tenant gets its turns", run: noisyNeighbour},
		{id: 82, name: "one tenant's flood", safe: "its queue is bounded: 503 with Retry-After, others are served", run: fullQueue},
		{id: 83, name: "a thousand clients of a cold tenant", safe: "one boot serves all", run: coldHerd},
		{id: 84, name: "many idle tenants", safe: "instances go, memory stays small", long: true, run: idleTenants},
		{id: 85, name: "engine partitions", why: "there is no cluster engine"},
		{id: 86, name: "leaks over many requests", safe: "descriptors and mappings return to where they were", run: leaks},
		{id: 88, name: "supply chain", why: "nothing at run time: sources are pinned by SHA-256 (pywasm/build/pins.go and its tests), wheels by the application's own pins, Go modules by go.sum; make check asks govulncheck"},
	}
}

const streamer = `
import time
def pieces():
    try:
        while True:
            yield b"piece\n"
            time.sleep(0.005)
    finally:
        print("ended in order", file=environ["wsgi.errors"])
class Body:
    def __init__(self): self.pieces = pieces()
    def __iter__(self): return self.pieces
    def close(self):
        self.pieces.close()
        print("close was called", file=environ["wsgi.errors"])
start_response("200 OK", [])
response = Body()
`

func leavingClients(g *siege) {
	g.hostile("hostile", "[instances]\nmax = 1\n")
	hostile := g.serve().site(g.T, "hostile")
	for range 5 {
		from := g.server.log.size()
		b := hostile.browser(g.T)
		resp, err := b.client.Do(b.request("POST", "/", body("", streamer)))
		if err != nil {
			g.Fatal(err)
		}
		if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != "piece\n" {
			g.Errorf("the first piece: %q, %v", line, err)
		}
		resp.Body.Close()
		hostile.logged(g.T, "ended in order", from)
		hostile.logged(g.T, "close was called", from)
		hostile.well(g.T)
	}
}

func innerAddresses(g *siege) {
	g.hostile("hostile", "[network]\nallow = [\"*:*\", \"0.0.0.0/0:*\", \"[::/0]:*\"]\n")
	hostile := g.serve().site(g.T, "hostile")
	hostile.attack(g.T, `
import socket, urllib.error, urllib.request
done = []
def refused(what, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except PermissionError:
        return
    except urllib.error.URLError as e:
        if isinstance(e.reason, PermissionError):
            return
    except OSError:
        pass
    done.append(what)
for host in ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "0.0.0.0",
             "::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254", "fe80::1"]:
    refused(host, socket.create_connection, (host, 80), timeout=5)
    name = f"[{host}]" if ":" in host else host
    refused("url " + host, urllib.request.urlopen, f"http://{name}/", timeout=5)
    try:
        urllib.request.urlopen(f"http://user@{name}/", timeout=5)
        done.append("user@" + host)
    except (OSError, ValueError):
        pass
    u = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    refused("udp " + host, u.sendto, b"x", (host, 53))
    u.close()
for host in ["2130706433", "0177.0.0.1", "127.1", "0x7f.1"]:
    try:
        socket.create_connection((host, 80), timeout=5)
        done.append(host)
    except OSError:
        pass
for url in ["file:///etc/shadow", "file:///proc/self/environ", "ftp://127.0.0.1/", "unix:///var/run/docker.sock"]:
    try:
        urllib.request.urlopen(url)
        done.append(url)
    except (OSError, ValueError):
        pass
answer = done
`).status(200).text("[]")
}

// egressAsAWeapon opens as many connections as it can, and sends as much.
func egressAsAWeapon(g *siege) {
	host, port, _ := net.SplitHostPort(echoServer(g.T))
	g.hostile("hostile", "[network]\nallow = [\"127.0.0.1:"+port+"\"]\nconnections = 4\nbytes = \"1MiB\"\n[instances]\nmax = 1\n")
	hostile := g.serve("--egress", "127.0.0.1:*").site(g.T, "hostile")
	from := g.server.log.size()
	hostile.attack(g.T, `
import socket
open, refused = [], 0
for _ in range(50):
    try:
        open.append(socket.create_connection(("`+host+`", `+port+`), timeout=5))
    except PermissionError as e:
        refused += "(rule network.connections)" in str(e)
s, sent = open[0], 0
try:
    while sent < 64 << 20:
        sent += s.send(b"x" * 65536)
        s.recv(65536)
    end = "never"
except PermissionError as e:
    end = "(rule network.bytes)" in str(e)
answer = [len(open), refused, end, sent <= (1 << 20) + 65536]
kept["open"] = open
`).status(200).text("[4, 46, True, True]")
	hostile.logged(g.T, "rule=network.connections", from)
	hostile.logged(g.T, "rule=network.bytes", from)
}

// adminListener asks the probes' listener for everything else.
func adminListener(g *siege) {
	admin := adminSocket(g.T)
	g.serve(admin.flags()...)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200}, {"GET", "/readyz", 200}, {"GET", "/", 404}, {"GET", "/metrics", 200}, {"POST", "/metrics", 405},
		{"GET", "/debug/pprof/", 404}, {"POST", "/healthz", 405}, {"DELETE", "/readyz", 405}, {"GET", "/../etc/passwd", 404},
	} {
		if status := admin.ask(g.T, c.method, c.path); status != c.status {
			g.Errorf("%s %s: status %d, want %d", c.method, c.path, status, c.status)
		}
	}
}

// admin is the listener of the probes, on a Unix socket of its own.
type admin struct {
	path   string
	client *http.Client
}

func adminSocket(t *testing.T) admin {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return admin{path, &http.Client{Transport: transport}}
}

func (a admin) flags() []string { return []string{"--admin-listen", "unix:" + a.path} }

// ask returns the status of an answer.
func (a admin) ask(t *testing.T, method, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://attacker.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func takenDomain(g *siege) {
	g.hostile("owner", "hosts = [\"shop.example\"]\n[env]\nWHOSE = \"owner\"\n")
	s := g.serve()
	g.hostile("a-thief", "hosts = [\"shop.example\"]\n[env]\nWHOSE = \"thief\"\n")
	s.logs(g.T, `(?m)tenant=a-thief.*shop\.example`, 0)
	shop := s.sitePath("neighbour", "")
	shop.prefix = ""
	whose := "import os; answer = os.environ['WHOSE']"
	shop.browser(g.T).send("POST", "/", host("shop.example"), body("", whose)).status(200).text("owner")
}

func orderlyEnd(g *siege) {
	g.hostile("hostile", "")
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	slow := make(chan answer, 1)
	go func() {
		slow <- hostile.attack(g.T, "environ['wsgi.errors'].write('in flight\\n')\nimport time\ntime.sleep(1)\nanswer = 'late'")
	}()
	b := hostile.browser(g.T)
	code := "import time\ndef pieces():\n    for i in range(3):\n        yield b'piece\\n'\n        time.sleep(0.3)\nstart_response('200 OK', [])\nresponse = pieces()"
	resp, err := b.client.Do(b.request("POST", "/", body("", code)))
	if err != nil {
		g.Fatal(err)
	}
	hostile.logged(g.T, "in flight", 0)
	g.neighbour.leave()
	s.signal(g.T)
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "piece\npiece\npiece\n" {
		g.Errorf("the stream ended with %q, %v", text, err)
	}
	resp.Body.Close()
	(<-slow).status(200).text("late")
	if err := s.wait(g.T); err != nil {
		g.Errorf("the process ended with %v", err)
	}
}

func impatientEnd(g *siege) {
	g.hostile("hostile", "")
	s := g.serve()
	g.neighbour.leave()
	hostile := s.site(g.T, "hostile")
	b := hostile.browser(g.T)
	go func() {
		resp, err := b.client.Do(b.request("POST", "/", body("", "environ['wsgi.errors'].write('in flight\\n')\nimport time\ntime.sleep(60)")))
		if err == nil {
			resp.Body.Close()
		}
	}()
	hostile.logged(g.T, "in flight", 0)
	s.killed = true
	for i := 0; ; i++ { // the first one is answered with patience, the next with none
		s.signal(g.T)
		select {
		case <-s.done:
			if i == 0 {
				g.Error("it ended at the first signal, with a request in flight")
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func dyingWorker(g *siege) {
	g.hostile("hostile", apart)
	s := g.serve()
	hostile := s.site(g.T, "hostile")
	end := 0
	for i := range 3 {
		var pid int
		pid, end = s.worker(g.T, "hostile", end)
		lost := inFlight(g.T, hostile, fmt.Sprintf("in flight %d", i), "time.sleep(60)")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			g.Fatal(err)
		}
		(<-lost).status(502)
		hostile.recovers(g.T)
	}
}

func crashLoop(g *siege) {
	folder := g.hostile("hostile", "")
	write(g.T, folder, "wsgi.py", "raise SystemExit('not today')\ndef application(environ, start_response): pass\n")
	g.names = nil // it is never served
	s := g.serve()
	s.logs(g.T, `(?m)msg="cannot be served" tenant=hostile`, 0)
	hostile := s.sitePath("neighbour", "hostile")
	for range 50 {
		hostile.browser(g.T).get("/").status(502)
	}
	if n := strings.Count(s.log.String(), `msg="cannot be served" tenant=hostile`); n > 2 {
		g.Errorf("%d attempts while requests came", n)
	}
}

// restoreLoop loads well, and fails whenever an instance is made from its
// snapshot.
func restoreLoop(g *siege) {
	folder := g.hostile("hostile", "")
	write(g.T, folder, "wsgi.py", "import os\nos.register_at_fork(after_in_child=lambda: os._exit(3))\n"+
		read(g.T, filepath.Join("testdata", "apps", "hostile", "wsgi.py")))
	g.names = nil
	s := g.serve()
	s.logs(g.T, `msg=serving tenant=hostile`, 0)
	hostile := s.sitePath("neighbour", "hostile")
	for range 30 {
		a := hostile.browser(g.T).get("/").status(503)
		if after, err := strconv.Atoi(a.resp.Header.Get("Retry-After")); err != nil || after < 1 {
			g.Errorf("Retry-After %q", a.resp.Header.Get("Retry-After"))
		}
	}
	if strings.Contains(s.log.String(), "cannot make an instance (5 in a row") {
		g.Error("more than four attempts for thirty requests at once")
	}
}

// noisyNeighbour compares what the neighbour sees alone with what it sees beside
// tenants that want all processors.
func noisyNeighbour(g *siege) {
	for i := range 2 {
		g.hostile(fmt.Sprintf("hostile%d", i), "[limits]\nrequest_timeout = \"3s\"\n[instances]\nmax = 8\n")
	}
	s := g.serve()
	g.neighbour.until(100)
	alone := g.neighbour.percentile(99)
	g.neighbour.forget()
	var all sync.WaitGroup
	for i := range 8 {
		site := s.site(g.T, fmt.Sprintf("hostile%d", i%2))
		all.Go(func() { site.attack(g.T, "while True: pass").status(504) })
	}
	all.Wait()
	g.note("p99 alone %s, beside 8 spinning requests %s", alone, g.neighbour.percentile(99))
	if n := g.neighbour.visits(); n < 50 {
		g.Errorf("the neighbour was served %d times in 3 s", n)
	}
}

func fullQueue(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"2s\"\n[instances]\nmax = 1\nqueue = 5\n")
	hostile := g.serve().site(g.T, "hostile")
	var refused, served atomic.Int32
	var slowest atomic.Int64
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			begun := time.Now()
			a := hostile.attack(g.T, "import time; time.sleep(0.3); answer = 'done'")
			switch a.resp.StatusCode {
			case 200:
				served.Add(1)
			case 503:
				refused.Add(1)
				slowest.Store(max(slowest.Load(), int64(time.Since(begun))))
				if a.resp.Header.Get("Retry-After") == "" {
					g.Error("503 without Retry-After")
				}
			default:
				g.Errorf("status %d", a.resp.StatusCode)
			}
		})
	}
	all.Wait()
	if served.Load() < 6 || refused.Load() == 0 || served.Load()+refused.Load() != 100 {
		g.Errorf("%d were served and %d refused", served.Load(), refused.Load())
	}
	g.note("%d refused, the slowest after %s", refused.Load(), time.Duration(slowest.Load()).Round(time.Millisecond))
}

// coldHerd sends a thousand requests while the tenant has never been started.
func coldHerd(g *siege) {
	folder := g.hostile("hostile", "[instances]\nqueue = 1000\nqueue_timeout = \"1m\"\n")
	write(g.T, folder, "wsgi.py", "import time\nprint('imported once', flush=True)\ntime.sleep(0.5)\n"+
		read(g.T, filepath.Join("testdata", "apps", "hostile", "wsgi.py")))
	g.names = nil
	s := g.serve("--queue-length", "1000", "--max-connections-per-address", "0")
	hostile := s.sitePath("neighbour", "hostile")
	var all sync.WaitGroup
	var other atomic.Int32
	for range 1000 {
		all.Go(func() {
			switch hostile.browser(g.T).get("/").resp.StatusCode {
			case 200:
			case 503:
				other.Add(1)
			default:
				g.Error("neither 200 nor 503")
			}
		})
	}
	all.Wait()
	if n := strings.Count(s.log.String(), "imported once"); n != 1 {
		g.Errorf("it was imported %d times", n)
	}
	g.note("%d of 1000 were told to come later", other.Load())
}

// idleTenants serves one request from each of many tenants and lets all of them
// go idle.
func idleTenants(g *siege) {
	const tenants = 300
	for i := range tenants {
		g.tenant(fmt.Sprintf("idle%d", i), "neighbour", "[instances]\nidle = \"1s\"\n")
	}
	names := g.names
	g.names = nil
	s := g.serve()
	before := s.mebibytes(g.T)
	for _, name := range names {
		s.site(g.T, name).browser(g.T).get("/").status(200)
	}
	busy := s.mebibytes(g.T)
	g.note("%d tenants: %d MiB at the start, %d after a request each", tenants, before, busy)
}

// leaks makes thousands of requests of every outcome and compares what the
// process has open.
func leaks(g *siege) {
	g.hostile("hostile", "[limits]\nrequest_timeout = \"100ms\"\ngrace = \"0s\"\n[instances]\nmax = 2\nmax_requests = 50\n")
	g.hostile("fresh", "isolation = \"fresh\"\n[instances]\nmax = 2\n")
	s := g.serve()
	hostile, fresh := s.site(g.T, "hostile").browser(g.T), s.site(g.T, "fresh").browser(g.T)
	round := func(n int) {
		for range n {
			hostile.get("/").status(200).text("well\n")
			fresh.get("/").status(200).text("well\n")
		}
		hostile.send("POST", "/", body("", "while True: pass")).status(504)
		hostile.send("POST", "/", body("", "import os; os._exit(1)")).status(502)
		fresh.send("POST", "/", body("", "f = open('/tmp/x', 'w'); answer = 'open'")).status(200).text("open")
	}
	round(20)
	files, maps := s.holds(g.T)
	for range 10 {
		round(50)
	}
	filesNow, mapsNow := s.holds(g.T)
	if filesNow > files+8 || mapsNow > maps+40 {
		g.Errorf("descriptors %d, then %d; mappings %d, then %d", files, filesNow, maps, mapsNow)
	}
	g.note("descriptors %d then %d, mappings %d then %d", files, filesNow, maps, mapsNow)
}

// holds counts the open descriptors and the mappings of the process.
func (s *server) holds(t interface{ Fatal(...any) }) (files, maps int) {
	folder := "/proc/" + strconv.Itoa(s.cmd.Process.Pid)
	entries, err := os.ReadDir(folder + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(folder + "/maps")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries), strings.Count(string(text), "\n")
}

// sitePath is a tenant at its default path of a host that serves another one
// already: it may not be served itself.
func (s *server) sitePath(served, name string) site {
	known := s.urls[served]
	scheme, rest, _ := strings.Cut(known, "://")
	host, _, _ := strings.Cut(rest, "/")
	return site{server: s, tenant: name, origin: scheme + "://" + host, prefix: "/" + name}
}
