package e2e

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mebibytes is the memory of the process that only it has: anonymous pages, and
// files that live in memory.
func (s *server) mebibytes(t *testing.T) int {
	t.Helper()
	return (s.memory(t, "RssAnon") + s.memory(t, "RssShmem")) >> 20
}

// memory is what the kernel's status of the process says, see proc_pid_status(5),
// in bytes: VmRSS is what it has, VmHWM the most that it has had.
func (s *server) memory(t *testing.T, field string) int {
	t.Helper()
	status := read(t, fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	match := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+) kB$`).FindStringSubmatch(status)
	if match == nil {
		t.Fatalf("no %s in %s", field, status)
	}
	n, err := strconv.Atoi(match[1])
	must(t, err)
	return n << 10
}

const holdingApp = `held = []

def application(environ, start_response):
    held.append(bytearray(60 << 20))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"full"]
`

// TestATenantThatIsFullIsChanged: there is no room for the interpreter of its next
// release. That is its own trouble: the host once ended with it.
func TestATenantThatIsFullIsChanged(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, root, "full/wsgi.py", holdingApp)
	write(t, root, "neighbour/wsgi.py", source("here\n"))
	s := w.serve(t, launch{root: root, flags: []string{"--memory-per-tenant", "96MiB"}}, "full", "neighbour")
	full, neighbour := s.site(t, "full").browser(t), s.site(t, "neighbour").browser(t)
	full.get("/").status(200).text("full")

	from := s.log.size()
	write(t, root, "full/wsgi.py", source("changed\n"))
	// A worker process has memory of its own, and so the change has room.
	s.logs(t, `msg="cannot be served" tenant=full .*out of memory|msg=serving tenant=full `, from)
	neighbour.get("/").status(200).text("here\n")
}

const wantingApp = `import time

held = []

def wanting():
    for _ in range(1024):  # until the client reads
        yield bytes(64 << 10)
    end = time.monotonic() + 5
    while True:
        try:
            held.append(bytearray(110 << 20))
            yield b"granted"
            return
        except MemoryError:
            if time.monotonic() > end:
                yield b"refused"
                return
            time.sleep(0.01)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/wanting":
        return wanting()
    held.append(bytearray(60 << 20))
    return [b"grown"]
`

// TestIdleInstancesAreNotInTheWay: what a tenant's idle instance grew by is for the
// one that runs. A request used to get its MemoryError there.
func TestIdleInstancesAreNotInTheWay(t *testing.T) {
	t.Parallel()
	if apartByDefault() {
		t.Skip("a worker process has memory of its own, and one instance")
	}
	w, root := newWorld(t), t.TempDir()
	write(t, root, "app/wsgi.py", wantingApp)
	write(t, root, "app/wasgi.toml", "[limits]\nmemory = \"192MiB\"\n[instances]\nmax = 2\n")
	s := w.serve(t, launch{root: root, flags: []string{"--memory-per-tenant", "160MiB"}}, "app")
	b := s.site(t, "app").browser(t)
	wanting, err := b.client.Do(b.request("GET", "/wanting"))
	must(t, err)
	defer wanting.Body.Close()
	s.site(t, "app").browser(t).get("/").status(200).text("grown")
	page, err := io.ReadAll(wanting.Body)
	must(t, err)
	if end := strings.TrimLeft(string(page), "\x00"); end != "granted" {
		t.Errorf("the memory of another instance, which is idle, was in the way: %s", end)
	}
}
