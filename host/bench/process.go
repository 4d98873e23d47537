package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a server that was started here. It leads a process group, which
// its workers belong to.
type process struct {
	name string
	log  string // file
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs a server in a folder, which is on its module path too. What it
// says goes to a log in the work folder.
func (b *bench) start(name, dir string, args []string) (*process, error) {
	logs := filepath.Join(b.opt.work, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(logs, strings.ReplaceAll(name, " ", "-")+".log"), done: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, log, log
	p.cmd.Env = append(os.Environ(), "PYTHONPATH="+dir, "PYTHONDONTWRITEBYTECODE=")
	// A group of its own keeps a terminal's Ctrl-C from it: the bench ends it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go p.wait() // ends with the process
	return p, nil
}

func (p *process) wait() {
	// How it ended is in its log, and of no interest after stop.
	_ = p.cmd.Wait()
	close(p.done)
}

// alive returns a context that ends with the process.
func (p *process) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with ctx or the process
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// stop interrupts the leader, which ends its workers, and kills what is left of
// the group after ten seconds. Stopping twice does nothing.
func (p *process) stop() {
	select {
	case <-p.done:
	default:
		p.signal(p.pid(), syscall.SIGINT)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
	p.signal(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// signal goes to a process, or to the group -pid.
func (p *process) signal(pid int, s syscall.Signal) {
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		fmt.Fprintf(os.Stderr, "bench: end %s: %v\n", p.name, err)
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// lastWords is the end of the log, for a fault.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-400):]))
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
