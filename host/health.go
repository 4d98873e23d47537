package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/wasi"
)

// HealthError says that a new release does not answer as its manifest wants.
type HealthError struct {
	Path   string
	Status int   // 0 when there was none
	Err    error // nil when there was a status
}

// Error says what to do.
func (e *HealthError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("the health check failed: GET %s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("the health check failed: GET %s was answered with %d, and 200 to 399 is wanted: mend the application, or health.path in wasgi.toml", e.Path, e.Status)
}

// Unwrap gives what kept it from answering.
func (e *HealthError) Unwrap() error { return e.Err }

// examine makes the request of the manifest's [health] to a deployment that does
// not serve yet.
func (s *site) examine(ctx context.Context, d *deployment) error {
	h := d.tenant.Manifest.Health
	if h.Path == "" {
		return nil
	}
	s.step("checking " + h.Path)
	ctx, cancel := context.WithTimeout(ctx, min(h.Timeout.Duration, s.fleet.cfg.now().StartTimeout))
	defer cancel()
	status, err := d.get(ctx, h.Path, "wasgi-health", s.log())
	if err != nil {
		return &HealthError{Path: h.Path, Err: err}
	}
	if status < 200 || status > 399 {
		return &HealthError{Path: h.Path, Status: status}
	}
	return nil
}

// get makes a GET of the host's own to what serves, as deployment.get does.
func (s *site) get(ctx context.Context, target, agent string, log *tenantlog.Log) (status int, err error) {
	for range 3 {
		var d *deployment
		if d, err = s.current(ctx); err != nil {
			return 0, err
		}
		if status, err = d.get(ctx, target, agent, log); !errors.Is(err, pool.ErrClosed) {
			break
		}
	}
	return status, err
}

// get makes a GET of the host's own and returns its status. What the
// application says to its log goes there.
func (d *deployment) get(ctx context.Context, target, agent string, log *tenantlog.Log) (status int, err error) {
	id := newRequestID()
	message, err := ownRequest(edge.NewEncoder(), d.tenant, target, agent, id)
	if err != nil {
		return 0, err
	}
	lease, err := d.pool.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	q := &quiet{log: log, id: id, lease: lease}
	err = lease.Instance().Serve(ctx, &sandbox.Request{Environ: message}, q)
	lease.Release()
	return q.status, err
}

// quiet takes an answer that nobody reads. It implements sandbox.Responder and
// the interfaces by which a guest gives its turn away.
type quiet struct {
	log   *tenantlog.Log
	id    string
	lease interface {
		Pause()
		Resume(context.Context) error
		Yield(context.Context) error
	}
	status int
}

// Start implements sandbox.Responder.
func (q *quiet) Start(h abi.ResponseHead) error {
	q.status = h.Status
	return nil
}

// Write implements sandbox.Responder.
func (q *quiet) Write([]byte, bool) error { return nil }

// SendFile implements sandbox.FileSender.
func (q *quiet) SendFile(wasi.Regular, int64, int64) error { return nil }

// Log implements sandbox.Responder.
func (q *quiet) Log(level abi.LogLevel, text string) { q.log.Guest(level, text, q.id) }

// turn is how long a guest of the host's own waits for its turn: as long as it
// takes, for its own deadline ends it at the next check.
const turnPatience = time.Minute

func (q *quiet) inTurn(wait func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), turnPatience)
	defer cancel()
	_ = wait(ctx) // without a slot it goes on to the next check of its deadline
}

// Pause implements sandbox.Waiter.
func (q *quiet) Pause() { q.lease.Pause() }

// Resume implements sandbox.Waiter.
func (q *quiet) Resume() { q.inTurn(q.lease.Resume) }

// Yield implements sandbox.Yielder.
func (q *quiet) Yield() { q.inTurn(q.lease.Yield) }
