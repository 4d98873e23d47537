package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// passed is a socket that a parent opened, and its name.
type passed struct {
	name string
	net.Listener
}

// listenAt opens a socket for a child. This process does not answer on it.
func listenAt(t *testing.T, name, network, address string) passed {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return passed{name, l}
}

// pass gives sockets to a command as sd_listen_fds(3) has it: from descriptor 3
// on, for the process of this number. A shell knows the number before it becomes
// the command.
func pass(t *testing.T, c *exec.Cmd, sockets []passed) {
	t.Helper()
	var names []string
	for _, s := range sockets {
		names = append(names, s.name)
		c.ExtraFiles = append(c.ExtraFiles, fileOf(t, s.Listener))
	}
	c.Args = append([]string{"sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, c.Path}, c.Args[1:]...)
	c.Path = "/bin/sh"
	c.Env = append(c.Env, fmt.Sprint("LISTEN_FDS=", len(sockets)), "LISTEN_FDNAMES="+strings.Join(names, ":"))
}

func fileOf(t *testing.T, l net.Listener) *os.File {
	t.Helper()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestSocketActivation: the sockets of systemd are served without a word in the
// configuration, those with a name where it is named, and connections that came
// before the server did are answered.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tcp := listenAt(t, "web", "tcp", "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "s")
	local := listenAt(t, "local", "unix", path)
	early := dial(t, site{origin: "http://" + tcp.Addr().String()})
	early.send("GET /bare/ HTTP/1.1\r\nHost: h\r\n\r\n")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), passed: []passed{tcp, local}}, "bare")
	early.answers(http.MethodGet).status(200).text("Hello from WSGI!\n")
	for _, l := range []passed{tcp, local} {
		c := connect(t, l.Addr().Network(), l.Addr().String())
		c.send("GET /bare/environ HTTP/1.1\r\nHost: h\r\n\r\n")
		a := c.answers(http.MethodGet).status(200).lacks("LISTEN_")
		if l == local {
			a.has("REMOTE_ADDR=''\n", "SERVER_PORT='80'\n")
		}
	}
	if err := s.terminate(t); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket of systemd is gone: %v", err)
	}
}

func TestNamedSockets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tcp, other, probes := listenAt(t, "web", "tcp", "127.0.0.1:0"), listenAt(t, "other", "tcp", "127.0.0.1:0"), listenAt(t, "probes", "tcp", "127.0.0.1:0")
	inherited := listenAt(t, "none", "tcp", "127.0.0.1:0")
	s := w.serve(t, launch{
		root: w.rootOf(t, "bare"), passed: []passed{tcp, other, probes, inherited},
		flags: []string{"--listen", "systemd:web,fd://6,127.0.0.1:0", "--admin-listen", "systemd:probes"},
	}, "bare")
	for _, address := range []string{tcp.Addr().String(), inherited.Addr().String()} {
		c := connect(t, "tcp", address)
		c.send("GET /bare/ HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answers(http.MethodGet).status(200).text("Hello from WSGI!\n")
	}
	c := connect(t, "tcp", probes.Addr().String())
	c.send("GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n")
	c.answers(http.MethodGet).status(200)
	s.logs(t, `a socket that systemd passed is not used.* name=other`, 0)
}
