package bytecode

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wasgi/wasgi/host/sandbox"
	"github.com/wasgi/wasgi/tenants/byfolder"
)

// cacheFolder is where byte code lies (PEP 3147).
const cacheFolder = "__pycache__"

// mostWorkers bounds how many sources are compiled at once: guests that serve have
// a use for the other cores.
const mostWorkers = 2

// Tree writes byte code beside all sources below dir, which nobody uses yet. seen is
// where applications will see the folder: tracebacks name it. A source that is no
// Python for this version stays without, and is compiled, or fails, at its import:
// packages carry files for other versions and templates. Errors are those of the
// disk, of ctx, and of a guest that cannot run at all. Links are not followed.
func (c Compiler) Tree(ctx context.Context, dir, seen string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	t := &tree{Compiler: c, root: root, seen: seen}
	if t.sources, err = sourcesOf(root); err != nil {
		return err
	}
	t.open = sync.OnceValues(func() (*sandbox.Image, error) { t.opened.Store(true); return c.image(ctx) })
	return t.run(ctx)
}

// tree is one folder that is compiled.
type tree struct {
	Compiler
	root    *os.Root
	seen    string
	sources []string // paths below root
	next    atomic.Int64
	written atomic.Int64 // bytes
	made    atomic.Int64 // what was not in the cache
	open    func() (*sandbox.Image, error)
	opened  atomic.Bool
}

func sourcesOf(root *os.Root) (out []string, err error) {
	err = byfolder.Walk(root, func(_ *os.Root, name string, e fs.DirEntry) error {
		switch {
		case e.IsDir() && e.Name() == cacheFolder:
			return fs.SkipDir
		case e.Type().IsRegular() && strings.HasSuffix(name, ".py"):
			out = append(out, name)
		}
		return nil
	})
	// Folder by folder, for the sake of place.
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(path.Dir(a), path.Dir(b)), cmp.Compare(a, b)) })
	return out, err
}

func (t *tree) run(ctx context.Context) error {
	errs := make([]error, min(mostWorkers, runtime.NumCPU(), max(len(t.sources), 1)))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = t.work(ctx) })
	}
	all.Wait()
	if t.opened.Load() {
		if im, err := t.open(); err == nil {
			errs = append(errs, im.Close())
		}
	}
	if t.made.Load() > 0 {
		if err := t.Cache.Trim(); err != nil {
			t.Log.Warn("the cache of byte code cannot be kept small", "dir", t.Cache.Dir, "error", err)
		}
	}
	return errors.Join(errs...)
}

// work takes sources until there are none.
func (t *tree) work(ctx context.Context) error {
	w, at := &worker{image: t.open}, &place{}
	defer w.close()
	defer at.close()
	for {
		i := int(t.next.Add(1)) - 1
		if i >= len(t.sources) {
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return fmt.Errorf("compiling to byte code: %w", err)
		}
		if err := t.one(ctx, w, at, t.sources[i]); err != nil {
			t.next.Store(int64(len(t.sources))) // the others need not go on
			return err
		}
	}
}

// one makes the byte code of a source, or takes it from the cache.
func (t *tree) one(ctx context.Context, w *worker, at *place, name string) error {
	if err := at.goTo(t.root, path.Dir(name)); err != nil {
		return err
	}
	seen := path.Join(t.seen, name)
	source, err := at.read(path.Base(name))
	if err != nil {
		return err
	}
	if len(source) > maxSource {
		t.Log.Debug("a file has no byte code", "file", seen, "reason", "it is too long")
		return nil
	}
	k, err := t.keyOf(seen, bytes.NewReader(source), int64(len(source)))
	if err != nil {
		return err
	}
	r, found := t.Cache.get(k)
	if !found {
		if r, err = w.compile(ctx, seen, source); errors.Is(err, errSource) {
			t.Log.Debug("a file has no byte code", "file", seen, "reason", err)
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		t.made.Add(1)
		if err := t.Cache.put(k, r); err != nil {
			t.Log.Debug("byte code was not kept for others", "file", seen, "error", err)
		}
	}
	if t.written.Add(int64(len(r.code))) > maxTotal {
		return fmt.Errorf("compiling to byte code: it is more than %d bytes for all files", int64(maxTotal))
	}
	return at.write(strings.TrimSuffix(path.Base(name), ".py")+"."+r.tag+".pyc", r.code)
}
