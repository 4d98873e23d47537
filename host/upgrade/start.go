package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// variable is where the new process finds its Legacy. It begins with an underscore
// because it is no setting.
const variable = "_WASGI_UPGRADE"

// Socket is a listening socket. Key says which setting it belongs to; one key may
// have several.
type Socket struct {
	Key string
	Raw syscall.RawConn
}

// Handover is what a new process gets.
type Handover struct {
	Program string   // its path
	Args    []string // without the program's name
	Sockets []Socket
	State   uintptr  // descriptor of the claim of the state folder
	Serving []string // the tenants that it has to serve before it is ready
}

// legacy is a Handover for the wire: numbers of descriptors in the new process.
type legacy struct {
	Ready   int      `json:"ready"`
	State   int      `json:"state"`
	Sockets []passed `json:"sockets"`
	Serving []string `json:"serving"`
}

type passed struct {
	Key string `json:"key"`
	FD  int    `json:"fd"`
}

// Start starts the new process and returns its number once it is ready. With an
// error there is none: it could not be started, ended by itself, which it explains
// on its standard error, or was not ready when ctx ended and was killed.
func Start(ctx context.Context, h Handover) (pid int, err error) {
	ready, tell, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer ready.Close()
	pid, err = h.fork(tell)
	if err != nil {
		return 0, errors.Join(fmt.Errorf("starting %s: %w", h.Program, err), tell.Close())
	}
	if err := tell.Close(); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = unix.Kill(pid, unix.SIGKILL) })
	defer stop()
	// The end of the pipe comes with the end of the process at the latest.
	word, err := io.ReadAll(io.LimitReader(ready, int64(len(readyWord))))
	if err == nil && string(word) == readyWord && stop() {
		return pid, nil
	}
	_ = unix.Kill(pid, unix.SIGKILL) // it may have closed the pipe alone
	return 0, errors.Join(ended(pid), ctx.Err(), err)
}

// readyWord is what the new process writes.
const readyWord = "ready"

// ended reaps the new process and says how it ended.
func ended(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	state, err := p.Wait()
	if err != nil {
		return err
	}
	return fmt.Errorf("the new process was not ready: %s", state)
}

// fork starts the program with the descriptors from 3 on.
func (h Handover) fork(tell *os.File) (pid int, err error) {
	files := []uintptr{0, 1, 2}
	var dups []int
	defer func() {
		for _, fd := range dups {
			_ = unix.Close(fd)
		}
	}()
	give := func(fd uintptr) int {
		files = append(files, fd)
		return len(files) - 1
	}
	l := legacy{Ready: give(tell.Fd()), State: give(h.State), Serving: h.Serving}
	for _, s := range h.Sockets {
		fd, err := duplicate(s.Raw)
		if err != nil {
			return 0, fmt.Errorf("the socket of %s: %w", s.Key, err)
		}
		dups = append(dups, fd)
		l.Sockets = append(l.Sockets, passed{s.Key, give(uintptr(fd))})
	}
	text, err := json.Marshal(l)
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(h.Program, append([]string{h.Program}, h.Args...), &syscall.ProcAttr{
		Env: append(environment(), variable+"="+string(text)), Files: files,
	})
}

// duplicate leaves the descriptor's mode alone, which both share.
func duplicate(raw syscall.RawConn) (dup int, err error) {
	control := raw.Control(func(fd uintptr) { dup, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3) })
	return dup, errors.Join(control, err)
}

// environment is that of this process without what its own parents passed it.
func environment() []string {
	var out []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case variable, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES":
		default:
			out = append(out, v)
		}
	}
	return out
}
