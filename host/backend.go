package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/host/registry"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/tenants"
)

// backend is the host as the admin API sees it.
type backend struct {
	host *Host
	*deployer
}

// Info implements api.Backend.
func (b backend) Info() api.Info {
	state := map[int32]string{phaseStarting: "starting", phaseServing: "serving", phaseDraining: "draining"}
	return api.Info{Version: b.host.version, Root: b.host.cfg.Root, State: state[b.host.phase.Load()]}
}

// Tenants implements api.Backend.
func (b backend) Tenants() []api.Tenant {
	names := b.names()
	for name := range b.fleet.routes.Load().sites {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []api.Tenant
	for _, name := range slices.Compact(names) {
		out = append(out, b.describe(b.record(name)))
	}
	return out
}

// Tenant implements api.Backend.
func (b backend) Tenant(name string) (api.Tenant, error) {
	r := b.record(name)
	if r.Revision == 0 && b.fleet.routes.Load().sites[name] == nil {
		return api.Tenant{}, b.problem(errNoTenant)
	}
	return b.describe(r), nil
}

// describe is a record as the API tells it.
func (b backend) describe(r registry.Tenant) api.Tenant {
	t := api.Tenant{
		Name: r.Name, Source: b.sourceOf(r), Current: r.Current, Stopped: r.Stopped, Revision: uint64(r.Revision),
		Env: map[string]string{}, Secrets: slices.Sorted(maps.Keys(r.Secrets)), Releases: []api.Release{},
	}
	maps.Copy(t.Env, r.Env)
	if t.Secrets == nil {
		t.Secrets = []string{}
	}
	for _, one := range r.Releases {
		t.Releases = append(t.Releases, releaseOf(one, r.Current))
	}
	return t
}

func (b backend) sourceOf(r registry.Tenant) string {
	switch {
	case r.Current != "":
		return "release"
	case b.folderOf(r.Name) != "":
		return "folder"
	}
	return "none"
}

func releaseOf(r registry.Release, current string) api.Release {
	return api.Release{
		Digest: r.Digest, Created: r.Created, Deployed: timeOrNil(r.Deployed), Files: r.Files, Bytes: r.Bytes, By: r.By, Current: r.Digest == current,
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Upload implements api.Backend.
func (b backend) Upload(ctx context.Context, tenant string, from io.Reader, digest, by string) (api.Release, error) {
	r, err := b.upload(ctx, tenant, from, digest, by)
	return releaseOf(r, b.record(tenant).Current), b.problem(err)
}

// Deploy implements api.Backend.
func (b backend) Deploy(ctx context.Context, tenant, digest string, at uint64) (api.Tenant, error) {
	return b.changed(b.deploy(ctx, tenant, digest, store.Revision(at)))
}

// Rollback implements api.Backend.
func (b backend) Rollback(ctx context.Context, tenant, digest string, at uint64) (api.Tenant, error) {
	return b.changed(b.rollback(ctx, tenant, digest, store.Revision(at)))
}

// Stop implements api.Backend.
func (b backend) Stop(ctx context.Context, tenant string, at uint64) (api.Tenant, error) {
	return b.changed(b.stop(ctx, tenant, store.Revision(at)))
}

// Start implements api.Backend.
func (b backend) Start(ctx context.Context, tenant string, at uint64) (api.Tenant, error) {
	return b.changed(b.resume(ctx, tenant, store.Revision(at)))
}

// SetEnv implements api.Backend.
func (b backend) SetEnv(ctx context.Context, tenant string, set map[string]string, unset []string, at uint64) (api.Tenant, error) {
	return b.changed(b.setEnv(ctx, tenant, set, unset, store.Revision(at)))
}

// SetSecrets implements api.Backend.
func (b backend) SetSecrets(ctx context.Context, tenant string, set map[string]string, unset []string, at uint64) (api.Tenant, error) {
	return b.changed(b.setSecrets(ctx, tenant, set, unset, store.Revision(at)))
}

func (b backend) changed(r registry.Tenant, err error) (api.Tenant, error) {
	if err != nil {
		return api.Tenant{}, b.problem(err)
	}
	return b.describe(r), nil
}

// Remove implements api.Backend.
func (b backend) Remove(ctx context.Context, tenant string, data bool, at uint64) error {
	return b.problem(b.remove(ctx, tenant, data, store.Revision(at)))
}

// problem puts a status to what an operator can do something about.
func (b backend) problem(err error) error {
	if err == nil {
		return nil
	}
	status, hint := statusOf(err)
	if status == 0 {
		return err
	}
	// Paths of the host's own folders are nobody's business.
	text := strings.ReplaceAll(err.Error(), b.host.cfg.StateDir, "<state_dir>")
	var guest *sandbox.Error
	if errors.As(err, &guest) && guest.Traceback != "" {
		text += "\n" + strings.TrimSpace(guest.Traceback)
	}
	return &api.Problem{Status: status, Err: errors.New(text + hint)}
}

// statusOf is 0 for what is the host's own fault.
func statusOf(err error) (status int, hint string) {
	var clash *ClashError
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return http.StatusInsufficientStorage, ": the disk of state_dir is full; nothing has changed, and what served before goes on: make room and try again"
	case errors.Is(err, errNoTenant), errors.Is(err, store.ErrNotFound):
		return http.StatusNotFound, ""
	case errors.Is(err, store.ErrConflict):
		return http.StatusPreconditionFailed, ": read it again and repeat the change"
	case errors.Is(err, errUnderway), errors.Is(err, errProgramRuns), errors.Is(err, errJobRuns), errors.Is(err, errIsFolder), errors.As(err, &clash):
		return http.StatusConflict, ""
	case errors.Is(err, release.ErrDigest):
		return http.StatusBadRequest, ""
	case errors.Is(err, errStopped), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, ": the host ends, or the client has left; nothing has changed"
	case applicationsFault(err):
		return http.StatusUnprocessableEntity, ""
	}
	return 0, ""
}

// applicationsFault says whether the one who made the application can mend it.
func applicationsFault(err error) bool {
	if errors.Is(err, errVariable) || errors.Is(err, errDamaged) || errors.Is(err, errNoScriptRun) {
		return true
	}
	return is[*bundle.Refusal](err) || is[*jobError](err) || is[*release.CheckError](err) || is[*HealthError](err) || is[*sandbox.Error](err) ||
		is[*tenants.ManifestError](err) || is[*tenants.NoEntryError](err) || is[*tenants.NativeError](err) || is[*tenants.InstallError](err)
}

func is[T error](err error) bool {
	var e T
	return errors.As(err, &e)
}

// Statuses implements api.Backend.
func (b backend) Statuses() []api.Status {
	sites := b.fleet.routes.Load().sites
	out := make([]api.Status, 0, len(sites))
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		s := sites[name].statusNow()
		s.Source = b.sourceOf(b.record(name))
		s.Error = strings.ReplaceAll(s.Error, b.host.cfg.StateDir, "<state_dir>")
		out = append(out, s)
	}
	return out
}

// statusNow is how the site does, as the API tells it.
func (s *site) statusNow() api.Status {
	t := s.status()
	out := api.Status{Name: t.Name, URL: t.URL, State: t.State.String(), Release: t.Release, Memory: s.memory.Used(), Limit: s.memory.Limit()}
	if t.Err != nil {
		out.Error = t.Err.Error()
	}
	out.Network = s.fleet.networkTold(s.name)
	d, z := s.both()
	var seen past
	switch {
	case d != nil:
		p := d.pool.Stats()
		out.Idle, out.Busy, out.Creating, out.Waiting = p.Idle, p.Busy, p.Creating, p.Waiting
		out.Isolation, seen = string(d.tenant.Manifest.Isolation), d.history()
	case z != nil:
		out.Isolation, seen = string(z.tenant.Manifest.Isolation), z.past
	}
	out.Requests, out.Created = seen.requests, seen.created
	if seen.called > 0 {
		at := time.Unix(seen.called, 0).UTC()
		out.LastCall = &at
	}
	return out
}

// Events implements api.Backend.
func (b backend) Events(ctx context.Context, f func(api.Event)) {
	stop := b.fleet.events.listen(func(e Event) {
		if told, ok := eventOf(e); ok {
			f(told)
		}
	})
	context.AfterFunc(ctx, stop)
}

func eventOf(e Event) (api.Event, bool) {
	out := api.Event{Time: time.Now().UTC(), Tenant: e.Tenant}
	switch e.Kind {
	case EventListening:
		out.Kind, out.Text = "listening", e.URL
	case EventProgress, EventStep:
		out.Kind, out.Text = "progress", e.Text
	case EventReady:
		out.Kind, out.Text = "ready", fmt.Sprintf("%s (%s)", e.URL, e.Took.Round(time.Millisecond))
	case EventFailed:
		out.Kind, out.Text = "failed", e.Err.Error()
	case EventStopped:
		out.Kind = "stopped"
	default:
		return out, false
	}
	return out, true
}

// Authenticate implements api.Backend.
func (b backend) Authenticate(ctx context.Context, token string) (api.Caller, error) {
	t, err := b.registry.Authenticate(ctx, token, b.now())
	if errors.Is(err, registry.ErrToken) {
		return api.Caller{}, &api.Problem{Status: http.StatusUnauthorized, Err: err}
	}
	return api.Caller{Name: "token " + t.ID, Tenant: t.Tenant, ReadOnly: t.Reads}, err
}

// Tokens implements api.Backend.
func (b backend) Tokens(ctx context.Context) ([]api.Token, error) {
	all, err := b.registry.Tokens(ctx)
	var out []api.Token
	for _, t := range all {
		out = append(out, tokenOf(t))
	}
	return out, err
}

func tokenOf(t registry.Token) api.Token {
	return api.Token{ID: t.ID, Note: t.Note, Tenant: t.Tenant, ReadOnly: t.Reads, Created: t.Created, Expires: timeOrNil(t.Expires)}
}

// CreateToken implements api.Backend.
func (b backend) CreateToken(ctx context.Context, note, tenant string, readOnly bool, expires time.Time) (api.NewToken, error) {
	t, secret, err := b.registry.NewToken(ctx, registry.Token{Note: note, Tenant: tenant, Reads: readOnly, Created: b.now().UTC(), Expires: expires})
	return api.NewToken{Token: tokenOf(t), Secret: secret}, err
}

// RemoveToken implements api.Backend.
func (b backend) RemoveToken(ctx context.Context, id string) error {
	return b.problem(b.registry.RemoveToken(ctx, id))
}
