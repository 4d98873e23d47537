package tenants

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// site is a folder of installed wheels.
type site struct {
	dir      string
	dists    []dist
	stripped []Stripped
	dropped  []Skipped
}

// dist is one installed distribution.
type dist struct {
	Package
	info  string   // its .dist-info folder
	files []string // that RECORD lists, relative to the site
	needs []string // Requires-Dist lines
}

// maxSite and maxSiteFiles bound what an application's dependencies may take.
const (
	maxSite      = 4 << 30 // bytes
	maxSiteFiles = 200_000
)

// bound removes what is neither file nor folder, before anything is read
// through it, and counts the rest.
func (s *site) bound() error {
	var bytes, files int64
	return filepath.WalkDir(s.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.IsDir() && !e.Type().IsRegular() {
			return os.Remove(name) // a link could lead out
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !e.IsDir() {
			bytes += info.Size()
		}
		if files++; bytes >= maxSite || files > maxSiteFiles {
			return fmt.Errorf("the dependencies have more than %d bytes or %d files", maxSite, maxSiteFiles)
		}
		return nil
	})
}

// clean removes what the guest has no use for and all compiled code, and
// refuses packages that need theirs.
func (s *site) clean(tenant string) error {
	if err := s.bound(); err != nil {
		return fmt.Errorf("%s: %w", tenant, err)
	}
	for _, name := range []string{"bin", ".lock"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	if err := s.read(); err != nil {
		return err
	}
	var bad []Native
	err := filepath.WalkDir(s.dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.dir, file)
		if err != nil {
			return err
		}
		return s.file(filepath.ToSlash(name), &bad)
	})
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		return &NativeError{tenant, bad}
	}
	return s.drop()
}

// file decides about one file.
func (s *site) file(name string, bad *[]Native) error {
	switch {
	case strings.HasSuffix(name, ".pth") && !strings.Contains(name, "/"):
		// It would run code in any Python that has the folder as a site.
		return os.Remove(filepath.Join(s.dir, name))
	case isShared(name):
		return s.shared(name, bad)
	}
	return nil
}

// isShared recognises compiled code by its name: a shared library of any system.
func isShared(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, suffix := range []string{".so", ".pyd", ".dll", ".dylib"} {
		if strings.HasSuffix(base, suffix) {
			return true
		}
	}
	return strings.Contains(base, ".so.") && !strings.HasSuffix(base, ".py")
}

// shared strips a compiled file, or refuses its package.
func (s *site) shared(name string, bad *[]Native) error {
	owner := s.owner(name)
	row, _ := lookupNative(owner)
	switch {
	case row.verdict == optional || row.verdict == server:
		return nil // the whole package goes, see drop
	case row.verdict != fallback && !s.hasSource(name):
		if !slices.ContainsFunc(*bad, func(n Native) bool { return n.Name == owner }) {
			*bad = append(*bad, Native{owner, name, row.advice})
		}
		return nil
	}
	s.stripped = append(s.stripped, Stripped{owner, name})
	return os.Remove(filepath.Join(s.dir, name))
}

// hasSource reports whether a compiled module was made from the .py beside it
// (mypyc, Cython's pure mode), which Python imports when it is alone. mypyc's
// own runtime module has no source and is needed by those only.
func (s *site) hasSource(name string) bool {
	folder, base := path.Split(name)
	stem, _, _ := strings.Cut(base, ".")
	if strings.HasSuffix(stem, "__mypyc") {
		return true
	}
	info, err := os.Stat(filepath.Join(s.dir, folder, stem+".py"))
	return err == nil && info.Mode().IsRegular()
}

// owner is the distribution whose RECORD lists the file.
func (s *site) owner(name string) string {
	for _, d := range s.dists {
		if slices.Contains(d.files, name) {
			return d.Name
		}
	}
	top, _, _ := strings.Cut(name, "/")
	return normalizeName(strings.TrimSuffix(top, ".libs"))
}

// drop removes the distributions that are left out as a whole.
func (s *site) drop() error {
	kept := s.dists[:0]
	for _, d := range s.dists {
		row, _ := lookupNative(d.Name)
		if row.verdict != optional && row.verdict != server {
			kept = append(kept, d)
			continue
		}
		for _, f := range d.files {
			if !filepath.IsLocal(f) {
				continue
			}
			if err := os.Remove(filepath.Join(s.dir, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := os.RemoveAll(filepath.Join(s.dir, d.info)); err != nil {
			return err
		}
		s.dropped = append(s.dropped, Skipped{d.Name + "==" + d.Version, row.advice})
	}
	s.dists = kept
	return s.prune()
}

// prune removes folders that are empty, deepest first.
func (s *site) prune() error {
	var folders []string
	err := filepath.WalkDir(s.dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && name != s.dir {
			folders = append(folders, name)
		}
		return err
	})
	for _, f := range slices.Backward(folders) {
		_ = os.Remove(f) // fails on a folder that is not empty, as wanted
	}
	return err
}

// read lists the distributions.
func (s *site) read() error {
	s.dists = nil
	infos, err := filepath.Glob(filepath.Join(escapeGlob(s.dir), "*.dist-info"))
	if err != nil {
		return err
	}
	for _, dir := range infos {
		d, err := readDist(dir)
		if err != nil {
			return err
		}
		s.dists = append(s.dists, d)
	}
	slices.SortFunc(s.dists, func(a, b dist) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

func escapeGlob(dir string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(dir, `\$0`)
}

func readDist(dir string) (dist, error) {
	d := dist{info: filepath.Base(dir)}
	metadata, err := os.ReadFile(filepath.Join(dir, "METADATA"))
	if err != nil {
		return dist{}, err
	}
	head, _, _ := strings.Cut(strings.ReplaceAll(string(metadata), "\r\n", "\n"), "\n\n")
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			d.Name = normalizeName(value)
		case "Version":
			d.Version = value
		case "Requires-Dist":
			d.needs = append(d.needs, value)
		}
	}
	d.files, err = readRecord(filepath.Join(dir, "RECORD"))
	return d, err
}

// readRecord lists the paths of a RECORD file; a missing one lists none.
func readRecord(name string) ([]string, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	rows, err := r.ReadAll()
	var files []string
	for _, row := range rows {
		files = append(files, row[0])
	}
	return files, err
}

// wants reports whether some distribution requires name on Windows, which like
// the guest lacks what Unix brings along, and it is not there.
func (s *site) wants(name string) bool {
	asked := false
	for _, d := range s.dists {
		if d.Name == name {
			return false
		}
		for _, line := range d.needs {
			windows := strings.Contains(line, "win32") || strings.Contains(line, "Windows")
			asked = asked || requirementName(line) == name && windows && !strings.Contains(line, "extra ==")
		}
	}
	return asked
}

func (s *site) packages() []Package {
	out := make([]Package, 0, len(s.dists))
	for _, d := range s.dists {
		out = append(out, d.Package)
	}
	return out
}
