package host

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/wasgi/wasgi/host/listen"
)

const (
	// filesAsleep is what a tenant without a request keeps open: its snapshot, which
	// must stay the one that was verified. One that serves has its folder, its
	// packages and its /data open besides.
	filesAsleep = 1
	// filesOfHost is room for listeners, logs, the state and files of instances.
	filesOfHost = 1000
)

// filesWanted is how many descriptors that many tenants and all connections need.
func (f *fleet) filesWanted(tenants int) uint64 {
	return uint64(filesAsleep*tenants + f.cfg.now().MaxConnections + filesOfHost)
}

// warnOfFiles says at the start what would else be known when the last tenants are
// not served, or clients not let in.
func (f *fleet) warnOfFiles(limit uint64) {
	f.mu.Lock()
	tenants := len(f.known)
	f.mu.Unlock()
	if wanted := f.filesWanted(tenants); limit > 0 && limit < wanted {
		f.log.Warn("the limit of open files is low for so many tenants and connections: raise it with ulimit -n or LimitNOFILE, or lower max_connections",
			"limit", limit, "wanted", wanted, "tenants", tenants, "max_connections", f.cfg.now().MaxConnections)
	}
}

// withFileAdvice says what to do when descriptors have run out.
func withFileAdvice(err error) error {
	if !errors.Is(err, syscall.EMFILE) {
		return err
	}
	return fmt.Errorf("%w: this process may have %d: raise the limit with ulimit -n or LimitNOFILE", err, listen.FileLimit())
}
