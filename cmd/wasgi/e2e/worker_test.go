package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// apart is a manifest of a tenant in a worker process.
const apart = "isolation_level = \"process\"\n"

// worker waits for the line that tells of a tenant's worker, from a place on,
// and returns its process and where the line ends.
func (s *server) worker(t *testing.T, tenant string, from int) (pid, end int) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^.*msg="a worker process is jailed" tenant=` + regexp.QuoteMeta(tenant) + ` pid=(\d+) jail="(.*)"`)
	match, end := s.log.wait(t, line, from)
	pid, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid, end
}

// inFlight sends code that tells the log and then waits; the answer comes on
// the channel.
func inFlight(t *testing.T, s site, mark, code string) <-chan answer {
	t.Helper()
	done := make(chan answer, 1)
	go func() { done <- s.attack(t, "environ['wsgi.errors'].write('"+mark+"\\n')\nimport os, time\n"+code) }()
	s.logged(t, mark, 0)
	return done
}

// TestWorkerIsKilled kills the worker of a tenant in the middle of two requests:
// those get 502. The request of a neighbour in the same state goes on, and the
// tenant's next request finds another worker, and nothing locked by the first.
func TestWorkerIsKilled(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	write(t, w.app(t, root, "hostile"), "wasgi.toml", apart)
	copyTree(t, filepath.Join(root, "hostile"), filepath.Join(root, "next"))
	s := w.serve(t, launch{root: root, state: state}, "hostile", "next")
	hostile, next := s.site(t, "hostile"), s.site(t, "next")
	pid, end := s.worker(t, "hostile", 0)
	first := inFlight(t, hostile, "in flight 1", "import fcntl\nf = open('/data/db', 'w')\nfcntl.lockf(f, fcntl.LOCK_EX)\n"+
		"environ['wsgi.errors'].write('locked\\n')\ntime.sleep(60)")
	hostile.logged(t, "locked", 0)
	second := inFlight(t, hostile, "in flight 2", "while True: pass")
	other := inFlight(t, next, "in flight 3", "while not os.path.exists('/data/go'): time.sleep(0.01)")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, lost := range []<-chan answer{first, second} {
		a := (<-lost).status(502).contentType(plain)
		a.has(a.resp.Header.Get("X-Request-Id"))
	}
	hostile.attack(t, "import fcntl; answer = fcntl.lockf(open('/data/db', 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)").status(200).text("None")
	if again, _ := s.worker(t, "hostile", end); again == pid {
		t.Errorf("process %d serves after it was killed", pid)
	}
	write(t, state, "data/next/go", "")
	(<-other).status(200).text("well\n")
	hostile.logged(t, "a worker process ended: its requests were lost", 0)
}

// TestIsolationLevels starts hosts of both levels: a tenant may ask for a
// process of its own, and not be without one where the host wants it.
func TestIsolationLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		host, tenant string
		jailed       bool
	}{
		{"inprocess", "", false},
		{"inprocess", "inprocess", false},
		{"inprocess", "process", true},
		{"process", "", true},
		{"process", "inprocess", true},
	} {
		root := t.TempDir()
		folder := w.app(t, root, "counter")
		if c.tenant != "" {
			prepend(t, folder, "isolation_level = \""+c.tenant+"\"\n")
		}
		s := w.serve(t, launch{root: root, flags: []string{"--isolation-level", c.host}}, "counter")
		s.site(t, "counter").browser(t).get("/").status(200).text("1 in memory, 1 in /data\n")
		if jailed := s.site(t, "counter").count("a worker process is jailed", 0) == 1; jailed != c.jailed {
			t.Errorf("host %q, tenant %q: in a process of its own %v, want %v", c.host, c.tenant, jailed, c.jailed)
		}
		if !c.jailed {
			continue
		}
		pid, _ := s.worker(t, "counter", 0)
		if err := s.terminate(t); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); !os.IsNotExist(err) {
			t.Errorf("worker %d outlives its host: %v", pid, err)
		}
	}
}

// TestHostIsKilled: no worker outlives a host that had no time to say goodbye,
// not even one that is busy.
func TestHostIsKilled(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, w.app(t, root, "hostile"), "wasgi.toml", apart)
	s := w.serve(t, launch{root: root}, "hostile")
	hostile := s.site(t, "hostile")
	pid, _ := s.worker(t, "hostile", 0)
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Skipf("this kernel has no pidfd_open (Linux 5.3): %v", err)
	}
	defer unix.Close(handle)
	const code = "environ['wsgi.errors'].write('in flight\\n')\nwhile True: pass"
	c := dial(t, hostile)
	c.send("POST /hostile/ HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", hostile.host(), len(code), code)
	hostile.logged(t, "in flight", 0)
	s.killed = true
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ends := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}
	if n, err := unix.Poll(ends, int(patience.Milliseconds())); n != 1 || err != nil {
		t.Errorf("worker %d outlives its host: %v", pid, err)
	}
}

// apartByDefault says whether all servers of this run have worker processes.
func apartByDefault() bool { return os.Getenv(levelVariable) == "process" }

// guestProcess is the process that a tenant's guests run in.
func (s *server) guestProcess(t *testing.T, tenant string) int {
	t.Helper()
	if !apartByDefault() {
		return s.cmd.Process.Pid
	}
	pid, _ := s.worker(t, tenant, 0)
	return pid
}

// snapshotOf is the file that a tenant's snapshot is kept in.
func snapshotOf(state, tenant string) string {
	if apartByDefault() {
		return filepath.Join(state, "snapshots", "_workers", tenant, "image")
	}
	return filepath.Join(state, "snapshots", tenant)
}
