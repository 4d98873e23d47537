package console

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console/history"
)

// Base is where the console is below the root of its listener.
const Base = "/console/"

// Host is what the console shows and changes; api.Backend is one.
type Host interface {
	Info() api.Info
	Statuses() []api.Status
	Tenants() []api.Tenant
	Tenant(name string) (api.Tenant, error)
	Upload(ctx context.Context, tenant string, bundle io.Reader, digest, by string) (api.Release, error)
	Deploy(ctx context.Context, tenant, release string, revision uint64) (api.Tenant, error)
	Rollback(ctx context.Context, tenant, release string, revision uint64) (api.Tenant, error)
	Stop(ctx context.Context, tenant string, revision uint64) (api.Tenant, error)
	Start(ctx context.Context, tenant string, revision uint64) (api.Tenant, error)
	Remove(ctx context.Context, tenant string, data bool, revision uint64) error
	SetEnv(ctx context.Context, tenant string, set map[string]string, unset []string, revision uint64) (api.Tenant, error)
	SetSecrets(ctx context.Context, tenant string, set map[string]string, unset []string, revision uint64) (api.Tenant, error)
	Events(ctx context.Context, f func(api.Event))
	Logs(ctx context.Context, tenant string, q api.LogQuery, f func(api.LogLine) error) error
	Tokens(ctx context.Context) ([]api.Token, error)
	CreateToken(ctx context.Context, note, tenant string, readOnly bool, expires time.Time) (api.NewToken, error)
	RemoveToken(ctx context.Context, id string) error
	Authenticate(ctx context.Context, token string) (api.Caller, error)
}

// Limit is something that bounds a tenant, as it holds for what serves.
type Limit struct {
	Group string // "Requests", "Instances" and so on; limits of a group follow each other
	Name  string // the key of the manifest
	Value string
	Note  string // "" or what has lowered it
}

// Config of a console. All fields are needed but Now.
type Config struct {
	Host      Host
	History   *history.History
	Limits    func(tenant string) []Limit
	AnswersTo func(host string) bool // whether a Host field is the console's own
	// Audit hears of each change that was asked for, and of each refusal.
	Audit func(caller string, r *http.Request, status int, start time.Time)
	Log   *slog.Logger
	Now   func() time.Time
}

// Console answers people.
type Console struct {
	Config
	assets   *assets
	pages    *pages
	sessions *sessions
	logins   loginForms
	streams  chan struct{} // holds one for each log that is followed
	handler  http.Handler

	checkEvery time.Duration // how often a stream asks whether its token still counts
}

// maxStreams is how many logs may be followed at once by all.
const maxStreams = 128

// New makes a console. Close ends it.
func New(c Config) (*Console, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	out := &Console{Config: c, sessions: newSessions(c.Now), logins: newLoginForms(), streams: make(chan struct{}, maxStreams), checkEvery: 20 * time.Second}
	var err error
	if out.assets, err = newAssets(); err != nil {
		return nil, err
	}
	if out.pages, err = newPages(out.assets); err != nil {
		return nil, err
	}
	out.handler = out.guard(out.routes())
	return out, nil
}

// ServeHTTP answers below Base.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Close ends all sessions and what they follow.
func (c *Console) Close() { c.sessions.close() }

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+Base+"assets/{file}", c.assets)
	mux.HandleFunc("GET "+Base+"login", c.showLogin)
	mux.HandleFunc("POST "+Base+"login", c.login)
	mux.HandleFunc("POST "+Base+"logout", c.logout)
	get := func(path string, f page) { mux.Handle("GET "+Base+path, c.member(look, f)) }
	post := func(path string, f page) { mux.Handle("POST "+Base+path, c.member(change, f)) }
	get("{$}", c.overview)
	get("tenants/{tenant}", c.tenant)
	get("tenants/{tenant}/log", c.log)
	get("tenants/{tenant}/log/stream", c.stream)
	mux.Handle("POST "+Base+"deploy", c.member(changeHost, c.deployNew))
	post("tenants/{tenant}/deploy", c.deploy)
	post("tenants/{tenant}/rollback", c.changed(c.rollback))
	post("tenants/{tenant}/stop", c.changed(c.stop))
	post("tenants/{tenant}/start", c.changed(c.start))
	post("tenants/{tenant}/env", c.changed(c.setEnv))
	post("tenants/{tenant}/secrets", c.changed(c.setSecret))
	mux.Handle("GET "+Base+"tenants/{tenant}/remove", c.member(change, c.askToRemove))
	post("tenants/{tenant}/remove", c.remove)
	mux.Handle("GET "+Base+"tokens", c.member(wholeHost, c.tokens))
	mux.Handle("POST "+Base+"tokens", c.member(wholeHost, c.createToken))
	mux.Handle("POST "+Base+"tokens/{id}/remove", c.member(wholeHost, c.removeToken))
	mux.Handle("GET "+Base, c.member(look, c.nothing))
	return mux
}
