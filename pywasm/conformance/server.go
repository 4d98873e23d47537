package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A server is what a suite connects to, from a package of Debian's. It runs as
// long as the suite, on a free port of 127.0.0.1, with all its files in a folder
// of the run.
type server struct {
	program string // a pattern of its path
	user    string // who runs it when this process is root's
	prepare func(dir, program string) *exec.Cmd
	command func(ctx context.Context, dir, program, port string) *exec.Cmd
	end     syscall.Signal // asks it to end at once, but in order
	// tell says to a unit where the server is.
	tell func(u *unit, port string)
}

// A running server listens on a port until it is stopped.
type running struct {
	port string
	stop func() // waits for its end and removes its folder
}

const (
	serverStart = 30 * time.Second // until it answers
	serverEnd   = 10 * time.Second // then it is killed
	// clientTest is what a test of a driver may take. The longest known takes a minute.
	clientTest = 3 * time.Minute
)

// serve starts the suite's server, if it has one, and shows it to the units:
// they may connect to it and to nothing else. It ends with ctx too.
func (w *world) serve(ctx context.Context, s suite, units []unit) (stop func(), err error) {
	if s.server == nil || len(units) == 0 {
		return func() {}, nil
	}
	log, err := w.logFile(s, "server")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the server has its own descriptor
	r, err := s.server.start(ctx, filepath.Join(w.tmp, s.name+"-server"), log)
	if err != nil {
		return nil, fmt.Errorf("its server: %w (log in %s)", err, log.Name())
	}
	for i := range units {
		units[i].allow = append(units[i].allow, "127.0.0.1:"+r.port)
		s.server.tell(&units[i], r.port)
	}
	return r.stop, nil
}

// start makes the folder and runs the server in it, on another port when
// somebody has taken the first.
func (s *server) start(ctx context.Context, dir string, log *os.File) (r running, err error) {
	found, err := filepath.Glob(s.program)
	if err != nil || len(found) == 0 {
		return running{}, fmt.Errorf("there is no %s: make tools installs it", s.program)
	}
	program := found[len(found)-1]
	attributes, err := s.folder(dir)
	if err != nil {
		return running{}, err
	}
	if s.prepare != nil {
		c := s.prepare(dir, program)
		c.Dir, c.SysProcAttr, c.Stdout, c.Stderr = dir, attributes, log, log
		if err := c.Run(); err != nil {
			return running{}, errors.Join(fmt.Errorf("preparing it: %w", err), os.RemoveAll(dir))
		}
	}
	for range 3 {
		if r, err = s.run(ctx, dir, program, attributes, log); err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return running{}, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

// run starts the process and waits until it answers.
func (s *server) run(ctx context.Context, dir, program string, attributes *syscall.SysProcAttr, log *os.File) (running, error) {
	port, err := freePort()
	if err != nil {
		return running{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	cmd := s.command(ctx, dir, program, port)
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = dir, attributes, log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(s.end) }
	cmd.WaitDelay = serverEnd
	if err := cmd.Start(); err != nil {
		cancel()
		return running{}, err
	}
	ended := make(chan struct{})
	go func() { // ends with the server
		_ = cmd.Wait() // how it ends is in its log
		close(ended)
	}()
	if err := answers(ctx, port, ended); err != nil {
		cancel()
		<-ended
		return running{}, err
	}
	return running{port, func() {
		cancel()
		<-ended
		_ = os.RemoveAll(dir) // else the run's own folder goes in the end
	}}, nil
}

// folder makes the server's folder and gives it to its user. A server does not
// outlive this process.
func (s *server) folder(dir string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := os.Mkdir(dir, 0o700); err != nil || os.Getuid() != 0 {
		return attributes, err
	}
	u, err := user.Lookup(s.user)
	if err != nil {
		return nil, fmt.Errorf("%w: make tools installs the server, and its user with it", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, errors.Join(os.Chown(dir, int(uid), int(gid)), os.Chmod(filepath.Dir(dir), 0o711))
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// answers waits until the server listens on its port, or has ended.
func answers(ctx context.Context, port string, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, serverStart)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ended:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
