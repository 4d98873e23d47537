package script

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/wasi"
)

// program is what one run sees; it is filled step by step.
type program struct {
	base    []wasi.Mount // the standard library, and the application's folders
	known   []Mount      // where folders of base lie on this machine
	mounts  []Mount      // those of the command line, and those added for it
	env     []string
	paths   []string // entries of sys.path
	cwd     string   // in the guest
	script  string   // in the guest, "" when the program is no script
	maxOpen int
	network wasi.Network
}

// mountCwd shows the current folder, unless the command line shows something
// at the same place.
func (p *program) mountCwd(cwd string) {
	if !slices.ContainsFunc(p.mounts, func(m Mount) bool { return m.Guest == workDir }) {
		p.mounts = append(p.mounts, Mount{Host: cwd, Guest: workDir})
	}
}

// mountScript finds the script in the folders that are seen already, or shows
// its own folder.
func (p *program) mountScript(args []string, cwd string) error {
	i := scriptIndex(args)
	if i < 0 {
		return nil
	}
	name := args[i]
	if !filepath.IsAbs(name) {
		name = filepath.Join(cwd, name)
	}
	if _, err := os.Stat(name); err != nil {
		return p.missingScript(args[i], err)
	}
	if guest, ok := inGuest(append(slices.Clone(p.known), p.mounts...), name); ok {
		p.script = guest
		return nil
	}
	dir, file := filepath.Split(name)
	p.mounts = append(p.mounts, Mount{Host: filepath.Clean(dir), Guest: scriptDir})
	p.script = scriptDir + "/" + file
	return nil
}

// ErrNoScript says that the script cannot be opened; python ends with 2 then.
var ErrNoScript = errors.New("cannot open the script")

// missingScript accepts a path that only the guest knows: relative to the
// application's folder, or absolute below one of the mounts.
func (p *program) missingScript(name string, err error) error {
	for _, m := range append(slices.Clone(p.known), p.mounts...) {
		inside := strings.TrimPrefix(name, m.Guest+"/")
		if inside == name && (filepath.IsAbs(name) || m.Guest != p.cwd) {
			continue
		}
		if _, err := os.Stat(filepath.Join(m.Host, inside)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w %q: %w; a script must lie in the current folder, the application's or a mounted one", ErrNoScript, name, err)
}

// spec opens the folders.
func (p *program) spec(opt Options) (sandbox.PythonSpec, error) {
	mounts := p.base
	for _, m := range p.mounts {
		fs, err := open(m)
		if err != nil {
			return sandbox.PythonSpec{}, fmt.Errorf("mount %s at %s: %w", m.Host, m.Guest, err)
		}
		mounts = append(mounts, policy.Shared(m.Guest, fs))
	}
	return sandbox.PythonSpec{
		Name: "python",
		Policy: wasi.Policy{
			Mounts: mounts, Env: policy.Override(p.env, opt.Env),
			Stdin: opt.Stdin, Stdout: opt.Stdout, Stderr: opt.Stderr, MaxOpenFiles: p.maxOpen,
			Network: p.network,
		},
		Boot:        p.boot(opt.Args),
		MemoryLimit: opt.Memory,
	}, nil
}

// mountBytes and mountFiles bound what a program may write into a folder that
// was mounted for writing on purpose.
const (
	mountBytes = 1 << 40
	mountFiles = 1 << 24
)

func open(m Mount) (wasi.FS, error) {
	if m.Writable {
		return wasi.WritableDir(m.Host, wasi.NewQuota(mountBytes, mountFiles))
	}
	return wasi.ReadOnlyDir(m.Host)
}
