package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/bundle"
	"github.com/wasgi/wasgi/host/registry"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/host/store/bolt"
	"github.com/wasgi/wasgi/tenants"
)

// deployer is what operators do to tenants: it keeps the host's state, and
// brings the fleet in line with it. It is a source of the fleet.
//
// Every change of a tenant goes one way (change.go): under the tenant's lease a
// deployment is made as it is to be; when it can serve, one write to the store
// makes the change last; then it is swapped in. Whatever ends the process, the
// next start serves what the store says, which is the one or the other.
type deployer struct {
	fleet    *fleet
	store    *pausable
	registry registry.Registry
	vault    *registry.Vault
	releases *release.Repository
	now      func() time.Time

	sites context.Context // of the sites' goroutines, since start

	// leasing is held while a lease is taken, and all the while that tidy has one: a
	// change waits for tidying, which nobody has asked for, and for nothing else.
	leasing turns

	mu      sync.Mutex // guards all below; innermost
	records map[string]registry.Tenant
	untidy  map[string]bool // tenants of whom something may be left to be collected
}

// Files and folders of the deployer in the state folder.
const (
	stateFile     = "state.db"
	keyFile       = "secret.key"
	deployedDir   = "deployed"
	packagesDir   = "releases"
	snapshotsDir  = "snapshots"
	dataDir       = "data"
	workerFolders = "_workers"
)

// compiler is a maker that can make byte code of applications.
type compiler interface {
	compileApp(ctx context.Context, tenant, dir string, memory *sandbox.Budget) error
}

// openDeployer opens the state and removes what an earlier process has left
// unfinished.
func openDeployer(ctx context.Context, f *fleet) (*deployer, error) {
	state := f.cfg.now().StateDir
	s, err := newPausable(func() (store.Store, error) { return bolt.Open(filepath.Join(state, stateFile), nil) })
	if err != nil {
		return nil, err
	}
	d := &deployer{fleet: f, store: s, registry: registry.Registry{Store: s}, now: time.Now, records: map[string]registry.Tenant{}, untidy: map[string]bool{}}
	if d.vault, err = registry.OpenVault(filepath.Join(state, keyFile)); err == nil {
		d.releases = &release.Repository{
			Dir:    filepath.Join(state, deployedDir),
			Limits: bundle.Limits{Archive: int64(f.cfg.now().MaxBundle), Bytes: int64(f.cfg.now().MaxBundleContent), Files: f.cfg.now().MaxBundleFiles},
			Check:  d.check,
		}
		if c, ok := f.maker.(compiler); ok {
			d.releases.Compile = func(ctx context.Context, name, dir string) error {
				// Not of the site's own: a tenant that is at its limit can still be mended.
				memory := sandbox.NewBudget(uint64(f.cfg.now().MemoryPerTenant), f.memory)
				return c.compileApp(ctx, name, dir, memory)
			}
		}
		err = d.load(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return d, nil
}

func (d *deployer) close() error {
	d.releases.SettleAll()
	return d.store.Close()
}

// load reads all records and collects what nobody names.
func (d *deployer) load(ctx context.Context) error {
	all, err := d.registry.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		d.records[t.Name] = t
	}
	stored, err := d.releases.Tenants()
	if err != nil {
		return err
	}
	for _, name := range stored {
		if err := d.releases.Collect(name, digests(d.records[name])); err != nil {
			d.fleet.log.Error("unfinished releases could not be removed", "tenant", name, "error", err)
		}
	}
	return nil
}

func digests(t registry.Tenant) map[string]bool {
	out := map[string]bool{}
	for _, r := range t.Releases {
		out[r.Digest] = true
	}
	return out
}

// check says why an unpacked application cannot be deployed.
func (d *deployer) check(name, dir string) error {
	t, err := tenants.LoadWith(dir, name, *d.fleet.defaults.Load())
	if err != nil {
		return err
	}
	if t.Manifest.Data.WritableApp {
		return errors.New("data.writable_app: a release that was deployed never changes: keep what the application writes in /data, and remove the key")
	}
	return nil
}

// record is what the state says of a tenant.
func (d *deployer) record(name string) registry.Tenant {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, found := d.records[name]
	if !found {
		t.Name = name
	}
	return t
}

func (d *deployer) keep(t registry.Tenant) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.Revision == 0 {
		delete(d.records, t.Name)
		return
	}
	d.records[t.Name] = t
}

// names implements source.
func (d *deployer) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.records))
}

// deployed implements source.
func (d *deployer) deployed(name string) (dir, digest string) { return d.placeOf(d.record(name)) }

func (d *deployer) placeOf(t registry.Tenant) (dir, digest string) {
	if t.Current == "" {
		return "", ""
	}
	return filepath.Join(d.releases.Dir, t.Name, t.Current, "app"), t.Current
}

// stopped implements source.
func (d *deployer) stopped(name string) bool { return d.record(name).Stopped }

// dress implements source.
func (d *deployer) dress(t tenants.Tenant) (tenants.Tenant, bool, error) {
	return d.dressAs(d.record(t.Name))(t)
}

// dressAs puts on what a record says: Env over the manifest's, Secrets over both.
func (d *deployer) dressAs(r registry.Tenant) dresser {
	return func(t tenants.Tenant) (tenants.Tenant, bool, error) {
		env := maps.Clone(t.Manifest.Env)
		if env == nil {
			env = map[string]string{}
		}
		maps.Copy(env, r.Env)
		for name, sealed := range r.Secrets {
			value, err := d.vault.Open(r.Name, name, sealed)
			if err != nil {
				return t, true, err
			}
			env[name] = value
		}
		if len(env) > 0 {
			t.Manifest.Env = env
		}
		return t, len(r.Secrets) > 0, nil
	}
}

// start is called before the fleet's.
func (d *deployer) start(sites context.Context) {
	d.sites = sites
	d.fleet.source = d
}

// folderOf is what lies below root under a tenant's name, a folder or a manifest,
// "" for nothing.
func (d *deployer) folderOf(name string) string {
	dir := filepath.Join(d.fleet.cfg.now().Root, name)
	if ok, err := isFolder(dir); err == nil && ok {
		return dir
	}
	if info, err := os.Stat(dir + ".toml"); err == nil && info.Mode().IsRegular() {
		return dir + ".toml"
	}
	return ""
}

// Why a change is not made.
var (
	errNoTenant = errors.New("there is no such tenant: `wasgi tenants ls` lists them")
	errUnderway = errors.New("another change of this tenant is under way: wait for its end")
	errIsFolder = errors.New("the tenant is a folder below root")
)

// folderError is errIsFolder with what to do.
type folderError struct{ name, dir string }

func (e folderError) Error() string {
	return fmt.Sprintf("the tenant %s is %s: change or remove that, or deploy under another name (--tenant)", e.name, e.dir)
}

func (e folderError) Unwrap() error { return errIsFolder }
