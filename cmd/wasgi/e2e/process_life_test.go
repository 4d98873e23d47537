package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTerminateFinishesRequests sends SIGTERM while one response is being
// streamed and one request is half sent: both are answered, and the process
// exits 0.
func TestTerminateFinishesRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve(t, launch{root: w.rootOf(t, "bare")}, "bare")
	bare := s.site(t, "bare")
	half := dial(t, bare)
	half.send("POST /bare/echo HTTP/1.1\r\nHost: %s\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhel", bare.host())
	stream := bare.browser(t).begin("/stream?pause=0.5").expect("chunk 1 of 5\n")
	s.signal(t)
	stream.expect("chunk 2 of 5\n")
	refuses(t, bare)
	half.send("lo\n")
	half.answers(http.MethodPost).status(200).text(hello)
	stream.expect("chunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
	if err := s.wait(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// TestTerminateEndsWhatTakesTooLong sends SIGTERM while a response goes on for
// longer than the host waits: the client sees it cut short, and the process
// exits 0 all the same.
func TestTerminateEndsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--drain-timeout", "300ms"}}, "bare")
	stream := s.site(t, "bare").browser(t).begin("/stream?pause=9.9").expect("chunk 1 of 5\n")
	if err := s.terminate(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if rest, err := io.ReadAll(stream.body); err == nil || len(rest) > 0 {
		t.Errorf("the response that was cut short ended with %q, %v", rest, err)
	}
}

// refuses checks that a draining server takes no new connection.
func refuses(t *testing.T, s site) {
	t.Helper()
	c, err := net.Dial("tcp", s.host())
	if err == nil {
		c.Close()
		t.Error("a new connection was accepted after SIGTERM")
	}
}

// TestBinaryAlone runs a copy of the binary with an environment that is empty,
// in a folder that holds nothing else.
func TestBinaryAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary, state := w.alone(t), t.TempDir()
	s := w.serve(t, launch{
		binary: binary, root: w.rootOf(t, "bare"), env: []string{},
		flags: []string{"--state-dir", state, "--cache-dir", w.cache},
	}, "bare")
	b := s.site(t, "bare").browser(t)
	b.get("/").status(200).text("Hello from WSGI!\n")
	b.send(http.MethodPost, "/echo", body("", zeros(5_000_000))).status(200).digest(5_000_000, zero5MSum)
	if err := s.terminate(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(binary))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the binary: %v, %v, want the binary alone", entries, err)
	}
}

// TestSnapshotsAreReused starts twice with one state folder: the application is
// imported by the first start, and by a later one only after a change.
func TestSnapshotsAreReused(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	folder := w.app(t, root, "noisy")
	start := func() (log string) {
		t.Helper()
		s := w.serve(t, launch{root: root, state: state}, "noisy")
		s.site(t, "noisy").browser(t).get("/").status(200).text("noisy\n")
		if err := s.terminate(t); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
		return s.log.String()
	}
	const imported = "imported just now"
	if log := start(); strings.Count(log, imported) != 1 {
		t.Errorf("first start: want %q once in the log:\n%s", imported, log)
	}
	if log := start(); strings.Contains(log, imported) {
		t.Errorf("second start: imported again; the log:\n%s", log)
	}
	text := read(t, filepath.Join(folder, "wsgi.py"))
	write(t, folder, "wsgi.py", text+"\n# changed\n")
	if log := start(); strings.Count(log, imported) != 1 {
		t.Errorf("start after a change: want %q once in the log:\n%s", imported, log)
	}
	private(t, filepath.Join(state, "snapshots"))
}

// private checks that nobody else can read what may hold secrets.
func private(t *testing.T, folder string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		info, err := entry.Info()
		if err == nil && info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", path, info.Mode())
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d snapshots below %s, %v", files, folder, err)
	}
}

// rootOf is a root with copies of examples.
func (w world) rootOf(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		copyTree(t, w.example(name), filepath.Join(root, name))
	}
	return root
}

// wire is a connection to the server, for what net/http does not send.
type wire struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, s site) wire {
	t.Helper()
	return connect(t, "tcp", s.host())
}

func connect(t *testing.T, network, address string) wire {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return wire{t, conn, bufio.NewReader(conn)}
}

func (c wire) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format, args...); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads bytes that are not a whole response.
func (c wire) expect(text string) {
	c.t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c.in, got); err != nil || string(got) != text {
		c.t.Fatalf("read %q, %v, want %q", got[:n], err, text)
	}
}

// ends says that the server closes the connection and sends nothing more.
func (c wire) ends() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		c.t.Errorf("at the end of the connection: %q, %v", rest, err)
	}
}

// answers reads one response to a request of the method.
func (c wire) answers(method string) answer {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{c.t, "raw " + method, resp, string(text)}
}
