package bytecode

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/wasgi/wasgi/wasi"
)

// Bounds of a source whose byte code is looked for at import. A guest can ask again
// and again, and each time the source is read and digested; what is below the smaller
// one is compiled in the time that this takes.
const (
	leastKnown = 1 << 10
	mostKnown  = 1 << 20
)

// Known has byte code beside the sources of a folder that belongs to somebody else,
// and may change: it is looked for in the cache when an interpreter asks for it, by the
// text that the source has then, and the folder stays as it is. seen is where
// applications see the folder. missed, if not nil, gets the names of sources that the
// interpreter now has to compile itself; see Learn. A cache that keeps nothing has nil.
func (c Compiler) Known(seen string, missed func(name string)) wasi.Derive {
	if c.Cache.Dir == "" {
		return nil
	}
	return func(name string, open func(string) (wasi.Derived, error)) wasi.Derived {
		source, tag, ok := sourceOf(name)
		if !ok {
			return nil
		}
		k, ok := c.keyOfFile(seen, source, open)
		if !ok {
			return nil
		}
		made, code := c.Cache.open(k)
		switch {
		case code == nil && missed != nil:
			missed(source)
		case code != nil && made == tag:
			return code
		case code != nil:
			_ = code.Close()
		}
		return nil
	}
}

// keyOfFile is keyOf for a source that is neither too long nor too short.
func (c Compiler) keyOfFile(seen, name string, open func(string) (wasi.Derived, error)) (key, bool) {
	f, err := open(name)
	if err != nil {
		return key{}, false
	}
	defer f.Close()
	size := f.Size()
	if size < leastKnown || size > mostKnown {
		return key{}, false
	}
	k, err := c.keyOf(path.Join(seen, name), io.NewSectionReader(f, 0, size), size)
	return k, err == nil
}

// sourceOf is the source that byte code of a name is for, and the version that it is of
// (PEP 3147).
func sourceOf(name string) (source, tag string, ok bool) {
	dir, base := path.Split(name)
	folder, inside := strings.CutSuffix(dir, cacheFolder+"/")
	stem, compiled := strings.CutSuffix(base, ".pyc")
	if !inside || !compiled || folder != "" && !strings.HasSuffix(folder, "/") {
		return "", "", false
	}
	dot := strings.LastIndexByte(stem, '.')
	if dot <= 0 || !isTag(stem[dot+1:]) {
		return "", "", false
	}
	return folder + stem[:dot] + ".py", stem[dot+1:], true
}

// Learn makes byte code of sources that Known has missed, for the next import of the
// same texts, one after the other. names are below dir, which nothing is written to;
// what is not there any more, or is no Python, is left out. Errors are those of ctx and
// of a guest that cannot run.
func (c Compiler) Learn(ctx context.Context, dir, seen string, names []string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	t := c.tree(ctx, root, seen)
	t.sources, t.aside = names, true
	return t.run(ctx, 1)
}
