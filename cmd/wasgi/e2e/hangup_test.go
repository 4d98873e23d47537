package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hangUp sends SIGHUP and waits for what the log says then.
func (s *server) hangUp(t *testing.T, expression string) {
	t.Helper()
	from := s.log.size()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.logs(t, expression, from)
}

// TestHangUp changes the configuration of a server while a response is on its way.
func TestHangUp(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(t), t.TempDir()
	first, second := certificate(t, "shop.example"), certificate(t, "shop.example")
	config, access := filepath.Join(dir, "wasgi.toml"), filepath.Join(dir, "access.log")
	set := func(lines ...string) {
		t.Helper()
		write(t, dir, "wasgi.toml", strings.Join(append(lines, ""), "\n"))
	}
	tls := func(c *certificateFiles) string { return "tls_cert = \"" + c.cert + "\"\ntls_key = \"" + c.key + "\"" }
	set(tls(first), `server_header = "one"`, `max_body = "1KiB"`)
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{
		"--config", config, "--listen", "http://127.0.0.1:0,https://127.0.0.1:0", "--access-log", "combined", "--access-log-file", access,
	}}, "bare")
	addresses := s.addresses(t, 2)
	b := s.site(t, "bare").browser(t)
	headerIs(t, b.get("/").status(200), "Server", "one")
	stream := b.begin("/stream?pause=1")
	stream.expect("chunk 1 of 5\n")

	// What may change does, at once, on connections that are open too; what may not is
	// named. The log file that was moved away is opened again.
	if err := os.Rename(access, access+".1"); err != nil {
		t.Fatal(err)
	}
	set(tls(second), `server_header = "two"`, `request_timeout = "20s"`, `max_body = "2KiB"`, `slots = 7`)
	s.hangUp(t, `msg="some settings have changed that need a restart" settings="\[slots max_body\]"`)
	headerIs(t, b.get("/").status(200), "Server", "two")
	second.browser(t, "bare", addresses[1]).get("/").status(200)
	s.ready(t, "bare") // a release with the other timeout
	stream.expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()

	// A file with a fault changes nothing, and the log says where it is.
	for text, want := range map[string]string{
		"server_header = \"three\"\n\nrequest_timeout = \"soon\"": `wasgi\.toml:3: request_timeout: want a duration`,
		"server_header = \"three\"\nrequest_timeout = \"0s\"":     `wasgi\.toml:2: request_timeout: 0s is not between`,
		"server_header = \"three\"\nserver_heade = \"\"":          `wasgi\.toml:2: unknown key .*did you mean`,
		"server_header = ": `wasgi\.toml:1:`,
		"tls_cert = \"/nowhere.pem\"\nserver_header = \"3\"": `tls_cert: open /nowhere\.pem: no such file`,
	} {
		set(text)
		s.hangUp(t, `level=ERROR msg="the configuration .* the one that there was goes on" error=.*`+want)
		headerIs(t, b.get("/").status(200), "Server", "two")
	}

	// The level of the log, too.
	set(tls(second), `log_level = "error"`)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for headerValue := "two"; headerValue != "wasgi"; {
		headerValue = b.get("/").resp.Header.Get("Server")
	}
	if err := s.terminate(t); err != nil {
		t.Fatal(err)
	}
	if old := read(t, access+".1"); strings.Count(old, "\"GET /bare/ ") != 1 {
		t.Errorf("the first log:\n%s", old)
	}
	if now := read(t, access); strings.Count(now, "\"GET /bare/stream?pause=1 ") != 1 || strings.Count(now, "\"GET /bare/ ") < 7 {
		t.Errorf("the second log:\n%s", now)
	}
}
