package api

import (
	"context"
	"io"
	"time"
)

// Backend is the host. Its errors are *Problem where the client can do something
// about them; all others are the host's own.
type Backend interface {
	Info() Info
	Statuses() []Status
	// Tenants lists those that something is known of.
	Tenants() []Tenant
	Tenant(name string) (Tenant, error)
	// Upload makes a release of a bundle with this SHA-256 (hexadecimal; "" is any).
	Upload(ctx context.Context, tenant string, bundle io.Reader, digest, by string) (Release, error)
	// The changes of a tenant. revision is the one that it must have, 0 for any. They
	// return when the change serves, or has failed and left things as they were.
	Deploy(ctx context.Context, tenant, release string, revision uint64) (Tenant, error)
	Rollback(ctx context.Context, tenant, release string, revision uint64) (Tenant, error)
	Stop(ctx context.Context, tenant string, revision uint64) (Tenant, error)
	Start(ctx context.Context, tenant string, revision uint64) (Tenant, error)
	SetEnv(ctx context.Context, tenant string, set map[string]string, unset []string, revision uint64) (Tenant, error)
	SetSecrets(ctx context.Context, tenant string, set map[string]string, unset []string, revision uint64) (Tenant, error)
	// Remove forgets a tenant that was deployed.
	Remove(ctx context.Context, tenant string, data bool, revision uint64) error
	// Events calls f for each event until ctx ends. f must return soon.
	Events(ctx context.Context, f func(Event))
	// Logs calls f for lines of a tenant's log, each once; when it follows, until ctx
	// ends or f fails.
	Logs(ctx context.Context, tenant string, q LogQuery, f func(LogLine) error) error
	// Run runs Python for a tenant and returns its exit status.
	Run(ctx context.Context, tenant string, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error)
	// Jobs are those of a tenant's manifest.
	Jobs(tenant string) ([]Job, error)
	// RunJob does one now and waits for its end.
	RunJob(ctx context.Context, tenant, what string) error
	// Backup writes the host's state as a tar.gz, with /data and the key of the secrets
	// when they are asked for.
	Backup(ctx context.Context, w io.Writer, data, key bool) error
	// Tokens.
	Authenticate(ctx context.Context, token string) (Caller, error)
	Tokens(ctx context.Context) ([]Token, error)
	CreateToken(ctx context.Context, note, tenant string, readOnly bool, expires time.Time) (NewToken, error)
	RemoveToken(ctx context.Context, id string) error
}

// LogQuery says which lines of a log are asked for.
type LogQuery struct {
	Lines  int       // how many of the last, -1 for all
	Since  time.Time // none that is older; zero for any
	Follow bool      // those that are written from then on, too
}

// Caller is who asks.
type Caller struct {
	Name     string // "local", or "token <id>"
	Tenant   string // the only one that it may see; "" is all
	ReadOnly bool
}
