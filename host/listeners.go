package host

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/listen"
)

// sockets are what listen and admin_listen name.
type sockets struct {
	client []clientSocket // in the order of the setting
	admin  net.Listener   // nil for none
}

// clientSocket is where clients connect.
type clientSocket struct {
	net.Listener
	tls bool
}

// openSockets opens them all, or none. unused are the names of sockets that
// systemd passed and no setting takes; they are closed.
func openSockets(ctx context.Context, c Config) (s *sockets, unused []string, err error) {
	passed := listen.TakePassed()
	defer func() { unused = passed.Close() }()
	s = &sockets{}
	if err := s.openAdmin(ctx, c, passed); err != nil {
		return nil, nil, fmt.Errorf("admin_listen: %w", err)
	}
	if err := s.openClient(ctx, c, passed); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("listen: %w", err), s.close())
	}
	return s, nil, nil
}

func (s *sockets) openAdmin(ctx context.Context, c Config, passed *listen.Passed) error {
	if c.AdminListen == "" {
		return nil
	}
	l, err := c.AdminListener()
	if err != nil {
		return err
	}
	opened, err := open(ctx, l, passed)
	if err != nil {
		return err
	}
	if len(opened) > 1 {
		return errors.Join(fmt.Errorf("systemd passed %d sockets of this name: probes need one", len(opened)), closeAll(opened))
	}
	s.admin = opened[0]
	return nil
}

// openClient opens the word systemd last: it takes what the others leave.
func (s *sockets) openClient(ctx context.Context, c Config, passed *listen.Passed) error {
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
			if found[i], err = open(ctx, l, passed); err != nil {
				return err
			}
		}
	}
	return nil
}

// open opens one place, which is several sockets when systemd passes them under
// one name.
func open(ctx context.Context, l config.Listener, passed *listen.Passed) ([]net.Listener, error) {
	var one net.Listener
	var err error
	switch {
	case l.Passed && l.Name == "":
		return passed.Rest()
	case l.Passed:
		return passed.Named(l.Name)
	case l.Inherited > 0:
		one, err = passed.Inherited(l.Inherited)
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
