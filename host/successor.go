package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/wasgi/wasgi/host/upgrade"
)

// Upgrade starts a program with these arguments as another process that takes over
// from this one: it gets the sockets, starts all applications that serve here, and
// accepts connections. Then Serve lets running requests end and returns nil. With
// an error this host goes on as before. A second call waits for the first.
func (h *Host) Upgrade(ctx context.Context, program string, args []string) error {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	s := h.serving.Load()
	if s == nil || h.phase.Load() != phaseServing || h.state == nil {
		return errNotServing
	}
	handover := upgrade.Handover{Program: program, Args: args, State: h.state.Descriptor(), Serving: h.servingNow()}
	for _, o := range s.sockets.opened {
		raw, err := rawConn(o.Listener)
		if err != nil {
			return err
		}
		handover.Sockets = append(handover.Sockets, upgrade.Socket{Key: o.key, Raw: raw})
	}
	h.log.Info("another process is to take over", "program", program)
	rest := h.fleet.stayAwake(ctx)
	ctx, cancel := context.WithTimeout(ctx, upgradeTimes*h.fleet.cfg.now().StartTimeout)
	defer cancel()
	if err := h.giveState(); err != nil {
		rest()
		return err
	}
	pid, err := upgrade.Start(ctx, handover)
	if err != nil {
		rest()
		return errors.Join(err, h.takeState())
	}
	s.sockets.keepFiles(true)
	if s.admin != nil {
		_ = s.admin.Close() // probes are for the other one from here on
	}
	notify("MAINPID=" + strconv.Itoa(pid))
	h.log.Info("another process has taken over: this one lets its requests end", "pid", pid)
	h.phase.Store(phaseDraining)
	close(s.handed)
	return nil
}

// giveState lets the other process have the state that operators change. Their
// changes are refused meanwhile; what serves needs none of it. An upload that has
// come in has settled then.
func (h *Host) giveState() error {
	if h.deployer == nil {
		return nil
	}
	h.deployer.releases.SettleAll()
	return h.deployer.store.pause()
}

func (h *Host) takeState() error {
	if h.deployer == nil {
		return nil
	}
	return h.deployer.store.resume()
}

// upgradeTimes start_timeout is how long another process may take to be ready: it
// starts many applications, a few at once.
const upgradeTimes = 5

// servingNow are the tenants that requests are served for.
func (h *Host) servingNow() (names []string) {
	for name, s := range h.fleet.routes.Load().sites {
		if s.serving() != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// takeOver waits until this process serves what the older one does, and tells it
// to end.
func (h *Host) takeOver(ctx context.Context, s *service) error {
	if h.legacy == nil {
		return nil
	}
	if err := h.settle(ctx); err != nil {
		return err
	}
	now := h.servingNow()
	for _, name := range h.legacy.Serving {
		if _, found := h.fleet.routes.Load().sites[name]; found && !slices.Contains(now, name) {
			return fmt.Errorf("the older process serves %s and this one cannot: it goes on", name)
		}
	}
	if err := h.legacy.Ready(); err != nil {
		return fmt.Errorf("the older process waits no more: it goes on: %w", err)
	}
	s.sockets.keepFiles(false)
	return nil
}

// settleEvery is how often a process that takes over looks whether it can.
const settleEvery = 10 * time.Millisecond

func (h *Host) settle(ctx context.Context) error {
	tick := time.NewTicker(settleEvery)
	defer tick.Stop()
	for h.fleet.settled() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// notify tells systemd how the service is (sd_notify(3)), if it started this
// process. Nobody is there to hear of an error.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// errNoSocket: a listener that is no socket, which only a test can have.
var errNoSocket = errors.New("a listener has no descriptor to hand over")

func rawConn(l net.Listener) (syscall.RawConn, error) {
	c, ok := l.(syscall.Conn)
	if !ok {
		return nil, errNoSocket
	}
	return c.SyscallConn()
}

// Program is the path of this program, to be asked for when the process starts: a
// new version takes its place under the same name.
func Program() (string, error) { return os.Executable() }
