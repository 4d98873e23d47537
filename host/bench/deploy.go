package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The figures of a deploy.
const (
	toServing = "bundle to serving"
	toChanged = "change to serving"
)

// changedText is what the changed application answers.
const changedText = "Hello, change!\n"

// deployPart moves folders with their packages inside into a running host, and
// changes them there.
func deployPart(ctx context.Context, b *bench, s *section) error {
	s.note("A folder with the application and its packages is moved into the root of a running host; until the first right answer. " +
		"Each is another tenant with other bytes. Both times hold --watch-settle, 200 ms by default, in which the host waits for a folder to be quiet.")
	root, state := filepath.Join(b.opt.work, "roots", "deploy"), filepath.Join(b.opt.work, "state", "deploy")
	if err := errors.Join(clearDir(root), clearDir(state)); err != nil {
		return err
	}
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
			if err := b.oneDeploy(alive, root, addr, name, round, s); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func (b *bench) oneDeploy(ctx context.Context, root, addr, name string, round int, s *section) error {
	b.show.doing("%s, round %d", name, round+1)
	tenant := fmt.Sprintf("%s%d", name, round)
	ready := filepath.Join(b.opt.work, "ready", tenant)
	if err := clearDir(filepath.Dir(ready)); err != nil {
		return err
	}
	if err := b.bundle(ctx, name, ready); err != nil {
		return err
	}
	served, url := filepath.Join(root, tenant), "http://"+addr+"/"+tenant+"/"
	if err := rewrite(filepath.Join(ready, "app.py"), func(text string) string { return text + "\n# " + tenant + "\n" }); err != nil {
		return err
	}
	err := timed(ctx, s, figure{What: toServing, Server: name, Unit: "ms"}, helloApp(name, ""), url, func() error { return os.Rename(ready, served) })
	if err != nil {
		return err
	}
	changed := app{name: name, check: isText(changedText)}
	err = timed(ctx, s, figure{What: toChanged, Server: name, Unit: "ms"}, changed, url, func() error {
		return rewrite(filepath.Join(served, "app.py"), func(text string) string {
			return strings.ReplaceAll(text, "Hello, world!", "Hello, change!")
		})
	})
	return errors.Join(err, os.RemoveAll(served))
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
