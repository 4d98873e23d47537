// Package release makes what an application is served from, and keeps it.
//
//	Maker       dependencies: package tenants installs them, the guest itself
//	            compiles them to byte code, so that no code of a package ever
//	            touches the host; serving and the command line share it
//	Repository  applications that were uploaded, by their content
//
// # The way of an upload
//
//  1. Receive writes the bundle to a file, counts it, and compares its digest with
//     the one that the sender gives.
//  2. Install unpacks it (host/bundle) into a folder of its own, has it checked and
//     compiled, and names it after the digest of what is in it.
//  3. Everything is written to the medium, then the folder gets its name. A release
//     is there as a whole or not at all, whenever the process or the machine ends.
//
// What serves is not decided here but by one write to the host's store. Folders
// that nothing there names are removed by Collect.
package release

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"github.com/wasgi/wasgi/abi"
	"github.com/wasgi/wasgi/host/policy"
	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants"
	"github.com/wasgi/wasgi/wasi"
)

// Maker makes releases below one state folder. It is safe for concurrent use.
type Maker struct {
	Sandbox *sandbox.Engine
	Root    wasi.FS // the guest's root file system
	State   string  // the host's state folder
	Log     *slog.Logger
	// Memory is what the guest that compiles takes of; nil is no limit but its own.
	Memory *sandbox.Budget
}

// compileBytes and compileFiles bound what byte-compiling may write: no
// application's, but the host's disk is finite all the same.
const (
	compileBytes = 4 << 30
	compileFiles = 1 << 20
)

// Prepare installs and compiles what t needs, or finds the release that was
// made for the same inputs. progress, which may be nil, gets the steps in
// words. The errors are those of [tenants.Prepare] and of the guest.
func (m Maker) Prepare(ctx context.Context, t tenants.Tenant, progress func(string)) (tenants.Release, error) {
	return tenants.Prepare(ctx, t, tenants.PrepareOptions{
		State:   m.State,
		Compile: m.compile,
		Progress: func(step, detail string) {
			if progress != nil && step != "reuse" { // what is there already is no news
				progress(printable(strings.TrimSpace(step + " " + detail)))
			}
		},
	})
}

// printable replaces what a terminal might obey: an installer repeats what
// packages and indexes say.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// compile makes the byte code of the packages in dir.
func (m Maker) compile(ctx context.Context, dir string) error {
	return m.byteCode(ctx, dir, policy.SiteDir)
}

// CompileApp makes the byte code of an application in dir, which no guest uses
// yet.
func (m Maker) CompileApp(ctx context.Context, dir string) error {
	return m.byteCode(ctx, dir, policy.AppDir)
}

// byteCode writes byte code that is never checked against its source: a release
// does not change. The folder is where guests will see it, for tracebacks name
// its files. -S keeps a package's sitecustomize from running, which would find
// the folder writable.
func (m Maker) byteCode(ctx context.Context, dir, seen string) error {
	site, err := wasi.WritableDir(dir, wasi.NewQuota(compileBytes, compileFiles))
	if err != nil {
		return err
	}
	status, err := m.Sandbox.Python(ctx, sandbox.PythonSpec{
		Name: "compileall", Budget: m.Memory,
		Policy: wasi.Policy{
			Mounts: []wasi.Mount{policy.Shared("/", m.Root), policy.Shared(seen, site)},
			Env:    []string{"LANG=C.UTF-8"},
		},
		Boot: abi.Boot{
			Args: []string{"python", "-I", "-S", "-m", "compileall", "-q", "-q", "-j1", "--invalidation-mode", "unchecked-hash", seen},
			Cwd:  "/",
		},
	})
	if err != nil {
		return fmt.Errorf("compiling to byte code: %w", err)
	}
	if status != 0 {
		// Packages carry files for other versions of Python and templates that
		// are no Python: Python compiles what it can and says so by its status.
		m.Log.Debug("not every file could be compiled", "folder", dir, "status", status)
	}
	return nil
}
