package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host"
	"github.com/wasgi/wasgi/host/config"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/release"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// workDir is where the current folder is seen when there is no application.
const workDir = "/work"

// scriptDir is where the folder of a script is seen that lies elsewhere.
const scriptDir = "/script"

// Run runs one Python program and returns its exit status. An error means that
// it could not be run or was ended by force.
func Run(ctx context.Context, guest host.Guest, log *slog.Logger, opt Options) (int, error) {
	if opt.Timeout <= 0 {
		return run(ctx, guest, log, opt)
	}
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	status, err := run(ctx, guest, log, opt)
	if err != nil && overtime(ctx, err) {
		return 0, fmt.Errorf("the program ran longer than --timeout %s and was ended", opt.Timeout)
	}
	return status, err
}

// overtime tells whether err came of the deadline. The sandbox compares clocks
// and may say so before the context's own timer has fired.
func overtime(ctx context.Context, err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

func run(ctx context.Context, guest host.Guest, log *slog.Logger, opt Options) (int, error) {
	// The environment counts as it does for serve: a program for an application
	// must find the state that the server uses.
	cfg, err := config.Load("", nil)
	if err != nil {
		return 0, err
	}
	if opt.StateDir, err = stateDir(cfg, opt); err != nil {
		return 0, err
	}
	root, err := wasi.Archive(guest.RootFS)
	if err != nil {
		return 0, fmt.Errorf("the guest's files cannot be used: %w", err)
	}
	engine, err := sandbox.NewEngine(ctx, sandbox.EngineConfig{Module: guest.Module, CacheDir: cacheDir(cfg), Logger: log})
	if err != nil {
		return 0, err
	}
	defer engine.Close(context.WithoutCancel(ctx))
	r := &runner{opt: opt, cfg: cfg, root: root, engine: engine, log: log}
	return r.run(ctx)
}

// stateDir is absolute: pip installs from the application's folder, where a
// relative one is another.
func stateDir(c config.Config, opt Options) (string, error) {
	if opt.StateDir == "" {
		return c.StateDir, nil
	}
	return filepath.Abs(opt.StateDir)
}

// cacheDir is where compiled code is kept, "" when it cannot be made: a
// program must run on a read-only machine too, only more slowly.
func cacheDir(c config.Config) string {
	if err := os.MkdirAll(c.CacheDir, 0o700); err != nil {
		return ""
	}
	return c.CacheDir
}

type runner struct {
	opt    Options
	cfg    config.Config
	root   wasi.FS
	engine *sandbox.Engine
	log    *slog.Logger
}

func (r *runner) run(ctx context.Context) (int, error) {
	spec, err := r.spec(ctx)
	if err != nil {
		return 0, err
	}
	status, err := r.engine.Python(ctx, spec)
	if err != nil && status != 0 && errors.Is(ctx.Err(), context.Canceled) {
		return status, nil // it has seen KeyboardInterrupt, as under python itself
	}
	return status, err
}

// spec decides what the program sees.
func (r *runner) spec(ctx context.Context) (sandbox.PythonSpec, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return sandbox.PythonSpec{}, err
	}
	dir, err := r.appDir(cwd)
	if err != nil {
		return sandbox.PythonSpec{}, err
	}
	p := program{mounts: r.opt.Mounts, cwd: workDir}
	if p.network, err = r.network("program", tenants.Network{Connections: tenants.Defaults().Network.Connections}); err != nil {
		return sandbox.PythonSpec{}, err
	}
	if dir == "" {
		p.base = []wasi.Mount{policy.Shared("/", r.root), policy.Tmp(tenants.Defaults().Data.Tmp.Bytes()), policy.Dev()}
		p.env = policy.BaseEnviron(policy.TmpDir)
		p.mountCertificates()
		p.mountCwd(cwd)
	} else if err := r.asApp(ctx, dir, &p); err != nil {
		return sandbox.PythonSpec{}, err
	}
	if err := p.mountScript(r.opt.Args, cwd); err != nil {
		return sandbox.PythonSpec{}, err
	}
	return p.spec(r.opt)
}

// appDir is the folder of the application to run for, "" for none.
func (r *runner) appDir(cwd string) (string, error) {
	switch r.opt.App {
	case NoApp:
		return "", nil
	case "":
		if d := tenants.Doctor(cwd); d.EntryErr != nil || d.ManifestErr != nil {
			return "", nil
		}
		return cwd, nil
	default:
		return filepath.Abs(r.opt.App)
	}
}

// asApp lets the program see what the application sees.
func (r *runner) asApp(ctx context.Context, dir string, p *program) error {
	t, err := tenants.Load(dir, tenants.NameOf(dir))
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if t.Release, err = r.maker().Prepare(ctx, t, r.progress); err != nil {
		return err
	}
	app := policy.App{
		Tenant: t, Release: t.Release, Root: r.root, Quotas: policy.QuotasFor(t, nil),
		Data: filepath.Join(r.opt.StateDir, "data", t.Name),
	}
	if app.Network, err = r.network(t.Name, t.Manifest.Network); err != nil {
		return err
	}
	app.Certificates, _ = policy.SystemCertificates() // without, TLS says so
	pol, err := app.Policy()
	if err != nil {
		return err
	}
	p.base, p.env, p.paths, p.cwd = pol.Mounts, pol.Env, app.Paths(), policy.AppDir
	p.known = []Mount{{Host: dir, Guest: policy.AppDir}}
	p.maxOpen, p.network = pol.MaxOpenFiles, pol.Network
	return nil
}

func (r *runner) maker() release.Maker {
	return release.Maker{Sandbox: r.engine, Root: r.root, State: r.opt.StateDir, Cache: cacheDir(r.cfg), Log: r.log}
}

func (r *runner) progress(text string) { fmt.Fprintln(r.opt.Stderr, "wasgi:", text) }

// bootArgs is python's command line with the script as the guest sees it.
func (p *program) bootArgs(args []string) []string {
	out := append([]string{"python"}, args...)
	if p.script != "" {
		out[scriptIndex(args)+1] = p.script
	}
	return out
}

func (p *program) boot(args []string) abi.Boot {
	return abi.Boot{Mode: abi.BootModePython, Args: p.bootArgs(args), Paths: p.paths, Cwd: p.cwd}
}
