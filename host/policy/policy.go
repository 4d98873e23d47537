// Package policy says what a guest sees when it runs an application: the
// folders, the environment, the path to its modules. It is the one translation
// from package tenants' words into package wasi's, for serving and for the
// command line alike.
//
//	/                                     the standard library, read-only
//	/app                                  the application, read-only
//	/usr/lib/python3.13/site-packages     its dependencies, read-only
//	/data                                 what it keeps, within its quota
//	/tmp                                  in memory, gone with the instance
//	/dev                                  null, zero, full, random, urandom
//	/etc/ssl                              the machine's certificates of authorities, read-only
//
// Nothing of the host's own environment, and no other folder, ever gets in.
package policy

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// Places in the guest.
const (
	AppDir  = "/app"
	SiteDir = "/usr/lib/python3.13/site-packages"
	DataDir = "/data"
	TmpDir  = "/tmp"
	DevDir  = "/dev"
	// CertificatesDir is where OpenSSL looks for cert.pem.
	CertificatesDir = "/etc/ssl"
)

// tmpFiles is how many files and folders /tmp may hold.
const tmpFiles = 10_000

// App is an application and where its parts lie on the host.
type App struct {
	Tenant  tenants.Tenant
	Release tenants.Release
	// Folder is where the links of Tenant.Dir led when the release was made; "" follows
	// them now.
	Folder string
	// Derive makes files that the folder does not have, unless the application may write
	// to it; nil makes none.
	Derive wasi.Derive
	// Seen says that the folders were opened before: Policy opens none, and what is
	// wrong with them is told where an instance is made.
	Seen    bool
	Root    wasi.FS      // the standard library: wasi.Archive of the guest's root
	Data    string       // the host's folder for /data; it is made when it is not there
	Quotas  *Quotas      // of what the application may write; shared by all its policies
	Stdin   io.Reader    // nil is empty
	Stdout  io.Writer    // nil discards
	Stderr  io.Writer    // nil discards
	Network wasi.Network // nil is nobody
	// Certificates are those of authorities: SystemCertificates; nil is none.
	Certificates wasi.FS
}

// Policy is what the guest sees. It fails when a folder cannot be opened or made;
// they are open while there are instances.
func (a App) Policy() (wasi.Policy, error) {
	mounts, err := a.mounts()
	if err != nil {
		return wasi.Policy{}, fmt.Errorf("tenant %s: %w", a.Tenant.Name, err)
	}
	return wasi.Policy{
		Mounts: mounts, Env: a.environ(),
		Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr,
		MaxOpenFiles: a.Tenant.Manifest.Limits.OpenFiles, Network: a.Network,
	}, nil
}

// Waiting is what an interpreter sees that has no application yet, and for which root
// is the standard library: the mounts that Policy begins with.
func Waiting(root wasi.FS) wasi.Policy {
	return wasi.Policy{Mounts: []wasi.Mount{library(root)}, Env: BaseEnviron(TmpDir)}
}

// library is the first mount of every policy: Waiting's has to be the same.
func library(root wasi.FS) wasi.Mount { return Shared("/", root) }

// mounts have a fixed order: descriptor numbers are part of a snapshot.
func (a App) mounts() ([]wasi.Mount, error) {
	folders, err := a.folders()
	if err != nil {
		return nil, err
	}
	mounts := []wasi.Mount{library(a.Root)}
	for _, f := range folders {
		m, err := a.mount(f)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, m)
	}
	mounts = append(mounts, Tmp(a.Tenant.Manifest.Data.Tmp.Bytes()), Dev())
	if a.Certificates != nil {
		mounts = append(mounts, Shared(CertificatesDir, a.Certificates))
	}
	return mounts, nil
}

func (a App) mount(f folder) (wasi.Mount, error) {
	if a.Seen {
		return wasi.OnDemandUnseen(f.guest, f.open), nil
	}
	return wasi.OnDemand(f.guest, f.open)
}

// folder is one of the host that the guest sees.
type folder struct {
	guest string
	open  func() (wasi.FS, error)
}

// folders are the application's, and those of its packages and data. They are those
// that their paths name now: a link that is turned to another one later, as deploys
// with a "current" do, is for the policy after this. A folder that is renamed away is
// not: until the change is seen, instances of the snapshot before get the new files.
// What is opened later keeps nothing of a but what it needs: there may be thousands.
func (a App) folders() ([]folder, error) {
	app := a.Folder
	if app == "" {
		var err error
		if app, err = filepath.EvalSymlinks(a.Tenant.Dir); err != nil {
			return nil, err
		}
	}
	out := []folder{{AppDir, a.openApp(app)}}
	if site := a.Release.Site; site != "" {
		out = append(out, folder{SiteDir, func() (wasi.FS, error) { return wasi.SharedDir(site) }})
	}
	if a.hasData() {
		out = append(out, folder{DataDir, openData(a.Data, a.Quotas)})
	}
	return out, nil
}

func (a App) openApp(dir string) func() (wasi.FS, error) {
	if a.Tenant.Manifest.Data.WritableApp {
		quotas := a.Quotas
		return func() (wasi.FS, error) { return wasi.WritableDir(dir, quotas.app) }
	}
	derive := a.Derive
	return func() (wasi.FS, error) { return wasi.ReadOnlyDirWith(dir, derive) }
}

func (a App) hasData() bool { return a.Tenant.Manifest.Data.Persistent && a.Data != "" }

func openData(dir string, quotas *Quotas) func() (wasi.FS, error) {
	return func() (wasi.FS, error) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		return wasi.WritableDir(dir, quotas.data)
	}
}

// Tmp is a /tmp of size bytes in memory, a new one for each instance.
func Tmp(size int64) wasi.Mount {
	return wasi.Mount{Guest: TmpDir, Open: func() (wasi.FS, error) { return wasi.Memory(size, tmpFiles), nil }}
}

// Dev is a /dev with the devices of package wasi.
func Dev() wasi.Mount { return Shared(DevDir, wasi.Devices()) }

// Shared is a mount of a file system that all instances share.
func Shared(guest string, fs wasi.FS) wasi.Mount {
	return wasi.Mount{Guest: guest, Open: func() (wasi.FS, error) { return fs, nil }}
}

// environ is what the application asked for over the little that programs
// expect to find.
func (a App) environ() []string {
	home := TmpDir
	if a.hasData() {
		home = DataDir
	}
	return Override(BaseEnviron(home), a.Tenant.Environ())
}

// BaseEnviron is the little that programs expect to find.
func BaseEnviron(home string) []string {
	return []string{
		"HOME=" + home, "LANG=C.UTF-8", "TZ=UTC", "TMPDIR=" + TmpDir,
		"PYTHONDONTWRITEBYTECODE=1",
	}
}

// Override puts own over env; both hold NAME=value.
func Override(env, own []string) []string {
	out := slices.Clone(env)
	for _, e := range own {
		name, _, _ := strings.Cut(e, "=")
		out = slices.DeleteFunc(out, func(base string) bool { return strings.HasPrefix(base, name+"=") })
	}
	return append(out, own...)
}

// Boot is the message that starts the interpreter for serving.
func (a App) Boot() abi.Boot {
	return abi.Boot{Mode: abi.BootModeWSGI, Args: Arguments(), Paths: a.Paths(), Cwd: AppDir}
}

// Arguments are sys.argv while an application is served.
func Arguments() []string { return []string{"wasgi"} }

// Paths are the entries of sys.path in front of the standard library's.
func (a App) Paths() []string {
	var paths []string
	for _, p := range a.Tenant.PythonPath() {
		paths = append(paths, path.Join(AppDir, p))
	}
	return paths
}

// Load is the message that imports the application.
func (a App) Load() abi.Load {
	return abi.Load{
		Entry:   a.Tenant.Entry.String(),
		Environ: a.variables(),
	}
}

// variables are what every environ of the application carries besides.
func (a App) variables() []abi.Pair {
	pairs := []abi.Pair{{Key: "SERVER_SOFTWARE", Value: "wasgi"}}
	own := a.Tenant.Manifest.Environ
	for _, name := range slices.Sorted(maps.Keys(own)) {
		pairs = append(pairs, abi.Pair{Key: name, Value: own[name]})
	}
	return pairs
}
