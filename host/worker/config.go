package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/host/worker/wire"
	"github.com/wasgi/wasgi/wasi"
)

// Config is how the workers of one release are made.
type Config struct {
	Job Job
	// Memory is the tenant's budget: what the workers have of their own is booked
	// in it, and what all workers have before their first request in its parent.
	// nil books nothing.
	Memory *sandbox.Budget
	// Network is the tenant's: the host connects for its workers.
	Network wasi.Network
	// Log is the tenant's.
	Log *tenantlog.Log
	// Groups is the control group in which each worker gets one of its own, "" for
	// none; see GroupParent.
	Groups string
	// Command starts a worker: a program and its arguments; see Command.
	Command []string

	program *streams // of Run

	margin time.Duration // in tests; 0 means margin
}

// Command is how this binary starts itself as a worker of a tenant. The name is
// there for those who look at a list of processes.
func Command(tenant string) []string { return []string{"/proc/self/exe", "worker", tenant} }

// slack is what a worker may take beyond the deadline of what it was asked for.
func (c *Config) slack() time.Duration { return cmp.Or(c.margin, margin) }

// margin is not reached by a worker that does what it should, on a machine that
// is busy.
const margin = 10 * time.Second

// network is the tenant's, or one that refuses everything.
func (c *Config) network() wasi.Network {
	if c.Network == nil {
		return wasi.NoNetwork()
	}
	return c.Network
}

// say passes a line of the worker to the tenant's log, within its budget. The
// tenant's name is the host's to say.
func (c *Config) say(l wire.LogLine) {
	switch l.Source {
	case wire.FromStdout:
		fmt.Fprintln(c.Log.Output("stdout"), l.Text)
	case wire.FromStderr:
		fmt.Fprintln(c.Log.Output("stderr"), l.Text)
	default:
		var attrs []slog.Attr
		for _, a := range l.Attrs {
			if a.Key != tenantKey {
				attrs = append(attrs, slog.String(a.Key, a.Value))
			}
		}
		level := min(max(slog.Level(l.Level), slog.LevelDebug), slog.LevelError)
		c.Log.Budgeted().LogAttrs(context.Background(), level, l.Text, attrs...)
	}
}

// CrashedError says that a worker crashes again and again and is not started
// for a while.
type CrashedError struct {
	Tenant     string
	Crashes    int
	RetryAfter time.Duration // until the next attempt
	Err        error         // how the last one ended
}

// Error says what happened and when it is tried again.
func (e *CrashedError) Error() string {
	return fmt.Sprintf("worker: %s: %d worker processes ended soon after another; the next is started in %s: %v",
		e.Tenant, e.Crashes, e.RetryAfter.Round(time.Millisecond), e.Err)
}

// Unwrap gives the error of the last one.
func (e *CrashedError) Unwrap() error { return e.Err }

// ErrClosed is the error of an image that is closed.
var ErrClosed = errors.New("worker: the image is closed")
