package bytecode

import (
	"io"
	"path"
	"strings"

	"github.com/wasgi/wasgi/wasi"
)

// Bounds of a source whose byte code is looked for at import, and of that. A guest can
// ask again and again, and each time both are read and digested, in one call of its: the
// largest take 5 ms. What is shorter is compiled in the time that looking takes.
const (
	leastKnown = 1 << 10
	mostKnown  = 1 << 20
	mostCode   = 4 << 20
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
