package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is one running `wasgi serve` or `wasgi dev`.
type server struct {
	cmd  *exec.Cmd
	out  *transcript // where tenants are served, and the access log
	log  *transcript
	done chan struct{}     // closed when the process has ended; then err is set
	err  error             // how it ended
	seen map[string]int    // end of the last line about a tenant that was waited for
	urls map[string]string // what that line said

	killed bool // by the test: how it ends says nothing
}

// listening is the line that says where clients connect.
const listening = `msg=listening url=(https?://[^\s/]+)/?(?:\s|$)`

// levelVariable names the isolation level that all servers get, for a second
// run of these tests; without it the binary's default holds.
const levelVariable = "WASGI_TEST_ISOLATION_LEVEL"

// launch says how to start a server.
type launch struct {
	root   string
	state  string   // "" for a folder that is empty
	flags  []string // after --listen, --admin-listen and --access-log off
	env    []string // nil for the world's
	binary string   // "" for the world's
	dev    bool     // `wasgi dev ROOT`
	passed []passed // sockets that are passed as systemd does it, instead of --listen
}

// serve starts the binary and returns when the named tenants are served. The
// process ends with the test, and the test fails unless it exits 0.
func (w world) serve(t *testing.T, l launch, tenants ...string) *server {
	t.Helper()
	if l.state == "" {
		l.state = t.TempDir()
	}
	s := &server{out: newTranscript(), log: newTranscript(), done: make(chan struct{}), seen: map[string]int{}, urls: map[string]string{}}
	s.cmd = exec.Command(w.binary, l.args()...)
	if l.binary != "" {
		s.cmd = exec.Command(l.binary, l.args()...)
	}
	s.cmd.Dir, s.cmd.Env = t.TempDir(), environment(w.cache, l.state)
	if l.env != nil {
		s.cmd.Env = l.env
	}
	if len(l.passed) > 0 {
		pass(t, s.cmd, l.passed)
	}
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.reap() // ends with the process, which stop ends
	t.Cleanup(func() { s.close(t) })
	for _, name := range tenants {
		s.ready(t, name)
	}
	return s
}

func (l launch) args() []string {
	args := []string{"serve", "--root", l.root}
	if l.dev {
		args = []string{"dev", l.root}
	}
	if len(l.passed) == 0 {
		args = append(args, "--listen", "127.0.0.1:0")
	}
	args = append(args, "--admin-listen", "", "--access-log", "off")
	if level := os.Getenv(levelVariable); level != "" {
		args = append(args, "--isolation-level", level)
	}
	return append(args, l.flags...)
}

func (s *server) reap() {
	s.err = s.cmd.Wait()
	s.out.end()
	s.log.end()
	close(s.done)
}

// ready waits for the next line that says that a tenant serves a new release,
// and returns its URL without a slash at the end.
func (s *server) ready(t *testing.T, tenant string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(tenant) + `\s.*?(https?://\S+)`)
	match, end := s.out.wait(t, line, s.seen[tenant])
	s.seen[tenant] = end
	s.urls[tenant] = strings.TrimSuffix(match[1], "/")
	return s.urls[tenant]
}

// site is a tenant that is served already.
func (s *server) site(t *testing.T, tenant string) site {
	t.Helper()
	address, found := s.urls[tenant]
	if !found {
		address = s.ready(t, tenant)
	}
	scheme, rest, _ := strings.Cut(address, "://")
	host, prefix, below := strings.Cut(rest, "/")
	if below {
		prefix = "/" + prefix
	}
	return site{server: s, tenant: tenant, origin: scheme + "://" + host, prefix: prefix}
}

// logs waits for a line of the log that matches the expression, from a place
// on, and returns where it ends.
func (s *server) logs(t *testing.T, expression string, from int) int {
	t.Helper()
	_, end := s.log.wait(t, regexp.MustCompile(expression), from)
	return end
}

// terminate ends the process as an operator would and waits for its end.
func (s *server) terminate(t *testing.T) error {
	t.Helper()
	s.signal(t)
	return s.wait(t)
}

func (s *server) signal(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("SIGTERM: %v", err)
	}
}

func (s *server) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		t.Errorf("the process did not end after SIGTERM")
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	return s.err
}

func (s *server) close(t *testing.T) {
	t.Helper()
	if err := s.terminate(t); err != nil && !s.killed {
		t.Errorf("wasgi %s: %v", s.cmd.Args[1], err)
	}
	if t.Failed() {
		t.Logf("standard output of wasgi:\n%s\nstandard error:\n%s", s.out, s.log)
	}
}

// site is one tenant as its clients see it.
type site struct {
	server *server
	tenant string
	origin string // scheme and host
	prefix string // "" or a path that begins with a slash
}

// url is the address of a path below the prefix.
func (s site) url(path string) string { return s.origin + s.prefix + path }

// host is the value of the Host header.
func (s site) host() string {
	_, host, _ := strings.Cut(s.origin, "://")
	return host
}

// logged waits for a line of this tenant's log that has the text, from a place
// on.
func (s site) logged(t *testing.T, text string, from int) {
	t.Helper()
	s.server.logs(t, s.line(text), from)
}

// count is how many lines of this tenant's log have the text so far, from a
// place on.
func (s site) count(text string, from int) int {
	return len(regexp.MustCompile(s.line(text)).FindAllString(s.server.log.String()[from:], -1))
}

// line matches a line of this tenant's log that has the text.
func (s site) line(text string) string {
	tenant, text := `\btenant=`+regexp.QuoteMeta(s.tenant)+`(\s.*)?$`, regexp.QuoteMeta(text)
	return `(?m)^.*` + text + `.*` + tenant + `|^.*\btenant=` + regexp.QuoteMeta(s.tenant) + `\s.*` + text + `.*$`
}

// alone is a folder that holds a copy of the binary and nothing else.
func (w world) alone(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "wasgi")
	text, err := os.ReadFile(w.binary)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return binary
}
