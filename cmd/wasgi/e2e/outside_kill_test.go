package e2e

import (
	"context"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// becomes asks until something holds, a few times a second.
func becomes(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for give := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(give) {
			t.Errorf("it never came that %s", what)
			return
		}
	}
}

// asked is what a program of Debian's says about a server.
func asked(t *testing.T, program string, args ...string) string {
	t.Helper()
	within, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(within, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// leaves asks for a page that waits at a server until its request's deadline, and
// looks into the server's own list of clients: one comes, and goes.
func (b *browser) leaves(path, sign string, list func() string) {
	b.t.Helper()
	status := make(chan int, 1)
	go func() {
		resp, err := b.client.Do(b.request("GET", path))
		if err != nil {
			status <- 0
			return
		}
		_ = resp.Body.Close()
		status <- resp.StatusCode
	}()
	becomes(b.t, path+" is at the server", func() bool { return strings.Count(list(), sign) == 1 })
	if got := <-status; got != 504 {
		b.t.Errorf("%s: status %d", path, got)
	}
	becomes(b.t, path+" has left the server", func() bool { return strings.Count(list(), sign) == 0 })
}

// processesOf reads MariaDB's list of clients and what they do, a line for each.
func processesOf(t *testing.T, server string) func() string {
	host, port, _ := net.SplitHostPort(server)
	return func() string {
		return asked(t, "mariadb", "--no-defaults", "-h", host, "-P", port, "-u", "wasgi", "-psecret", "-N", "-e", "show full processlist")
	}
}

// clientsOf reads that of Redis.
func clientsOf(t *testing.T, server string) func() string {
	host, port, _ := net.SplitHostPort(server)
	return func() string { return asked(t, "redis-cli", "-h", host, "-p", port, "client", "list") }
}

// TestKillsLeaveNoConnection at MariaDB and Redis, when a request's time is over
// in the middle of a command. For PostgreSQL see TestPostgreSQL.
func TestKillsLeaveNoConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	places := map[string]string{"MARIADB": mariadb(t), "REDIS": redisServer(t)}
	// Time for the drivers' import, which fresh does in each request.
	s := w.outside(t, places, "[limits]\nrequest_timeout = \"6s\"\n", "pymysql", "redis")
	processes, clients := processesOf(t, places["MARIADB"]), clientsOf(t, places["REDIS"])
	inEach(t, s, func(t *testing.T, b *browser) {
		b.leaves("/mariadb/sleep", "select sleep(600)", processes)
		b.leaves("/redis/wait?command=blpop", "cmd=blpop", clients)
		b.leaves("/redis/wait?command=xread", "cmd=xread", clients)
		if got := strings.Count(clients(), "\n"); got != 1 {
			t.Errorf("%d clients besides this one", got-1)
		}
		b.get("/mariadb").status(200)
		b.get("/redis").status(200)
	})
}
