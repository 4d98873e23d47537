package host

import (
	"archive/zip"
	"context"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/wasgi/wasgi/host/config"
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

// Event is something that an operator wants to see while tenants come and go.
type Event struct {
	Kind   EventKind
	Tenant string        // "" for events of the host
	URL    string        // where it serves: EventListening and EventReady
	Text   string        // what is being done: EventProgress
	Took   time.Duration // since the tenant's preparation began: EventReady, EventFailed
	Err    error         // EventFailed
}

// EventKind says what an Event is.
type EventKind int

// The kinds.
const (
	EventListening EventKind = iota // the client listener is open
	EventProgress                   // a step of a tenant's preparation, with Text
	EventReady                      // a tenant serves a new release
	EventFailed                     // a release could not be served; an older one may still
	EventStopped                    // a tenant is gone
)

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

// WithEvents has f called for every event, one at a time, from goroutines of
// the host. f must not call the host and must not block for long.
func WithEvents(f func(Event)) Option { return func(h *Host) { h.emit = f } }

// New makes a host that runs guest. It compiles the guest, or takes it from the
// cache, and touches no tenant yet. The caller must call Serve, which frees
// everything.
func New(ctx context.Context, c Config, guest Guest, log *slog.Logger, opts ...Option) (*Host, error) {
	panic("not yet")
}

// Host serves tenants; see New.
type Host struct {
	emit func(Event)
}

// Serve opens the listeners and serves until ctx ends; then it refuses new
// connections, lets running requests end within Config.DrainTimeout, kills the
// rest and returns nil. Any other end is an error.
func (h *Host) Serve(ctx context.Context) error { panic("not yet") }

// Status lists the tenants by name.
func (h *Host) Status() []TenantStatus { panic("not yet") }
