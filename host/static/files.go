package static

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Config of Files.
type Config struct {
	Dir      string            // the application's folder
	Prefixes map[string]string // path prefixes of URLs and the folders below Dir that they show
	Dotfiles bool              // show names that begin with a dot
	MaxAge   time.Duration     // for Cache-Control; 0 sends none
	// Release is a part of every entity tag: archives give files of different
	// releases one time.
	Release string
}

// Files are the folders of one release. It is safe for concurrent use. A nil
// Files has nothing.
type Files struct {
	cfg      Config
	prefixes []prefix // longest first
}

type prefix struct {
	url  string // without a slash at the end, "" for the root
	root *os.Root
}

// Open opens the folders; without prefixes it returns nil. A folder that is not
// there, or is no folder, is an error. The caller must Close it.
func Open(c Config) (*Files, error) {
	if len(c.Prefixes) == 0 {
		return nil, nil
	}
	app, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	defer app.Close()
	f := &Files{cfg: c}
	for url, folder := range c.Prefixes {
		root, err := app.OpenRoot(folder)
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("static files: %q is to show the folder %q: %w; make it, or take the line out of [static]", url, folder, err)
		}
		f.prefixes = append(f.prefixes, prefix{strings.TrimSuffix(url, "/"), root})
	}
	slices.SortFunc(f.prefixes, func(a, b prefix) int { return cmp.Compare(len(b.url), len(a.url)) })
	return f, nil
}

// Close closes the folders. Files that are being sent are not affected.
func (f *Files) Close() error {
	if f == nil {
		return nil
	}
	var first error
	for _, p := range f.prefixes {
		first = cmp.Or(first, p.root.Close())
	}
	return first
}

// Find opens the file that answers a request for a path of the application, of
// decoded bytes, for a client that takes these content codings (the header
// Accept-Encoding). nil is none. Of two prefixes the longer one counts. The
// caller must Close what it gets.
func (f *Files) Find(path, accept string) *File {
	if f == nil {
		return nil
	}
	for _, p := range f.prefixes {
		rest, ok := strings.CutPrefix(path, p.url)
		if !ok || !strings.HasPrefix(rest, "/") {
			continue
		}
		name := rest[1:]
		if name == "" || strings.HasSuffix(name, "/") {
			name += "index.html"
		}
		if !f.shown(name) {
			return nil
		}
		return f.open(p.root, name, accept)
	}
	return nil
}

// shown says whether a name may be looked for: as it is, without steps that a file
// system would resolve.
func (f *Files) shown(name string) bool {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\x00\\") {
		return false
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".py", ".pyc", ".pyw", ".pyo": // a program is to be run, not read
		return false
	}
	return f.cfg.Dotfiles || name[0] != '.' && !strings.Contains(name, "/.")
}

func (f *Files) open(root *os.Root, name, accept string) *File {
	plain, info := regular(root, name)
	if plain == nil {
		return nil
	}
	out := &File{file: plain, info: info, kind: kindOf(name), cfg: &f.cfg}
	for _, c := range codings() {
		other, its := regular(root, name+c.suffix)
		if other == nil {
			continue
		}
		out.varies = true
		if out.coding == "" && Accepts(accept, c.name) && its.ModTime().Add(together).After(info.ModTime()) {
			_ = out.file.Close() // nothing was written
			out.file, out.info, out.coding = other, its, c.name
			continue
		}
		_ = other.Close()
	}
	return out
}

// together is how much older than the file a compressed neighbour may be: copying
// an application writes both in any order. One that is older still was made of
// another version.
const together = 10 * time.Second

// coding is a content coding and how the names of its files end.
type coding struct{ name, suffix string }

// codings are in the order of preference.
func codings() []coding { return []coding{{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}} }

// regular opens a file, and nothing else: without O_NONBLOCK a pipe would wait
// for somebody who writes into it.
func regular(root *os.Root, name string) (*os.File, fs.FileInfo) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return nil, nil
	}
	return file, info
}
