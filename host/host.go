package host

import (
	"archive/zip"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/upgrade"
)

// Config is everything that can be set; see package config.
type Config = config.Config

// Bytes is a size in a Config.
type Bytes = config.Bytes

// LoadConfig puts defaults, file ("" for none), environment WASGI_* and flags
// (nil for none) together; see [config.Load] for the errors.
func LoadConfig(file string, flags *pflag.FlagSet) (Config, error) { return config.Load(file, flags) }

// Flags registers a flag for every setting.
func Flags(fs *pflag.FlagSet) { config.Flags(fs) }

// Guest is the interpreter that the host runs: what package pywasm hands out.
type Guest struct {
	Module []byte      // the WebAssembly module
	RootFS *zip.Reader // what the guest sees at /, the standard library above all
	Digest string      // of both; part of the key of every snapshot
}

// TenantStatus is what the host knows about one tenant.
type TenantStatus struct {
	Name    string
	URL     string
	State   State
	Release string // digest of the release that serves, "" for none
	Err     error  // of the last attempt, nil when it succeeded
}

// Option changes what New makes.
type Option func(*Host)

// WithLevel has a reload set the level of the host's log.
func WithLevel(l *slog.LevelVar) Option { return func(h *Host) { h.level = l } }

// WithLegacy has the host take over from an older process; nil begins anew.
func WithLegacy(l *upgrade.Legacy) Option { return func(h *Host) { h.legacy = l } }

// Host serves tenants; see New.
type Host struct {
	cfg    Config
	log    *slog.Logger
	events events
	maker  maker
	fleet  *fleet
	phase  atomic.Int32 // see readiness

	version string
	legacy  *upgrade.Legacy // of an older process, nil for none
	level   *slog.LevelVar  // of log; nil when nobody may change it

	reloading sync.Mutex              // one reload at a time
	serving   atomic.Pointer[service] // nil unless requests are served
	state     *policy.Claim           // the claim of the state folder, nil when there is none
	deployer  *deployer               // while it serves; nil for an author's host
	cron      *cron                   // as the deployer
}

// New makes a host that runs guest. It compiles the guest, or takes it from the
// cache, and touches no tenant yet. The caller must call Serve, which frees
// everything.
func New(ctx context.Context, c Config, guest Guest, log *slog.Logger, opts ...Option) (*Host, error) {
	c, err := c.Absolute()
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	state, err := claimState(c, opts)
	if err != nil {
		return nil, err
	}
	m, err := newEngine(ctx, c, guest, log)
	if err != nil {
		return nil, errors.Join(err, closeState(state))
	}
	h := newHost(c, m, log, opts...)
	h.state = state
	return h, nil
}

// claimState is nil for authors, who may serve several applications, each with its
// own command.
func claimState(c Config, opts []Option) (*policy.Claim, error) {
	if c.Dev {
		return nil, nil
	}
	asked := &Host{}
	for _, o := range opts {
		o(asked)
	}
	if asked.legacy != nil {
		return policy.AdoptState(asked.legacy.State)
	}
	return policy.ClaimState(c.StateDir)
}

func closeState(state *policy.Claim) error {
	if state == nil {
		return nil
	}
	return state.Close()
}

func newHost(c Config, m maker, log *slog.Logger, opts ...Option) *Host {
	h := &Host{cfg: c, log: log, maker: m}
	for _, o := range opts {
		o(h)
	}
	h.events.log = log
	h.fleet = newFleet(c, m, log, &h.events)
	if f, ok := m.(interface{ follow(*settings) }); ok {
		f.follow(h.fleet.cfg)
	}
	if r, ok := m.(reaching); ok {
		h.fleet.egress = r.outside()
	}
	if h.fleet.metrics = newMetrics(c, h.version); h.fleet.metrics != nil {
		h.fleet.metrics.From(h.fleet.gather)
	}
	return h
}

// Status lists the tenants by name.
func (h *Host) Status() []TenantStatus { return h.fleet.status() }

// Addr is the address of the client listener, nil before Serve has opened it.
func (h *Host) Addr() net.Addr { return h.fleet.listening() }
