package host

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/egress"
	"github.com/wasgi/wasgi/host/giveway"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// engine is the maker that runs real guests.
type engine struct {
	cfg     *settings
	guest   string // digest of what the host was given as interpreter
	sandbox *sandbox.Engine
	root    wasi.FS
	encoder *edge.Encoder
	yields  *giveway.Junction
	log     *slog.Logger
	groups  groups
	egress  *egress.Host
	certs   wasi.FS // of authorities; nil when the machine has none
	lessons *lessons
	spares  *spares
}

// newEngine compiles the guest, or takes it from the cache.
func newEngine(ctx context.Context, c Config, g Guest, log *slog.Logger) (*engine, error) {
	for _, dir := range []string{c.StateDir, c.CacheDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make a folder of the host (state_dir, cache_dir): %w", err)
		}
	}
	root, err := wasi.Archive(g.RootFS)
	if err != nil {
		return nil, fmt.Errorf("the guest's files cannot be used: %w", err)
	}
	yields := giveway.New()
	sb, err := sandbox.NewEngine(ctx, sandbox.EngineConfig{Module: g.Module, CacheDir: c.CacheDir, Logger: log, Yield: giveWay(yields)})
	if err != nil {
		yields.Close()
		return nil, err
	}
	out, err := NewEgress(c)
	if err != nil {
		yields.Close()
		return nil, errors.Join(err, sb.Close(ctx))
	}
	certs, err := policy.SystemCertificates()
	if err != nil {
		log.Warn("applications have no certificates of authorities", "reason", err)
	}
	e := &engine{cfg: newSettings(c), guest: g.Digest, sandbox: sb, root: root, encoder: edge.NewEncoder(), yields: yields, log: log, egress: out, certs: certs, lessons: newLessons()}
	e.spares = newSpares(log, e.bootSpare)
	return e, nil
}

// giveWay is for sandbox.EngineConfig.Yield.
func giveWay(j *giveway.Junction) func(request bool) {
	return func(request bool) {
		if request {
			j.Yield()
			return
		}
		j.YieldIfBusy()
	}
}

// follow makes the engine go by settings that may change.
func (e *engine) follow(s *settings) { e.cfg = s }

// lookAround has who is ready come before the caller, see pool.Slots.WithLook.
func (e *engine) lookAround() { e.yields.Look() }

func (e *engine) close(ctx context.Context) error {
	e.egress.Close()
	defer e.yields.Close()
	return e.sandbox.Close(ctx)
}

func (e *engine) prepare(ctx context.Context, a application, progress func(string)) (tenants.Release, error) {
	return e.releases(e.log, a.memory).Prepare(ctx, *a.tenant, progress)
}

// compileApp makes byte code of an application that nobody uses yet.
func (e *engine) compileApp(ctx context.Context, tenant, dir string, memory *sandbox.Budget) error {
	ctx, cancel := context.WithTimeout(ctx, e.cfg.now().PrepareTimeout)
	defer cancel()
	return e.releases(e.log.With("tenant", tenant), memory).CompileApp(ctx, dir)
}

func (e *engine) releases(log *slog.Logger, memory *sandbox.Budget) release.Maker {
	c := e.cfg.now()
	return release.Maker{Sandbox: e.sandbox, Root: e.root, State: c.StateDir, Cache: c.CacheDir, Log: log, Memory: memory}
}

// find implements sleeper.
func (e *engine) find(a application) (sandbox.Stored, bool) {
	if a.secret || isolated(a.tenant, *e.cfg.now()) {
		return sandbox.Stored{}, false
	}
	spec, err := e.seen(a, nil)
	if err != nil {
		return sandbox.Stored{}, false // build says why
	}
	path, key, err := e.place(a, spec)
	if err != nil {
		return sandbox.Stored{}, false
	}
	at, err := e.sandbox.FindStored(path, key)
	if err == nil && len(a.tenant.Manifest.Network.Allow) > 0 {
		warnOfNetwork(e.egress, a.tenant.Manifest.Network, e.log.With("tenant", a.tenant.Name))
	}
	return at, err == nil
}

// lies implements sleeper.
func (e *engine) lies(at sandbox.Stored) bool { return at.Lies() }

// verify implements sleeper.
func (e *engine) verify(at sandbox.Stored) (sandbox.Stored, error) { return e.sandbox.VerifyStored(at) }

// wake implements sleeper.
func (e *engine) wake(a application, at sandbox.Stored) (image, error) {
	spec, err := e.seen(a, sameNetwork(e.egress, a.tenant.Name, a.tenant.Manifest.Network, a.log.Budgeted()))
	if err != nil {
		return nil, err
	}
	im, err := e.sandbox.OpenStored(spec, at)
	if err != nil {
		return nil, err
	}
	return sandboxImage{im}, nil
}

func (e *engine) build(ctx context.Context, a application) (image, error) {
	if isolated(a.tenant, *e.cfg.now()) {
		return e.buildWorker(ctx, a)
	}
	missed := &missing{}
	spec, err := e.spec(a, missed.add)
	if err != nil {
		return nil, err
	}
	spec.Spare = func(ctx context.Context, fits func(*sandbox.Spare) bool) *sandbox.Spare {
		if !profits(a, cmp.Or(a.folder, a.tenant.Dir)) {
			return nil
		}
		return e.spares.take(ctx, fits)
	}
	im, err := e.boot(ctx, a, spec)
	if err != nil {
		return nil, err
	}
	if names, bytes := missed.end(); len(names) > 0 {
		// Not of the tenant's own: its instances need that now.
		memory := sandbox.NewBudget(uint64(e.cfg.now().MemoryPerTenant), a.memory.Parent())
		maker := e.releases(e.log.With("tenant", spec.Name), memory)
		e.lessons.add(lesson{maker: maker, tenant: spec.Name, dir: cmp.Or(a.folder, a.tenant.Dir), names: names, bytes: bytes})
	}
	return sandboxImage{im}, nil
}

// boot makes the image, or takes the one that is there.
func (e *engine) boot(ctx context.Context, a application, spec sandbox.Spec) (*sandbox.Image, error) {
	if a.secret {
		return e.buildUnstored(ctx, spec)
	}
	path, key, err := e.place(a, spec)
	if err != nil {
		return nil, err
	}
	return e.sandbox.BuildStored(ctx, spec, path, key)
}

// buildUnstored keeps the snapshot in memory: it holds the environment, and with
// it the secrets, which are nowhere in the clear on a disk. So the next start of
// the host boots the application again.
func (e *engine) buildUnstored(ctx context.Context, spec sandbox.Spec) (*sandbox.Image, error) {
	path, err := e.snapshotPath(spec.Name)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("removing an older snapshot: %w", err)
	}
	return e.sandbox.Build(ctx, spec)
}

// spec translates a tenant for the sandbox. missed gets the sources without byte code.
func (e *engine) spec(a application, missed func(name string)) (sandbox.Spec, error) {
	spec, err := e.outline(a)
	if err != nil {
		return sandbox.Spec{}, err
	}
	app := e.app(a)
	app.Network, app.Derive = e.network(a), e.releases(e.log, a.memory).Known(a.tenant.Name, missed)
	spec.Policy, err = app.Policy()
	return spec, err
}

// seen is spec for an application whose folders were opened before: nothing is opened.
func (e *engine) seen(a application, network wasi.Network) (sandbox.Spec, error) {
	spec, err := e.outline(a)
	if err != nil {
		return sandbox.Spec{}, err
	}
	app := e.app(a)
	app.Seen, app.Network, app.Derive = true, network, e.releases(e.log, a.memory).Known(a.tenant.Name, nil)
	spec.Policy, err = app.Policy()
	return spec, err
}

// outline is spec without a policy: nothing is opened for it.
func (e *engine) outline(a application) (sandbox.Spec, error) {
	app, m := e.app(a), a.tenant.Manifest
	warmup, err := e.warmup(a.tenant)
	if err != nil {
		return sandbox.Spec{}, err
	}
	spec := sandbox.Spec{
		Name: a.tenant.Name, Budget: a.memory, Boot: app.Boot(), Load: app.Load(), Warmup: warmup, WarmupRounds: m.Warmup.Rounds,
		MemoryLimit:   uint64(min(m.Limits.Memory.Bytes(), int64(e.cfg.now().MemoryPerInstance))),
		CPULimit:      tighter(m.Limits.CPUTime.Duration, e.cfg.now().CPUTime),
		Grace:         graceOf(m, *e.cfg.now()),
		StartTimeout:  min(m.Limits.StartTimeout.Duration, e.cfg.now().StartTimeout),
		WarmupTimeout: m.Warmup.Timeout.Duration,
	}
	if a.log != nil {
		spec.Logger = a.log.GuestSlog()
	}
	return spec, nil
}

// tighter is the smaller of two limits of which zero is none.
func tighter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// graceOf is the sandbox's word for a tenant's grace, in which zero is the
// default and below it none.
func graceOf(m tenants.Manifest, c Config) time.Duration {
	if g := min(m.Limits.Grace.Duration, c.Grace); g > 0 {
		return g
	}
	return -1
}

func (e *engine) app(a application) policy.App {
	app := policy.App{
		Tenant: *a.tenant, Folder: a.folder, Release: a.release, Root: e.root, Quotas: a.quotas,
		Data:         filepath.Join(e.cfg.now().StateDir, "data", a.tenant.Name),
		Certificates: e.certs,
	}
	if a.log != nil {
		app.Stdout, app.Stderr = a.log.Output("stdout"), a.log.Output("stderr")
	}
	return app
}

func (e *engine) snapshotPath(name string) (string, error) {
	dir := filepath.Join(e.cfg.now().StateDir, "snapshots")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("cannot make the folder of the snapshots: %w", err)
	}
	return filepath.Join(dir, name), nil
}

// place is where the snapshot of an application lies, and the key that it has.
func (e *engine) place(a application, spec sandbox.Spec) (path string, key sandbox.Key, err error) {
	if key, err = e.key(a, spec); err == nil {
		path, err = e.snapshotPath(a.tenant.Name)
	}
	return path, key, err
}

// key covers everything that a snapshot was made from: guest, application,
// dependencies, settings, environment, mounts, and every message to the guest,
// which a newer host may lay out otherwise.
func (e *engine) key(a application, spec sandbox.Spec) (sandbox.Key, error) {
	settings := *a.tenant
	settings.Dir, settings.Release = "", tenants.Release{}
	text, err := json.Marshal(settings)
	if err != nil {
		return sandbox.Key{}, fmt.Errorf("describing the tenant: %w", err)
	}
	boot, err := spec.Boot.Encode()
	if err != nil {
		return sandbox.Key{}, fmt.Errorf("the boot message: %w", err)
	}
	load, err := spec.Load.Encode()
	if err != nil {
		return sandbox.Key{}, fmt.Errorf("the load message: %w", err)
	}
	module := e.sandbox.Digest()
	parts := [][]byte{
		module[:], []byte(e.guest), []byte(a.fingerprint), []byte(a.release.Digest), text, boot, load,
		strconv.AppendUint(nil, spec.MemoryLimit, 10), strconv.AppendInt(nil, a.touched, 10), joined(spec.Policy.Env), joined(mountPoints(spec.Policy)),
	}
	for _, q := range spec.Warmup {
		part, err := inOrder(q.Environ)
		if err != nil {
			return sandbox.Key{}, fmt.Errorf("a warm-up request: %w", err)
		}
		parts = append(parts, part)
	}
	return sandbox.NewKey(parts...), nil
}

func joined(texts []string) []byte { return []byte(strings.Join(texts, "\x00")) }

func mountPoints(p wasi.Policy) []string {
	var out []string
	for _, m := range p.Mounts {
		out = append(out, m.Guest)
	}
	return out
}

// inOrder is an environ in a fixed order: headers come out of a map.
func inOrder(environ []byte) ([]byte, error) {
	pairs, err := abi.DecodeEnviron(environ)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range pairs {
		out = append(out, p.Key+"="+p.Value)
	}
	slices.Sort(out)
	return joined(out), nil
}

// warmup encodes the manifest's requests.
func (e *engine) warmup(t *tenants.Tenant) ([]sandbox.Request, error) {
	var out []sandbox.Request
	for i, target := range t.Manifest.Warmup.Paths {
		message, err := ownRequest(e.encoder, t, target, "wasgi-warmup", fmt.Sprintf("warmup-%d", i+1))
		if err != nil {
			return nil, fmt.Errorf("warm-up path %q: %w", target, err)
		}
		out = append(out, sandbox.Request{Environ: message})
	}
	return out, nil
}

// sandboxImage is an image of real guests.
type sandboxImage struct{ *sandbox.Image }

func (i sandboxImage) Restore(ctx context.Context) (instance, error) {
	in, err := i.Image.Restore(ctx)
	if err != nil {
		return nil, err
	}
	return in, nil
}
