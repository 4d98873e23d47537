package host

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/upgrade"
)

// sockets are what listen and admin_listen name.
type sockets struct {
	client []clientSocket // in the order of the setting
	admin  net.Listener   // nil for none

	passed *listen.Passed
	legacy *upgrade.Legacy // nil for none
	keys   map[string]int  // how often a place was named
	opened []openedSocket
}

// clientSocket is where clients connect.
type clientSocket struct {
	net.Listener
	tls bool
}

// openedSocket is a socket with the key by which a successor finds it.
type openedSocket struct {
	net.Listener
	key string
	own bool // a file that this process or its predecessors have made
}

// openSockets opens them all, or none; those that an older process has handed over
// are taken. unused are the names of sockets that systemd passed and no setting
// takes; they are closed.
func openSockets(ctx context.Context, c Config, legacy *upgrade.Legacy) (s *sockets, unused []string, err error) {
	passed := listen.TakePassed()
	defer func() { unused = passed.Close() }()
	s = &sockets{passed: passed, legacy: legacy, keys: map[string]int{}}
	if err := s.openAdmin(ctx, c); err != nil {
		return nil, nil, fmt.Errorf("admin_listen: %w", err)
	}
	if err := s.openClient(ctx, c); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen: %w", err), s.close())
	}
	return s, nil, nil
}

func (s *sockets) openAdmin(ctx context.Context, c Config) error {
	if c.AdminListen == "" {
		return nil
	}
	l, err := c.AdminListener()
	if err != nil {
		return err
	}
	opened, err := s.open(ctx, l)
	if err != nil {
		return err
	}
	if len(opened) > 1 {
		return errors.Join(fmt.Errorf("systemd passed %d sockets of this name: probes need one", len(opened)), closeAll(opened))
	}
	s.admin = opened[0]
	return nil
}

// one opens a place that is one socket.
func (s *sockets) one(ctx context.Context, l config.Listener) (net.Listener, error) {
	opened, err := s.open(ctx, l)
	if err != nil {
		return nil, err
	}
	return opened[0], nil
}

// openClient opens the word systemd last: it takes what the others leave.
func (s *sockets) openClient(ctx context.Context, c Config) error {
	listeners, err := c.Listeners()
	if err != nil {
		return err
	}
	found := make([][]net.Listener, len(listeners))
	defer func() {
		for i, some := range found {
			for _, l := range some {
				s.client = append(s.client, clientSocket{l, listeners[i].TLS})
			}
		}
	}()
	for _, last := range []bool{false, true} {
		for i, l := range listeners {
			if rest := l.Passed && l.Name == ""; rest != last {
				continue
			}
			if found[i], err = s.open(ctx, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens one place, which is several sockets when systemd passes them under
// one name.
func (s *sockets) open(ctx context.Context, l config.Listener) ([]net.Listener, error) {
	key := s.key(l)
	out, err := s.inherit(key)
	if err == nil && len(out) == 0 {
		out, err = s.make(ctx, l)
	}
	for _, one := range out {
		s.opened = append(s.opened, openedSocket{one, key, l.Path != ""})
	}
	return out, err
}

// key names a place whatever is spoken there. One that is named twice, a free
// port, has two.
func (s *sockets) key(l config.Listener) string {
	l.TLS, l.Mode = false, 0
	key := fmt.Sprint(l.Address, " ", l.Path, " ", l.Passed, " ", l.Name, " ", l.Inherited)
	s.keys[key]++
	return fmt.Sprint(key, " ", s.keys[key])
}

// inherit takes what an older process has handed over.
func (s *sockets) inherit(key string) (out []net.Listener, err error) {
	for _, fd := range s.legacy.Sockets(key) {
		l, err := s.passed.Inherited(fd)
		if err != nil {
			return nil, errors.Join(err, closeAll(out))
		}
		out = append(out, l)
	}
	return out, nil
}

func (s *sockets) make(ctx context.Context, l config.Listener) ([]net.Listener, error) {
	var one net.Listener
	var err error
	switch {
	case l.Passed && l.Name == "":
		return s.passed.Rest()
	case l.Passed:
		return s.passed.Named(l.Name)
	case l.Inherited > 0:
		one, err = s.passed.Inherited(l.Inherited)
	case l.Path != "":
		one, err = listen.Unix(ctx, l.Path, l.Mode)
	default:
		one, err = listen.TCP(ctx, l.Address)
	}
	if err != nil {
		return nil, err
	}
	return []net.Listener{one}, nil
}

// keepFiles says what becomes of the files of Unix sockets when they are closed:
// they stay when another process listens on them.
func (s *sockets) keepFiles(keep bool) {
	for _, o := range s.opened {
		if u, ok := o.Listener.(*net.UnixListener); ok && o.own {
			u.SetUnlinkOnClose(!keep)
		}
	}
}

func (s *sockets) close() error {
	var all []net.Listener
	for _, c := range s.client {
		all = append(all, c)
	}
	if s.admin != nil {
		all = append(all, s.admin)
	}
	return closeAll(all)
}

func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
