package upgrade

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beVariable makes this test program the new process.
const beVariable = "WASGI_TEST_UPGRADE"

func TestMain(m *testing.M) {
	if task := os.Getenv(beVariable); task != "" {
		if err := be(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	m.Run()
}

// be is the new process: it answers one connection on each socket of the key
// "web" with what it got.
func be(task string) error {
	l, err := Take()
	if err != nil || l == nil {
		return fmt.Errorf("took %v, %v", l, err)
	}
	state, err := io.ReadAll(l.State)
	if err != nil {
		return err
	}
	web := l.Sockets("web")
	said := fmt.Sprintf("%s %v %d %d %v %q %q", state, l.Serving, len(web), len(l.Sockets("web")), l.Rest(), os.Getenv(variable), os.Args[1:])
	switch task {
	case "fail":
		return fmt.Errorf("a fault")
	case "hang":
		return syscall.Pause() // an empty select is a deadlock to Go, and ends the program
	}
	if err := l.Ready(); err != nil {
		return err
	}
	for _, fd := range web {
		listener, err := net.FileListener(os.NewFile(uintptr(fd), ""))
		if err != nil {
			return err
		}
		c, err := listener.Accept()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(c, said); err != nil {
			return err
		}
		c.Close()
	}
	return nil
}

func handover(t *testing.T, task string) (Handover, net.Listener) {
	t.Helper()
	t.Setenv(beVariable, task)
	t.Setenv("LISTEN_FDS", "1")
	state, err := os.Create(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	if _, err := state.WriteString("claimed"); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := Handover{Program: self, Args: []string{"a", "b c"}, State: state.Fd(), Serving: []string{"shop"}}
	var first net.Listener
	for _, key := range []string{"web", "old"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		raw, err := l.(*net.TCPListener).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		h.Sockets = append(h.Sockets, Socket{key, raw})
		if first == nil {
			first = l
		}
	}
	return h, first
}

func TestHandover(t *testing.T) {
	h, l := handover(t, "serve")
	pid, err := Start(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	// This process can still accept, and its Close ends an Accept: the sockets have not
	// become blocking ones.
	accepting := make(chan error, 1)
	address := l.Addr().String()
	go func() {
		_, err := l.Accept()
		accepting <- err
	}()
	l.Close()
	if err := <-accepting; err == nil {
		t.Error("Accept went on")
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := io.ReadAll(c)
	if want := `claimed [shop] 1 0 [old] "" ["a" "b c"]`; string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := p.Wait(); err != nil || !state.Success() {
		t.Errorf("the new process: %v %v", state, err)
	}
}

func TestHandoverFails(t *testing.T) {
	for task, want := range map[string]string{"fail": "was not ready: exit status 3", "nothing": "no such file"} {
		h, l := handover(t, task)
		if task == "nothing" {
			h.Program = "/nowhere/wasgi"
		}
		if pid, err := Start(t.Context(), h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d %v", task, pid, err)
		}
		go func() { net.Dial("tcp", l.Addr().String()) }()
		if c, err := l.Accept(); err != nil {
			t.Errorf("%s: this process cannot accept any more: %v", task, err)
		} else {
			c.Close()
		}
	}
}

func TestHandoverTakesTooLong(t *testing.T) {
	h, _ := handover(t, "hang")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if pid, err := Start(ctx, h); err == nil || !strings.Contains(err.Error(), "was not ready: signal: killed") {
		t.Errorf("%d %v", pid, err)
	}
}

func TestTakeRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", `{"ready":1,"state":2}`, `{"ready":5,"state":6,"sockets":[{"key":"x","fd":0}]}`} {
		t.Setenv(variable, text)
		if l, err := Take(); err == nil {
			t.Errorf("%q was taken: %v", text, l)
		}
		if _, found := os.LookupEnv(variable); found {
			t.Error("the variable is still there")
		}
	}
	if l, err := Take(); l != nil || err != nil || l.Sockets("x") != nil || l.Rest() != nil || l.Ready() != nil {
		t.Errorf("%v %v", l, err)
	}
}
