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
//  3. Keep writes everything to the medium, and then release.json, without which a
//     folder is no release. So one is there as a whole or not at all, whenever the
//     process or the machine ends. Settle waits for that; the release boots meanwhile.
//
// What serves is not decided here but by one write to the host's store. Folders
// that nothing there names are removed by Collect.
package release

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/wasgi/wasgi/host/bytecode"
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
	// Cache is a folder for what may be deleted at any time: byte code that other
	// tenants have a use for. "" is none.
	Cache string
	// Memory is what the guests that compile take of; nil is no limit but their own.
	Memory *sandbox.Budget
}

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
	return m.compiler().Tree(ctx, dir, policy.SiteDir)
}

// CompileApp makes the byte code of an application in dir, which no guest uses
// yet.
func (m Maker) CompileApp(ctx context.Context, dir string) error {
	return m.compiler().Tree(ctx, dir, policy.AppDir)
}

// Known finds byte code of a tenant whose folder stays as it is. missed, which may be
// nil, gets what there is none of, for Learn.
func (m Maker) Known(tenant string, missed func(name string)) wasi.Derive {
	return m.compilerOf(tenant).Known(policy.AppDir, missed)
}

// Learn makes byte code for the next start of a tenant in dir, and says of how many
// sources.
func (m Maker) Learn(ctx context.Context, tenant, dir string, names []string) (sources int, err error) {
	return m.compilerOf(tenant).Learn(ctx, dir, policy.AppDir, names)
}

// Trim keeps the cache small.
func (m Maker) Trim() error { return m.compiler().Cache.Trim() }

func (m Maker) compilerOf(tenant string) bytecode.Compiler {
	c := m.compiler()
	c.Owner = tenant
	return c
}

// compiler keeps what it makes in the cache, if there is one.
func (m Maker) compiler() bytecode.Compiler {
	c := bytecode.Compiler{Sandbox: m.Sandbox, Root: m.Root, Log: m.Log, Memory: m.Memory}
	if m.Cache != "" {
		c.Cache.Dir = filepath.Join(m.Cache, "bytecode")
		c.Image = filepath.Join(m.Cache, "bytecode.image")
	}
	return c
}
