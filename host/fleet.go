package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/listen"
	"github.com/wasgi/wasgi/host/metrics"
	"github.com/wasgi/wasgi/host/pool"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
)

// fleet is all tenants: it looks at the folder, keeps a site for each, and
// publishes who answers to what.
type fleet struct {
	cfg      *settings
	defaults atomic.Pointer[tenants.Manifest] // under every manifest
	maker    maker
	log      *slog.Logger
	events   *events
	slots    *pool.Slots
	memory   *sandbox.Budget // of all guests
	builders permits         // to prepare a tenant
	spares   *spares         // nil for none
	logs     logbook
	reader   reader      // of snapshots
	watchful atomic.Bool // nobody goes to sleep
	routes   atomic.Pointer[table]
	origin   atomic.Pointer[origin] // of the first client listener

	drain    context.Context // ends when running requests must go at shutdown
	drainNow context.CancelFunc

	running sync.WaitGroup // sites that have not ended, removed ones too

	turns       atomic.Uint64              // how often settings of deployments have changed
	metrics     *metrics.Metrics           // nil counts nothing
	egress      *egress.Host               // nil for a maker without
	connections atomic.Pointer[func() int] // how many clients have; nil before any can
	ready       atomic.Bool                // settled was nil once

	mu          sync.Mutex // guards all below and serialises look; held while folders are read
	ledger      *ledger
	before      *tenants.Router // that was published last
	sites       map[string]*site
	known       map[string]*tenants.Tenant // what has a route
	gone        metrics.Pool               // what tenants without labels have counted that are no more
	goneNetwork metrics.Network            // the same of the network
	source      source                     // of what is not in the folder
}

// source is what the host's state says of tenants.
type source interface {
	// names lists those that it says something of.
	names() []string
	// deployed is the folder of the release that a tenant is to serve, and its digest;
	// "" when the tenant is a folder below root.
	deployed(name string) (dir, digest string)
	// dress is a dresser.
	dress(t tenants.Tenant) (_ tenants.Tenant, secret bool, err error)
	// stopped says whether an operator has stopped a tenant.
	stopped(name string) bool
	// retired is called when a release that was deployed serves nobody any more.
	retired(name string)
}

// bare is the source of a host without state.
type bare struct{}

func (bare) names() []string                      { return nil }
func (bare) deployed(string) (dir, digest string) { return "", "" }
func (bare) stopped(string) bool                  { return false }
func (bare) retired(string)                       {}

func (bare) dress(t tenants.Tenant) (tenants.Tenant, bool, error) { return t, false, nil }

// table is an immutable view for requests.
type table struct {
	router *tenants.Router
	sites  map[string]*site
	hosts  map[string]bool // that tenants claim in full
}

// slotPatience is how long a guest may keep a processor slot without a word. One
// that runs gives its turn away every 2 ms, and its longest single operation
// takes 20 (sandbox/DESIGN.md).
const slotPatience = 100 * time.Millisecond

func newFleet(c Config, m maker, log *slog.Logger, ev *events) *fleet {
	f := &fleet{
		cfg: newSettings(c), maker: m, log: log, events: ev,
		slots: pool.NewSlots(c.Slots).WithPatience(slotPatience), memory: guestMemory(c), builders: newPermits(c.Builders),
		sites: map[string]*site{}, known: map[string]*tenants.Tenant{}, source: bare{},
	}
	if l, ok := m.(interface{ lookAround() }); ok {
		f.slots.WithLook(l.lookAround)
	}
	if k, ok := m.(keeper); ok && c.Spare {
		f.spares = k.spareInterpreters()
	}
	f.logs.make, f.reader = f.newTenantLog, newReader()
	f.drain, f.drainNow = context.WithCancel(context.Background())
	base := manifestDefaults(c)
	f.defaults.Store(&base)
	f.publish()
	return f
}

// misdirected says whether a request that find resolved came on a connection
// for another tenant.
func (f *fleet) misdirected(serverName, rawPath, tenant string) bool {
	return f.routes.Load().router.Misdirected(serverName, rawPath, tenant)
}

// find resolves a request. The errors are those of tenants.Router.
func (f *fleet) find(host, rawPath string) (*site, tenants.Match, error) {
	t := f.routes.Load()
	m, err := t.router.Lookup(host, rawPath)
	if err != nil {
		return nil, m, err
	}
	return t.sites[m.Tenant], m, nil
}

// endAll ends the sites.
func (f *fleet) endAll() {
	f.mu.Lock()
	all := slices.Collect(maps.Values(f.sites))
	f.mu.Unlock()
	for _, s := range all {
		s.end()
	}
}

// start looks at everything once. The sites end with ctx.
func (f *fleet) start(ctx context.Context) error {
	context.AfterFunc(ctx, f.endAll)
	if f.cfg.now().Dev {
		f.look(ctx, []string{"."})
		return nil
	}
	var err error
	if f.ledger, f.before, err = openLedger(filepath.Join(f.cfg.now().StateDir, "routes.json")); err != nil {
		f.log.Error("of two applications that claim a route the first one by name gets it", "error", err)
	}
	names, err := f.everything()
	if err != nil {
		return err
	}
	f.look(ctx, append(names, tenants.DefaultsFile))
	f.warnOfFiles(listen.FileLimit())
	return nil
}

// everything is the names of all that may be tenants.
func (f *fleet) everything() ([]string, error) {
	entries, err := os.ReadDir(f.cfg.now().Root)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder of the applications: %w", err)
	}
	names := f.source.names()
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// share reads the defaults of all manifests, and returns the names of what they
// concern, all. Defaults that cannot be read leave the ones from before.
func (f *fleet) share() []string {
	base, err := tenants.LoadDefaults(f.cfg.now().Root, manifestDefaults(*f.cfg.now()))
	if err != nil {
		f.log.Error("the defaults of all applications cannot be used: those from before go on", "error", err)
		return nil
	}
	f.defaults.Store(&base)
	names, err := f.everything()
	if err != nil {
		f.log.Error("the applications cannot be looked at", "error", err)
	}
	return names
}

// look brings the sites of these folders in line with what is there. A site
// ends when no request can find it any more.
func (f *fleet) look(ctx context.Context, names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.cfg.now().Dev && slices.Contains(names, tenants.DefaultsFile) {
		names = append(names, f.share()...)
	}
	for i, name := range names {
		names[i] = f.nameOf(name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var next []func()
	for _, name := range names {
		next = append(next, f.lookAt(ctx, name))
	}
	// Before any of them says that it serves, and before any ends.
	f.publish()
	for _, act := range next {
		act()
	}
}

// lookAt changes what is known of a tenant, and returns what is to be done once
// requests see that. name is that of its folder, or of one that was deployed.
func (f *fleet) lookAt(ctx context.Context, name string) (next func()) {
	name, w, err := f.load(name)
	var nothing *tenants.NoEntryError
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.As(err, &nothing) && !nothing.HasPython && !f.cfg.now().Dev:
		return f.remove(name)
	case err == nil:
		f.known[name] = w.tenant
	}
	if f.source.stopped(name) {
		return f.halt(name)
	}
	s := f.site(ctx, name)
	return func() { s.propose(w, err) }
}

// load reads what is to be served of a tenant; the error is fs.ErrNotExist for
// what is no tenant.
func (f *fleet) load(folder string) (name string, w wish, err error) {
	if f.cfg.now().Dev {
		t, err := loadDev(f.cfg.now().Root, *f.defaults.Load())
		return t.Name, wish{tenant: &t}, err
	}
	if strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "_") {
		return folder, w, fs.ErrNotExist
	}
	dir, digest := f.source.deployed(folder)
	if digest != "" {
		f.shadowed(folder)
		w, err = f.read(dir, folder, digest, f.source.dress)
		return folder, w, err
	}
	w, err = f.below(folder, f.source.dress)
	return folder, w, err
}

// below reads what lies below root under a tenant's name: its folder, or its
// manifest, name.toml. The error is fs.ErrNotExist when there is neither.
func (f *fleet) below(name string, dress dresser) (w wish, err error) {
	dir := filepath.Join(f.cfg.now().Root, name)
	file := dir + ".toml"
	if ok, err := isFolder(dir); err == nil && ok {
		file = filepath.Join(dir, tenants.ManifestFile)
		w, err = f.read(dir, name, "", dress)
		return f.timed(w, file), err
	}
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return w, cmp.Or(f.away(), fs.ErrNotExist)
	}
	t, err := tenants.LoadFile(file, name, *f.defaults.Load())
	if err != nil {
		return w, notMissing(err)
	}
	w, err = f.finish(t, "", dress)
	return f.timed(w, file), notMissing(err)
}

// away is why nothing can be said of what lies below root, nil when something can: a
// folder of all applications that is not there for a moment ends none of them.
func (f *fleet) away() error {
	_, err := os.Stat(f.cfg.now().Root)
	if err == nil {
		return nil
	}
	return fmt.Errorf("the folder of the applications cannot be read: %w", notMissing(err))
}

// notMissing is an error that does not say that a tenant is gone: its manifest is
// there, whatever it names.
func notMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(err.Error())
	}
	return err
}

// timed notes when the manifest was touched.
func (f *fleet) timed(w wish, file string) wish {
	if info, err := os.Stat(file); err == nil {
		w.touched = info.ModTime().UnixNano()
	}
	return w
}

// nameOf is the tenant's name for a name below root.
func (f *fleet) nameOf(entry string) string {
	name, ok := strings.CutSuffix(entry, ".toml")
	if !ok || entry == tenants.DefaultsFile {
		return entry
	}
	if folder, err := isFolder(filepath.Join(f.cfg.now().Root, entry)); err == nil && folder {
		return entry
	}
	return name
}

// dresser puts on what operators have set for a tenant.
type dresser func(tenants.Tenant) (_ tenants.Tenant, secret bool, err error)

// read reads the application in dir, with what operators have set for it.
func (f *fleet) read(dir, name, digest string, dress dresser) (w wish, err error) {
	t, err := tenants.LoadWith(dir, name, *f.defaults.Load())
	if err != nil {
		return wish{pinned: digest}, err
	}
	return f.finish(t, digest, dress)
}

// finish lowers what a tenant asks for too much of, and dresses it.
func (f *fleet) finish(t tenants.Tenant, digest string, dress dresser) (w wish, err error) {
	var lowered []string
	if t.Manifest, lowered = withinCeilings(t.Manifest, *f.cfg.now()); len(lowered) > 0 {
		f.log.Warn("the manifest asks for more than this server allows: lowered", "tenant", t.Name, "keys", lowered)
	}
	t, secret, err := dress(t)
	return wish{tenant: &t, pinned: digest, secret: secret}, err
}

// shadowed says that a folder is not served because a tenant of its name was
// deployed: what an operator has done by name counts for more than what lies in
// a folder.
func (f *fleet) shadowed(name string) {
	dir := filepath.Join(f.cfg.now().Root, name)
	if _, err := os.Stat(dir); err == nil {
		f.log.Error("the folder is not served: a tenant of this name was deployed; rename the folder, or remove the tenant (wasgi tenants rm)", "tenant", name, "folder", dir)
	}
}

// site finds or makes the site of a name.
func (f *fleet) site(ctx context.Context, name string) *site {
	if s := f.sites[name]; s != nil && s.now() != Stopped {
		return s
	}
	s := newSite(f, name)
	s.sites = ctx
	f.sites[name] = s
	f.running.Add(1) // until s.finish
	if ctx.Err() != nil {
		s.end() // after endAll
	}
	return s
}

// remove forgets a site, and returns what ends it.
func (f *fleet) remove(name string) (end func()) {
	s := f.sites[name]
	delete(f.sites, name)
	delete(f.known, name)
	return func() {
		if s != nil {
			s.end()
			f.events.emit(Event{Kind: EventStopped, Tenant: name})
		}
	}
}

// halt puts a site in place that says that it was stopped, and returns what ends
// the one that was there.
func (f *fleet) halt(name string) (end func()) {
	before := f.sites[name]
	if before != nil && before.now() == Stopped {
		return func() {}
	}
	f.sites[name] = stoppedSite(f, name)
	return func() {
		if before != nil {
			before.end()
			f.events.emit(Event{Kind: EventStopped, Tenant: name})
		}
	}
}

// publish makes the table that requests see. A claim that two tenants make is
// that of the one who had it before, or else the first one's by name; the other
// one hears of it.
func (f *fleet) publish() {
	router, clashes := tenants.NewRouterAfter(f.before, slices.SortedFunc(maps.Values(f.known), byName))
	for _, p := range clashes {
		f.log.Warn("a route is taken", "tenant", p.Tenant, "error", p.Err)
	}
	f.before = router
	hosts := map[string]bool{}
	for _, claim := range router.Claims() {
		if claim.Host != "" && !strings.HasPrefix(claim.Host, "*") && net.ParseIP(strings.Trim(claim.Host, "[]")) == nil {
			hosts[claim.Host] = true
		}
	}
	f.routes.Store(&table{router: router, sites: maps.Clone(f.sites), hosts: hosts})
	if err := f.ledger.keep(router); err != nil {
		f.log.Error("after a restart another application may get a route that two claim", "error", err)
	}
}

// status lists the sites by name.
func (f *fleet) status() []TenantStatus {
	sites := f.routes.Load().sites
	out := make([]TenantStatus, 0, len(sites))
	for _, name := range slices.Sorted(maps.Keys(sites)) {
		out = append(out, sites[name].status())
	}
	return out
}

// reconfigure makes settings hold. When deployments depend on what has changed,
// each is replaced by one that goes by them; sites that are new end with ctx.
func (f *fleet) reconfigure(ctx context.Context, c Config, deployments bool) {
	f.mu.Lock()
	f.cfg.current.Store(&c)
	f.mu.Unlock()
	if deployments {
		f.turns.Add(1)
	}
	if c.Dev {
		base := manifestDefaults(c)
		f.defaults.Store(&base)
		f.look(ctx, []string{"."})
		return
	}
	f.look(ctx, append(f.share(), tenants.DefaultsFile))
}

// settled is nil when the first attempt of every tenant was over once, whatever
// came of it. It stays nil then: neither a tenant that is new nor one that fails
// again and again may take the host out of service.
func (f *fleet) settled() error {
	if f.ready.Load() {
		return nil
	}
	n := 0
	for _, s := range f.routes.Load().sites {
		if !s.tried.Load() {
			n++
		}
	}
	if n > 0 {
		return fmt.Errorf("%d applications are still starting", n)
	}
	f.ready.Store(true)
	return nil
}

// close waits until every site has ended, which the context given to start
// makes them do. Requests that still run when ctx ends are killed.
func (f *fleet) close(ctx context.Context) {
	stop := context.AfterFunc(ctx, f.drainNow)
	defer stop()
	f.running.Wait()
	f.drainNow()
}

// drainContext is how long a deployment on its way out may finish requests.
func (f *fleet) drainContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(f.drain, f.cfg.now().DrainTimeout)
}

// url is where a tenant is reached: its first claim.
func (f *fleet) url(t *tenants.Tenant) string {
	at := f.origin.Load()
	if at == nil || t == nil || t.Name == "" {
		return ""
	}
	route := t.Routes()[0]
	return at.url(route.Host) + route.Prefix + "/"
}

func (f *fleet) listening() net.Addr {
	if at := f.origin.Load(); at != nil {
		return at.address
	}
	return nil
}

// fingerprint digests what makes up a release, and compares it with what it must
// be. Where an application writes into its own folder only its code counts, or
// every write would reload it.
func (f *fleet) fingerprint(w wish) (string, error) {
	var skip []string
	t := w.tenant
	if t.Manifest.Data.WritableApp {
		var err error
		if skip, err = notCode(t.Dir); err != nil {
			return "", err
		}
	}
	digest, err := tenants.Fingerprint(t.Dir, skip...)
	if err != nil {
		return "", fmt.Errorf("reading the application: %w", err)
	}
	if w.pinned != "" && digest.String() != w.pinned {
		return "", fmt.Errorf("%w: it should have the digest %s and has %s: deploy it again, or roll back", errDamaged, w.pinned, digest)
	}
	return digest.String(), nil
}

// errDamaged says that the files of a release are not what was uploaded.
var errDamaged = errors.New("the release is damaged")

// manifestDefaults is what a manifest that sets nothing asks for.
func manifestDefaults(c Config) tenants.Manifest {
	m := tenants.Defaults()
	m.Limits.Memory = tenants.Size(c.MemoryPerInstance)
	m.Limits.RequestTimeout.Duration = c.RequestTimeout
	m.Limits.CPUTime.Duration = c.CPUTime
	m.Limits.Grace.Duration = c.Grace
	m.Limits.StartTimeout.Duration = c.StartTimeout
	m.Limits.BodySize = tenants.Size(c.MaxBody)
	m.Limits.OpenFiles = c.OpenFiles
	m.Instances.Max = c.MaxInstances
	m.Instances.Queue = c.QueueLength
	m.Instances.QueueTimeout.Duration = c.QueueTimeout
	m.Data.Quota = tenants.Size(c.DataQuota)
	m.Data.Files = c.DataFiles
	m.Data.Tmp = tenants.Size(c.TmpSize)
	m.Compress = c.Compress
	return m
}
