package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// upgrade sends SIGUSR2, waits until another process has taken over, and returns
// its number. It ends with the test.
func (s *server) upgrade(t *testing.T, pid int) int {
	t.Helper()
	from := s.log.size()
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	match, _ := s.log.wait(t, regexp.MustCompile(`(?m)another process has taken over: .* pid=(\d+)$`), from)
	next, err := strconv.Atoi(match[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(next, syscall.SIGTERM) }) // before the server's own
	return next
}

// TestUpgrade replaces the process twice while clients make requests, each on a
// connection of its own, and one of them takes its time. Nobody notices.
func TestUpgrade(t *testing.T) { // not in parallel: a file that another test's child has open to write cannot be run
	w := newWorld(t)
	socket, admin := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "admin")
	binary, state := w.alone(t), t.TempDir()
	s := w.serve(t, launch{
		root: w.rootOf(t, "bare"), state: state, binary: binary,
		flags: []string{"--listen", "127.0.0.1:0,127.0.0.1:0,unix:" + socket, "--admin-listen", "unix:" + admin},
	}, "bare")
	addresses := s.addresses(t, 3)
	local := func() {
		t.Helper()
		c := connect(t, "unix", socket)
		c.send("GET /bare/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		c.answers(http.MethodGet).status(200).text("Hello from WSGI!\n")
	}
	local()
	stream := s.site(t, "bare").browser(t).begin("/stream?pause=1")
	stream.expect("chunk 1 of 5\n")

	stop, failures := make(chan struct{}), make(chan error, 2)
	var clients sync.WaitGroup
	requests := [2]int{}
	for i := range 2 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: from127005}}
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := client.Get("http://" + addresses[i] + "/bare/")
				if err != nil {
					failures <- err
					return
				}
				res.Body.Close()
				if res.StatusCode != 200 {
					t.Errorf("status %d", res.StatusCode)
				}
				requests[i]++
			}
		})
	}
	first := s.cmd.Process.Pid
	text, err := os.ReadFile(binary) // the new version, under the old name
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary+".new", text, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(binary+".new", binary); err != nil {
		t.Fatal(err)
	}
	second := s.upgrade(t, first)
	local()
	stream.expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
	third := s.upgrade(t, second)
	local()
	close(stop)
	clients.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
	if requests[0] == 0 || requests[1] == 0 {
		t.Errorf("there were %v requests", requests)
	}
	unixBrowser(t, s, admin).get("/readyz").status(200)
	if holder := read(t, filepath.Join(state, ".serve.lock")); holder != strconv.Itoa(third)+"\n" {
		t.Errorf("the state folder is claimed by %q, want %d", holder, third)
	}
	if _, err := os.Stat(socket); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(third, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done // all three have ended
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the last one has left its socket: %v", err)
	}
}

// TestFailedUpgrade: whatever is wrong with the new process, the old one goes on.
func TestFailedUpgrade(t *testing.T) { // not in parallel, see TestUpgrade
	w, root := newWorld(t), t.TempDir()
	socket, binary := filepath.Join(t.TempDir(), "s"), w.alone(t)
	write(t, root, "app/wsgi.py", source("app\n"))
	s := w.serve(t, launch{root: root, binary: binary, flags: []string{"--watch=false", "--listen", "127.0.0.1:0,unix:" + socket}}, "app")
	b := s.site(t, "app").browser(t)
	fails := func(what, expression string) {
		t.Helper()
		from := s.log.size()
		if err := s.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		s.logs(t, `level=ERROR msg="no other process has taken over: this one goes on" error=.*`+expression, from)
		b.get("/").status(200).text("app\n")
		c := connect(t, "unix", socket)
		c.send("GET /app/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		c.answers(http.MethodGet).status(200).text("app\n")
	}
	write(t, root, "app/wsgi.py", "import nothing_of_this_name\n")
	fails("an application that fails", `was not ready: exit status 1`)
	s.logs(t, `the older process serves app and this one cannot`, 0)
	write(t, root, "app/wsgi.py", source("app\n"))

	if err := os.WriteFile(binary+".new", []byte("#!/bin/sh\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(binary+".new", binary); err != nil {
		t.Fatal(err)
	}
	fails("a program that ends", `was not ready: exit status 7`)
	if err := os.Remove(binary); err != nil {
		t.Fatal(err)
	}
	fails("no program", `no such file`)
}
