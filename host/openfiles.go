package host

import (
	"errors"
	"fmt"
	"math"
	"syscall"

	"github.com/wasgi/wasgi/host/listen"
)

// Descriptors that are in use while nobody makes a request.
const (
	// filesAwake is the snapshot of a tenant that somebody has called within the last
	// minutes, which may be all of them. Its folder, its packages and its /data are open
	// while it has instances.
	filesAwake = 1
	// filesDeployed are the locks of a release and of its packages (holdFiles).
	filesDeployed = 2
	// filesOfHost is room for listeners, logs, the state, and what instances open.
	filesOfHost = 1000
)

// filesWanted is how many descriptors the tenants and all connections need.
func (f *fleet) filesWanted() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	wanted := f.cfg.now().MaxConnections + filesOfHost
	for name, t := range f.known {
		wanted += filesAwake + len(t.Manifest.Static)
		if _, digest := f.source.deployed(name); digest != "" {
			wanted += filesDeployed
		}
	}
	return uint64(wanted)
}

// filesLeft is how many tenants can be awake beside all connections.
func (f *fleet) filesLeft() int {
	limit := listen.FileLimit()
	if limit == 0 || limit > math.MaxInt32 {
		return math.MaxInt32
	}
	return max(int(limit)-f.cfg.now().MaxConnections-filesOfHost, 0)
}

// warnOfFiles says at the start what would else be known when the last tenants are
// not served, or clients not let in.
func (f *fleet) warnOfFiles(limit uint64) {
	if wanted := f.filesWanted(); limit > 0 && limit < wanted {
		f.log.Warn("the limit of open files is low for so many tenants and connections: raise it with ulimit -n or LimitNOFILE, or lower max_connections",
			"limit", limit, "wanted", wanted, "max_connections", f.cfg.now().MaxConnections)
	}
}

// reserveFiles spares those who wake tenants the growth of the descriptors' table.
func (h *Host) reserveFiles() {
	if err := listen.ReserveFiles(); err != nil {
		h.log.Debug("the table of descriptors grows when it has to", "err", err)
	}
}

// withFileAdvice says what to do when descriptors have run out.
func withFileAdvice(err error) error {
	if !errors.Is(err, syscall.EMFILE) {
		return err
	}
	return fmt.Errorf("%w: this process may have %d: raise the limit with ulimit -n or LimitNOFILE", err, listen.FileLimit())
}
