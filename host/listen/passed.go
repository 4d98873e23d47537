package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
)

// Passed are the sockets that systemd passed to this process, until somebody
// takes them. It is for one goroutine.
type Passed struct{ files []*os.File }

// TakePassed finds them by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES
// (sd_listen_fds(3)) and takes these variables out of the environment, so that
// no child process believes them. It is to be called once in a process.
func TakePassed() *Passed { return &Passed{activation.Files(true)} }

// Named takes the sockets of a name (FileDescriptorName= of the unit, which is
// the unit's own name unless it says otherwise) in the order in which they were
// passed. It fails when there is none, or one is no listening stream socket.
func (p *Passed) Named(name string) ([]net.Listener, error) {
	var out []net.Listener
	var left []*os.File
	for _, f := range p.files {
		if f.Name() != name {
			left = append(left, f)
			continue
		}
		l, err := fromFile(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the socket that systemd calls %s: %w", name, err), closeAll(out))
		}
		out = append(out, l)
	}
	if p.files = left; len(out) == 0 {
		return nil, fmt.Errorf("systemd passed no socket that is called %s: start the service by its socket unit, with FileDescriptorName=%s in it", name, name)
	}
	return out, nil
}

// Rest takes all that were not taken. It fails as Named does.
func (p *Passed) Rest() ([]net.Listener, error) {
	var out []net.Listener
	for len(p.files) > 0 {
		some, err := p.Named(p.files[0].Name())
		if err != nil {
			return nil, errors.Join(err, closeAll(out))
		}
		out = append(out, some...)
	}
	if len(out) == 0 {
		return nil, errors.New("systemd passed no socket that nothing else names: start the service by its socket unit")
	}
	return out, nil
}

// Close closes what nobody took, and names it.
func (p *Passed) Close() (names []string) {
	for _, f := range p.files {
		names = append(names, f.Name())
		_ = f.Close()
	}
	p.files = nil
	return names
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

var errNoListener = errors.New("it is no socket that takes connections (a socket unit needs ListenStream= and Accept=no)")

// fromFile makes a listener of a descriptor, and closes f, which it keeps no
// part of.
func fromFile(f *os.File) (net.Listener, error) {
	defer f.Close()
	if !listens(f.Fd()) {
		return nil, errNoListener
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the file is another's
	}
	return l, nil
}

// Inherited listens on a descriptor that the process was started with, whether
// systemd passed it or not. The descriptor is closed then; one that is no
// listening stream socket stays as it was, since it may be a part of this process.
func (p *Passed) Inherited(fd int) (net.Listener, error) {
	if !listens(uintptr(fd)) {
		return nil, fmt.Errorf("descriptor %d: %w", fd, errNoListener)
	}
	for i, f := range p.files {
		if f.Fd() == uintptr(fd) {
			p.files = slices.Delete(p.files, i, i+1)
			return fromFile(f)
		}
	}
	syscall.CloseOnExec(fd)
	return fromFile(os.NewFile(uintptr(fd), "fd:"+strconv.Itoa(fd)))
}
