package host

import (
	"context"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/tenantlog"
	"github.com/wasgi/wasgi/tenants"
)

// instance is one interpreter with the application loaded; a sandbox.Instance,
// or a fake in tests.
type instance interface {
	pool.Instance
	Serve(ctx context.Context, request *sandbox.Request, to sandbox.Responder) error
}

// image makes instances of one release.
type image interface {
	Restore(ctx context.Context) (instance, error)
	// Close frees the image; no instance of it may be alive.
	Close() error
}

// application is a release of a tenant that is to be served.
type application struct {
	tenant      *tenants.Tenant // nobody changes it
	folder      string          // tenant.Dir without links, as they were when the release was made
	release     tenants.Release
	fingerprint string                        // of the application's folder
	verified    func() (tenants.Stamp, error) // as in verification
	turn        uint64                        // see fleet.turns
	pinned      string                        // what that must be, "" for anything
	secret      bool                          // its environment must not get into a file
	touched     int64                         // as in wish
	quotas      *policy.Quotas                // nil before it is built
	log         *tenantlog.Log                // nil before it is built
	memory      *sandbox.Budget               // of all its instances
}

// maker turns tenants into images. Its methods are called from several
// goroutines.
type maker interface {
	// prepare installs dependencies of a, which has no release yet; progress gets
	// the steps in words.
	prepare(ctx context.Context, a application, progress func(text string)) (tenants.Release, error)
	// build boots, imports and warms up.
	build(ctx context.Context, a application) (image, error)
	// close frees everything; no image may be alive.
	close(ctx context.Context) error
}
