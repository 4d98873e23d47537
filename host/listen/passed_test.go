package listen

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// childVariable makes this test program a process to which sockets were passed.
const childVariable = "WASGI_TEST_PASSED"

// beChild takes what was passed and tells about it on standard output.
func beChild(task string) {
	p := TakePassed()
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		if os.Getenv(name) != "" {
			fmt.Println(name, "is still there")
		}
	}
	for step := range strings.FieldsSeq(task) {
		var found []net.Listener
		var err error
		switch kind, rest, _ := strings.Cut(step, ":"); kind {
		case "named":
			found, err = p.Named(rest)
		case "rest":
			found, err = p.Rest()
		case "fd":
			var n int
			var l net.Listener
			fmt.Sscan(rest, &n)
			if l, err = p.Inherited(n); err == nil {
				found = []net.Listener{l}
			}
		}
		fmt.Printf("%s: %v\n", step, err)
		for _, l := range found {
			fmt.Println(l.Addr().Network(), l.Addr())
			if err := l.Close(); err != nil {
				fmt.Println(err)
			}
		}
	}
	fmt.Println("unused:", p.Close())
}

// child runs a task in a process to which these files are passed, under these
// names, and returns what it says.
func child(t *testing.T, task, names, pid string, files ...*os.File) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=`+pid+` exec "$0"`, self)
	c.Env = append(os.Environ(), childVariable+"="+task, fmt.Sprint("LISTEN_FDS=", len(files)), "LISTEN_FDNAMES="+names)
	c.ExtraFiles, c.Stderr = files, os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func file(t *testing.T, l net.Listener) *os.File {
	t.Helper()
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPassedSockets(t *testing.T) {
	one, two := open(t, "127.0.0.1:0"), open(t, "127.0.0.1:0")
	path := filepath.Join(t.TempDir(), "s")
	local, err := Unix(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	client := dial(t, one)
	connection, err := client.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	a, b, u := file(t, one), file(t, two), file(t, local)
	tcp := func(l net.Listener) string { return "tcp " + l.Addr().String() + "\n" }

	for _, c := range []struct {
		task, names, pid string
		files            []*os.File
		want             string
	}{
		{"named:web rest", "web:s:web", "$$", []*os.File{a, u, b},
			"named:web: <nil>\n" + tcp(one) + tcp(two) + "rest: <nil>\nunix " + path + "\nunused: []\n"},
		{"named:s", "web:s:web", "$$", []*os.File{a, u, b}, "named:s: <nil>\nunix " + path + "\nunused: [web web]\n"},
		{"rest", "", "$$", []*os.File{a}, "rest: <nil>\n" + tcp(one) + "unused: []\n"},
		{"rest", "", "1", []*os.File{a},
			"rest: systemd passed no socket that nothing else names: start the service by its socket unit\nunused: []\n"},
		{"named:x", "web", "$$", []*os.File{a},
			"named:x: systemd passed no socket that is called x: start the service by its socket unit, with FileDescriptorName=x in it\nunused: [web]\n"},
		{"rest", "web:pipe", "$$", []*os.File{a, r}, "rest: the socket that systemd calls pipe: " + errNoListener.Error() + "\nunused: [pipe]\n"},
		{"rest", "c", "$$", []*os.File{connection}, "rest: the socket that systemd calls c: " + errNoListener.Error() + "\nunused: [c]\n"},
		{"fd:4 named:b rest", "a:b:c", "$$", []*os.File{a, b, u}, "fd:4: <nil>\n" + tcp(two) +
			"named:b: systemd passed no socket that is called b: start the service by its socket unit, with FileDescriptorName=b in it\n" +
			"rest: <nil>\n" + tcp(one) + "unix " + path + "\nunused: []\n"},
		{"fd:4 fd:3 fd:4 fd:77", "", "1", []*os.File{r, b}, "fd:4: <nil>\n" + tcp(two) + "fd:3: descriptor 3: " + errNoListener.Error() +
			"\nfd:4: descriptor 4: " + errNoListener.Error() + "\nfd:77: descriptor 77: " + errNoListener.Error() + "\nunused: []\n"},
	} {
		if got := child(t, c.task, c.names, c.pid, c.files...); got != c.want {
			t.Errorf("%s of %q:\n%s, want\n%s", c.task, c.names, got, c.want)
		}
	}
	// A child that closes a socket which was passed takes it from nobody.
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	again := dial(t, two)
	go func() { _, _ = io.WriteString(again, "x") }()
	c, err := two.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
