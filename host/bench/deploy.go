package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/bundle"
)

// The figures of a deploy.
const (
	knownServing  = "bundle to serving, packages known"
	nextServing   = "bundle to serving, packages known, right behind another"
	newServing    = "bundle to serving, packages new"
	folderServing = "folder to serving"
	toChanged     = "change of a folder to serving"
	nativeCompile = "native CPython compiles those packages (compileall)"
)

// learning is how long a host may need to make byte code of what a folder brought, and
// the next interpreter that waits for an application.
const learning = 4 * time.Second

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// changedText is what the changed application answers.
const changedText = "Hello, change!\n"

// deployPart sends bundles to a running host, moves folders into its root, and
// changes them there.
func deployPart(ctx context.Context, b *bench, s *section) error {
	s.note("Bundles: `wasgi deploy` of an archive (tar.gz) with the application and its packages, from exec to the first right answer. Each is another tenant with other bytes. " +
		"Known packages have been deployed before, by whatever tenant, and their byte code is in the host's cache; new ones have not. " +
		"The host has had 4 s since the last deploy, but for what comes right behind another: it is still at work for that one then, and has no interpreter ready.")
	s.note("Folders: one with the application and its packages is moved into the root, and changed there 4 s later: Python compiles what is imported, and then the host does, for the next time. " +
		"Both times hold --watch-settle, 200 ms by default, in which the host waits for a folder to be quiet.")
	root, state := filepath.Join(b.opt.work, "roots", "deploy"), filepath.Join(b.opt.work, "state", "deploy")
	// Nothing is removed before the end: for minutes after a file has gone, ext4 looks
	// for an inode that was not, and each new file takes several times as long.
	if err := errors.Join(clearDir(root), clearDir(state), clearDir(b.readyDir())); err != nil {
		return err
	}
	defer func() { _ = errors.Join(clearDir(root), clearDir(state), clearDir(b.readyDir())) }()
	p, addr, err := b.serve("wasgi-deploy", root, state)
	if err != nil {
		return err
	}
	defer p.stop()
	alive, cancel := p.alive(ctx)
	defer cancel()
	if err := awaitPort(alive, addr, 10*time.Millisecond); err != nil {
		return fmt.Errorf("%w; its log ends with: %s", err, p.lastWords())
	}
	for round := range b.opt.rounds {
		for _, name := range helloNames() {
			var err error
			for _, what := range []string{newServing, nextServing, knownServing} {
				if err == nil {
					err = b.oneBundle(alive, state, addr, name, what, round, s)
				}
			}
			if err == nil {
				err = b.oneFolder(alive, root, addr, name, round, s)
			}
			if err == nil {
				err = b.compileNatively(alive, name, round, s)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// compileNatively is what the new packages of an application cost anybody.
func (b *bench) compileNatively(ctx context.Context, name string, round int, s *section) error {
	packages := filepath.Join(b.opt.work, "packages", name)
	if _, err := os.Stat(packages); err != nil {
		return nil // it has none
	}
	dir := filepath.Join(b.readyDir(), fmt.Sprintf("native-%s%d", name, round))
	if err := os.CopyFS(dir, os.DirFS(packages)); err != nil {
		return err
	}
	begin := time.Now()
	if err := b.tool(ctx, b.venvPython(), "-m", "compileall", "-q", dir); err != nil {
		return err
	}
	s.add(figure{What: nativeCompile, Server: name, Unit: "ms"}, ms(time.Since(begin)))
	return nil
}

func (b *bench) readyDir() string { return filepath.Join(b.opt.work, "ready") }

// ready is a folder with an application whose bytes are the tenant's alone.
func (b *bench) ready(ctx context.Context, name, tenant string) (string, error) {
	dir := filepath.Join(b.readyDir(), tenant)
	if err := b.bundle(ctx, name, dir); err != nil {
		return "", err
	}
	return dir, rewrite(filepath.Join(dir, "app.py"), func(text string) string { return text + "\n# " + tenant + "\n" })
}

func (b *bench) oneBundle(ctx context.Context, state, addr, name, what string, round int, s *section) error {
	b.show.doing("%s, %s, round %d", name, what, round+1)
	tenant := fmt.Sprintf("b-%s%d-%d", name, round, len(what))
	dir, err := b.ready(ctx, name, tenant)
	if err != nil {
		return err
	}
	file := dir + ".tar.gz"
	if err := packInto(file, dir); err != nil {
		return err
	}
	if what == newServing {
		if err := b.forget(tenant); err != nil {
			return err
		}
	}
	if what != nextServing {
		if err := pause(ctx, learning); err != nil {
			return err
		}
	}
	return timed(ctx, s, figure{What: what, Server: name, Unit: "ms"}, helloApp(name, ""), "http://"+addr+"/"+tenant+"/", func() error {
		return b.tool(ctx, b.opt.binary, "deploy", file, "--tenant", tenant, "--state-dir", state)
	})
}

// forget takes the byte code of all packages away from the host.
func (b *bench) forget(tenant string) error {
	known := filepath.Join(b.opt.work, "cache", "bytecode")
	if _, err := os.Stat(known); err != nil {
		return nil // it has none yet
	}
	return os.Rename(known, filepath.Join(b.readyDir(), "bytecode-"+tenant)) // see deployPart: nothing is removed
}

func packInto(file, dir string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	return errors.Join(bundle.Pack(f, dir), f.Close())
}

func (b *bench) oneFolder(ctx context.Context, root, addr, name string, round int, s *section) error {
	b.show.doing("%s, round %d", name, round+1)
	tenant := fmt.Sprintf("%s%d", name, round)
	ready, err := b.ready(ctx, name, tenant)
	if err != nil {
		return err
	}
	if err := pause(ctx, learning); err != nil {
		return err
	}
	served, url := filepath.Join(root, tenant), "http://"+addr+"/"+tenant+"/"
	err = timed(ctx, s, figure{What: folderServing, Server: name, Unit: "ms"}, helloApp(name, ""), url, func() error { return os.Rename(ready, served) })
	if err != nil {
		return err
	}
	if err := pause(ctx, learning); err != nil {
		return err
	}
	changed := app{name: name, check: isText(changedText)}
	return timed(ctx, s, figure{What: toChanged, Server: name, Unit: "ms"}, changed, url, func() error {
		return rewrite(filepath.Join(served, "app.py"), func(text string) string {
			return strings.ReplaceAll(text, "Hello, world!", "Hello, change!")
		})
	})
}

// timed does something and adds the time until the answer is right.
func timed(ctx context.Context, s *section, f figure, a app, url string, do func() error) error {
	begin := time.Now()
	if err := do(); err != nil {
		return err
	}
	if err := waitFor(ctx, a, url, peerPatience, 2*time.Millisecond); err != nil {
		return err
	}
	s.add(f, ms(time.Since(begin)))
	return nil
}

// rewrite puts another text in place of a file's in one step.
func rewrite(path string, change func(string) string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, []byte(change(string(text))), 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// clearDir leaves an empty folder.
func clearDir(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755))
}
