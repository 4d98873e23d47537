package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
	"github.com/wasgi/wasgi/host/admin/console/history"
)

// The tokens that the fake host knows.
const (
	hostToken  = "wasgi_all"
	readToken  = "wasgi_read"
	shopToken  = "wasgi_shop"
	shopReader = "wasgi_shopread"
)

// evil is what a hostile tenant would write everywhere.
const evil = "<script>alert(1)</script>\"'&\x1b[31mred\u202eevil"

// fake is a host with lively data at a time that stands still.
type fake struct {
	mu       sync.Mutex // guards all below
	now      time.Time
	tokens   map[string]api.Caller
	statuses map[string]api.Status
	tenants  map[string]api.Tenant
	logs     map[string][]api.LogLine
	heard    map[int]chan api.LogLine
	events   []func(api.Event)
	calls    []string
	issued   []api.Token
	audit    []string
	refusal  error // of the next change
	broken   error // of the next deploy
	deaf     error // of every look at a token
	secrets  map[string]string
	counters map[string]history.Reading
}

func rel(n int) string { return strings.Repeat(fmt.Sprintf("%016x", uint64(n)*0x9e3779b97f4a7c15), 4) }

func newFake() *fake {
	f := &fake{
		now: time.Date(2026, 11, 25, 19, 42, 30, 0, time.UTC), statuses: map[string]api.Status{}, tenants: map[string]api.Tenant{},
		logs: map[string][]api.LogLine{}, heard: map[int]chan api.LogLine{}, secrets: map[string]string{}, counters: map[string]history.Reading{},
		tokens: map[string]api.Caller{
			hostToken: {Name: "token 0a1b2c3d4e5f"}, readToken: {Name: "token 1a1b2c3d4e5f", ReadOnly: true},
			shopToken: {Name: "token 2a1b2c3d4e5f", Tenant: "shop"}, shopReader: {Name: "token 3a1b2c3d4e5f", Tenant: "shop", ReadOnly: true},
		},
	}
	for i, c := range slices.SortedFunc(maps.Values(f.tokens), func(a, b api.Caller) int { return strings.Compare(a.Name, b.Name) }) {
		note, ends := []string{"", "the dashboard on the wall", "CI of the shop " + evil, ""}[i], f.now.Add(time.Duration(i-1)*40*day)
		t := api.Token{ID: strings.TrimPrefix(c.Name, "token "), Note: note, Tenant: c.Tenant, ReadOnly: c.ReadOnly, Created: f.now.Add(-time.Duration(i+1) * 90 * time.Hour)}
		if i > 0 {
			t.Expires = &ends
		}
		f.issued = append(f.issued, t)
	}
	f.populate()
	return f
}

// populate makes tenants in all states.
func (f *fake) populate() {
	for i, s := range []api.Status{
		{Name: "shop", State: "serving", Source: "release", Release: rel(3), Idle: 3, Busy: 2, Requests: 1284201, Created: 41, Memory: 211 << 20, Limit: 2 << 30, Isolation: "reuse",
			Network: &api.Network{Open: 4, Opened: 10412, Refused: 17, Sent: 3 << 20, Received: 5 << 30, Pool: 8, PoolIdle: 3, PoolUsed: 1}},
		{Name: "wiki", State: "serving", Source: "folder", Release: rel(9), Idle: 1, Requests: 20841, Created: 4, Memory: 38 << 20, Limit: 2 << 30, Isolation: "fresh",
			Error: "wsgi.py:12: ModuleNotFoundError: No module named 'markdown2'\n" + evil},
		{Name: "billing", State: "failed", Source: "release", Error: "app.py:3: SyntaxError: invalid syntax (app.py, line 3)"},
		{Name: "intranet", State: "cold", Source: "folder"},
		{Name: "reports", State: "booting", Source: "release", Creating: 1, Memory: 12 << 20, Limit: 2 << 30},
		{Name: "old-forum", State: "stopped", Source: "release"},
		{Name: "a-tenant-with-a-name-that-is-as-long-as-names-are-allowed-to-be", State: "serving", Source: "folder", Release: rel(12), Idle: 1, Requests: 12, Created: 1, Memory: 4 << 20, Limit: 2 << 30},
	} {
		s.URL = "http://127.0.0.1:8000/" + s.Name
		called := f.now.Add(-time.Duration(i*i*40+2) * time.Second)
		if s.State == "serving" {
			s.LastCall = &called
		}
		f.statuses[s.Name] = s
		f.tenants[s.Name] = api.Tenant{Name: s.Name, Source: s.Source, Stopped: s.State == "stopped", Revision: 7, Env: map[string]string{}, Releases: []api.Release{}}
	}
	f.tenants["new"] = api.Tenant{Name: "new", Source: "none", Revision: 1}
	shop := f.tenants["shop"]
	for n := 4; n > 0; n-- {
		at := f.now.Add(-time.Duration(4-n)*31*time.Hour - 20*time.Minute)
		r := api.Release{Digest: rel(n), Created: at, Files: 214 + n, Bytes: 3<<20 + int64(n)*131072, By: "token 2a1b2c3d4e5f", Current: n == 3}
		if n < 4 {
			served := at.Add(90 * time.Second)
			r.Deployed = &served
		}
		shop.Releases = append(shop.Releases, r)
	}
	shop.Current = rel(3)
	shop.Env = map[string]string{"DJANGO_SETTINGS_MODULE": "shop.settings.production", "CACHE_URL": "file:///data/cache?max=" + evil, "DEBUG": ""}
	shop.Secrets = []string{"SECRET_KEY", "STRIPE_KEY"}
	f.tenants["shop"] = shop
	f.talk()
}

func (f *fake) talk() {
	at := f.now.Add(-4 * time.Minute)
	for i, text := range []string{"GET /basket took 812 ms", "order 20411 paid", "cache is cold", "Traceback (most recent call last):\n  File \"/app/shop/views.py\", line 88, in checkout\n    raise PaymentError(reply)\nshop.payment.PaymentError: the bank says no", evil, "order 20412 paid"} {
		level := []string{"WARN", "INFO", "DEBUG", "ERROR", "INFO", "INFO"}[i]
		f.logs["shop"] = append(f.logs["shop"], api.LogLine{Time: at.Add(time.Duration(i) * 37 * time.Second), Level: level, Message: text,
			Fields: map[string]string{"source": "stderr", "request_id": fmt.Sprintf("%016x", 0x9e3779b97f4a7c15*uint64(i+1))}})
	}
}

// Bounds and Read implement history.Source.
func (f *fake) Bounds() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}
}

func (f *fake) Read() []history.Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Values(f.counters))
}

// live lets the tenants have traffic for some hours.
func (f *fake) live(h *history.History) {
	r := rand.New(rand.NewPCG(1, 2))
	end := f.now
	f.now = end.Add(-6 * time.Hour)
	for minute := range 6 * 60 {
		f.mu.Lock()
		f.minute("shop", minute, 2400, 3, r)
		f.minute("wiki", minute, 90, 0, r)
		if minute > 300 {
			f.minute("a-tenant-with-a-name-that-is-as-long-as-names-are-allowed-to-be", minute, 2, 0, r)
		}
		f.now = f.now.Add(time.Minute)
		f.mu.Unlock()
		h.Read()
	}
	f.now = end
}

func (f *fake) minute(tenant string, at int, busy float64, failing int, r *rand.Rand) {
	c := f.counters[tenant]
	c.Tenant, c.Counted = tenant, true
	wave := 0.6 + 0.35*math.Sin(float64(at)/55) + 0.08*r.Float64()
	n := uint64(busy * wave)
	c.Requests += n
	c.ClientErrors += n / 90
	if failing > 0 && (at > 300 && at < 318 || r.IntN(40) == 0) {
		c.ServerErrors += uint64(r.IntN(failing*9) + 1)
	}
	latency := make([]uint64, len(f.Bounds()))
	copy(latency, c.Latency)
	centre := 3 + 1.5*wave + 0.4*r.Float64()
	for i := range latency {
		latency[i] += uint64(float64(n) / (1 + math.Exp(-1.9*(float64(i)-centre))))
	}
	latency[len(latency)-1] = c.Requests
	c.Latency = latency
	c.Memory = uint64(float64(40<<20) + float64(f.statuses[tenant].Memory)*wave)
	f.counters[tenant] = c
}

// Limits are those that the fake says of each tenant.
func (f *fake) Limits(tenant string) []Limit {
	if f.statuses[tenant].State != "serving" {
		return nil
	}
	return []Limit{
		{"Requests", "limits.request_timeout", "30s", ""}, {"Requests", "limits.cpu_time", "none", ""}, {"Requests", "limits.body_size", "64 MiB", ""},
		{"Instances", "limits.memory", "256 MiB", ""}, {"Instances", "instances.min", "0", ""}, {"Instances", "instances.max", "8", "lowered by the host"},
		{"Data", "data.quota", "1 GiB", ""}, {"Data", "data.tmp", "64 MiB", ""},
	}
}

func (f *fake) Info() api.Info { return api.Info{Version: "v0.9.1", State: "serving"} }

func (f *fake) Statuses() []api.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.SortedFunc(maps.Values(f.statuses), func(a, b api.Status) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
}

func (f *fake) Tenants() []api.Tenant {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Values(f.tenants))
}

func (f *fake) Tenant(name string) (api.Tenant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, found := f.tenants[name]; found {
		return t, nil
	}
	return api.Tenant{}, problem(http.StatusNotFound, "there is no such tenant")
}

// change notes a call and makes it, unless it is to be refused.
func (f *fake) change(tenant string, revision uint64, what string, do func(*api.Tenant)) (api.Tenant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("%s %s at %d", what, tenant, revision))
	if err := f.refusal; err != nil {
		f.refusal = nil
		return api.Tenant{}, err
	}
	t := f.tenants[tenant]
	if revision != 0 && revision != t.Revision {
		return api.Tenant{}, problem(http.StatusPreconditionFailed, tenant+": somebody else has changed it: read it again and repeat the change")
	}
	t.Name = tenant
	do(&t)
	t.Revision++
	f.tenants[tenant] = t
	return t, nil
}

func (f *fake) Upload(_ context.Context, tenant string, bundle io.Reader, digest, by string) (api.Release, error) {
	text, err := io.ReadAll(bundle)
	if err != nil {
		return api.Release{}, fmt.Errorf("receiving the bundle: %w", err)
	}
	r := api.Release{Digest: rel(77), Created: f.now, Files: 1, Bytes: int64(len(text)), By: by}
	_, err = f.change(tenant, 0, fmt.Sprintf("upload %q %q by %s to", text, digest, by), func(t *api.Tenant) {
		t.Releases = append([]api.Release{r}, t.Releases...)
	})
	return r, err
}

func (f *fake) Deploy(_ context.Context, tenant, release string, revision uint64) (api.Tenant, error) {
	for _, text := range []string{"preparing", "booting " + evil, "switching"} {
		for _, e := range f.events {
			e(api.Event{Kind: "progress", Tenant: tenant, Text: text})
		}
	}
	if err := f.broken; err != nil {
		f.broken = nil
		return api.Tenant{}, err
	}
	return f.change(tenant, revision, "deploy "+digest(release)+" to", serve(release, f.now))
}

func serve(release string, now time.Time) func(*api.Tenant) {
	return func(t *api.Tenant) {
		t.Current = release
		t.Releases = slices.Clone(t.Releases)
		for i := range t.Releases {
			r := &t.Releases[i]
			if r.Current = r.Digest == release; r.Current {
				r.Deployed = &now
			}
		}
	}
}

func (f *fake) Rollback(_ context.Context, tenant, release string, revision uint64) (api.Tenant, error) {
	return f.change(tenant, revision, "rollback to "+digest(release)+" of", serve(release, f.now))
}

func (f *fake) Stop(_ context.Context, tenant string, revision uint64) (api.Tenant, error) {
	return f.change(tenant, revision, "stop", func(t *api.Tenant) { t.Stopped = true })
}

func (f *fake) Start(_ context.Context, tenant string, revision uint64) (api.Tenant, error) {
	return f.change(tenant, revision, "start", func(t *api.Tenant) { t.Stopped = false })
}

func (f *fake) Remove(_ context.Context, tenant string, data bool, revision uint64) error {
	_, err := f.change(tenant, revision, fmt.Sprintf("remove (data %v)", data), func(*api.Tenant) {})
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.tenants, tenant)
		delete(f.statuses, tenant)
	}
	return err
}

func (f *fake) Tokens(context.Context) ([]api.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.issued), nil
}

// CreateToken makes one that counts at once.
func (f *fake) CreateToken(_ context.Context, note, tenant string, readOnly bool, expires time.Time) (api.NewToken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("token %q %q %v %s", note, tenant, readOnly, expires.Format(time.RFC3339)))
	if err := f.refusal; err != nil {
		f.refusal = nil
		return api.NewToken{}, err
	}
	t := api.Token{ID: fmt.Sprintf("%012x", len(f.issued)+0xabc), Note: note, Tenant: tenant, ReadOnly: readOnly, Created: f.now}
	if !expires.IsZero() {
		t.Expires = &expires
	}
	f.issued = append(f.issued, t)
	secret := "wasgi_" + t.ID + "_" + strings.Repeat("k3yM", 10)
	f.tokens[secret] = api.Caller{Name: "token " + t.ID, Tenant: tenant, ReadOnly: readOnly}
	return api.NewToken{Token: t, Secret: secret}, nil
}

func (f *fake) RemoveToken(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "revoke "+id)
	at := slices.IndexFunc(f.issued, func(t api.Token) bool { return t.ID == id })
	if at < 0 {
		return problem(http.StatusNotFound, "there is no such token")
	}
	f.issued = slices.Delete(f.issued, at, at+1)
	maps.DeleteFunc(f.tokens, func(_ string, c api.Caller) bool { return c.Name == "token "+id })
	return nil
}

func (f *fake) SetEnv(_ context.Context, tenant string, set map[string]string, unset []string, revision uint64) (api.Tenant, error) {
	return f.change(tenant, revision, fmt.Sprintf("env %q %q of", set, unset), func(t *api.Tenant) {
		t.Env = maps.Clone(t.Env)
		maps.Copy(t.Env, set)
		for _, name := range unset {
			delete(t.Env, name)
		}
	})
}

func (f *fake) SetSecrets(_ context.Context, tenant string, set map[string]string, unset []string, revision uint64) (api.Tenant, error) {
	return f.change(tenant, revision, fmt.Sprintf("secrets %q %q of", set, unset), func(t *api.Tenant) {
		t.Secrets = append(slices.Clone(t.Secrets), slices.Collect(maps.Keys(set))...)
		t.Secrets = slices.DeleteFunc(t.Secrets, func(s string) bool { return slices.Contains(unset, s) })
	})
}

func (f *fake) Events(_ context.Context, listen func(api.Event)) { f.events = append(f.events, listen) }

// say writes a line into a log.
func (f *fake) say(tenant, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := api.LogLine{Time: f.now, Level: "INFO", Message: text}
	f.logs[tenant] = append(f.logs[tenant], l)
	for _, c := range f.heard {
		c <- l
	}
}

func (f *fake) Logs(ctx context.Context, tenant string, q api.LogQuery, write func(api.LogLine) error) error {
	f.mu.Lock()
	last := slices.Clone(f.logs[tenant])
	last = last[max(len(last)-q.Lines, 0):]
	queue := make(chan api.LogLine, 100)
	id := len(f.calls) + len(f.heard)*1000
	if q.Follow {
		f.heard[id] = queue
	}
	f.mu.Unlock()
	defer func() { f.mu.Lock(); delete(f.heard, id); f.mu.Unlock() }()
	for _, l := range last {
		if err := write(l); err != nil {
			return err
		}
	}
	for q.Follow {
		select {
		case l := <-queue:
			if err := write(l); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *fake) Authenticate(_ context.Context, token string) (api.Caller, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf != nil {
		return api.Caller{}, f.deaf
	}
	if c, found := f.tokens[token]; found {
		return c, nil
	}
	return api.Caller{}, problem(http.StatusUnauthorized, "the token is unknown, wrong, or has expired")
}

// revoke removes a token.
func (f *fake) revoke(token string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.tokens, token)
}

// refuse has the next change fail.
func (f *fake) refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusal = err
}

func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return out
}

func (f *fake) audited() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.audit
	f.audit = nil
	return out
}

func (f *fake) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fake) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// serving is a console of a fake on a listener of its own.
func serving(t *testing.T, f *fake) *httptest.Server {
	t.Helper()
	h := history.New(f, history.Options{Now: func() time.Time { return f.now }})
	f.live(h)
	c, err := New(Config{
		Host: f, History: h, Limits: f.Limits, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: f.clock,
		AnswersTo: func(host string) bool { return bytes.HasPrefix([]byte(host), []byte("127.0.0.1:")) },
		Audit: func(caller string, r *http.Request, status int, _ time.Time) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.audit = append(f.audit, fmt.Sprintf("%s %s %s %d", caller, r.Method, r.URL.Path, status))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(c)
	// As the host's own listener for probes has it: the console must lift these.
	s.Config.ReadTimeout, s.Config.WriteTimeout, s.Config.MaxHeaderBytes = 10*time.Second, 10*time.Second, 4096
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(c.Close)
	return s
}

var errOwn = errors.New("/var/lib/wasgi is on fire")
