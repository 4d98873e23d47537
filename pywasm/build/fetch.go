package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A source is what was fetched for one pin. The manifest lists it.
type source struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Licence string `json:"licence"`
	Files   []file `json:"files"`
}

// A file is a name, a digest and a size.
type file struct {
	Name   string `json:"name"`
	SHA256 digest `json:"sha256"`
	Size   int64  `json:"size"`
	Pinned bool   `json:"pinned,omitempty"`
}

// fetch gets every source, each into a folder of its name, checks it against
// its pin, and writes sources.json.
func fetch(j *job) error {
	apt, err := machineApt(j)
	if err != nil {
		return err
	}
	var all []source
	for _, p := range pins() {
		s, err := fetchOne(j, apt, p)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	return writeJSON(filepath.Join(j.out, "sources.json"), all)
}

// fetchSuites gets the upstream tarballs of suites, each into a folder of its
// name, and checks them against their pins.
func fetchSuites(j *job) error {
	apt, err := machineApt(j)
	if err != nil {
		return err
	}
	for _, p := range suitePins() {
		if _, err := fetchChecked(j, apt, p, "--tar-only"); err != nil {
			return err
		}
	}
	return nil
}

// machineApt asks the mirror that this machine uses.
func machineApt(j *job) (*privateApt, error) {
	mirror, err := machineMirror("/etc")
	if err != nil {
		return nil, err
	}
	return newPrivateApt(j, mirror)
}

// fetchOne gets and checks one source.
func fetchOne(j *job, apt *privateApt, p pin) (source, error) {
	s, err := fetchChecked(j, apt, p)
	if err == nil && !p.binary && !slices.ContainsFunc(s.Files, func(f file) bool { return f.Pinned }) {
		j.warn("%s %s is not in the table of pywasm/build/pins.go; Debian signed it, and the build goes on with it", p.name, s.Version)
	}
	return s, err
}

// fetchChecked gets a source, by apt-get's options, and compares it with its pin. A
// mirror may list a version before it has its files: then the next one that will do
// is taken.
func fetchChecked(j *job, apt *privateApt, p pin, options ...string) (source, error) {
	dir := filepath.Join(j.out, p.name)
	wanted, err := candidates(apt, p, options)
	if err != nil {
		return source{}, err
	}
	if err := apt.first(wanted, func(args []string) error { return fetchInto(apt, dir, args) }); err != nil {
		return source{}, err
	}
	s, err := listSource(dir, p)
	if err == nil {
		err = checkPin(&s, p)
	}
	return s, err
}

// candidates are the ways to ask apt-get for a source, the best first. The options
// are for one that is no binary.
func candidates(apt *privateApt, p pin, options []string) ([][]string, error) {
	if p.binary {
		return [][]string{{"download", p.name}}, nil
	}
	versions, err := apt.offered(p.name)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, v := range preferred(p, versions) {
		out = append(out, append(append([]string{"source", "--download-only"}, options...), p.name+"="+v))
	}
	if len(out) == 0 {
		return nil, movedOn(p, strings.Join(versions, ", "))
	}
	return out, nil
}

// preferred returns those of the versions on offer, newest first, that will do
// for a pin: first those whose upstream tarball is pinned, in the pin's order,
// then those of its series.
func preferred(p pin, offered []string) []string {
	var out []string
	for _, t := range p.tarballs() {
		for _, v := range offered {
			if upstream(v) == t.version {
				out = append(out, v)
			}
		}
	}
	for _, v := range offered {
		if p.series != "" && strings.HasPrefix(upstream(v), p.series) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// fetchInto fills the folder with one candidate, and with nothing of those that
// were tried before.
func fetchInto(apt *privateApt, dir string, args []string) error {
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)); err != nil {
		return err
	}
	return apt.once(dir, args...)
}

// listSource describes the files that were fetched for a pin.
func listSource(dir string, p pin) (source, error) {
	s := source{Name: p.name, Licence: p.licence}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return s, err
	}
	for _, e := range entries {
		f, err := describe(filepath.Join(dir, e.Name()))
		if err != nil {
			return s, err
		}
		s.Files = append(s.Files, f)
		if full, ok := packageVersion(e.Name()); ok {
			s.Version = full
		}
	}
	return s, nil
}

// packageVersion takes the version from the name of a .dsc or .deb file.
func packageVersion(name string) (string, bool) {
	for _, ext := range []string{".dsc", ".deb"} {
		if base, ok := strings.CutSuffix(name, ext); ok {
			parts := strings.Split(base, "_")
			return strings.ReplaceAll(parts[min(1, len(parts)-1)], "%3a", ":"), true
		}
	}
	return "", false
}

// describe measures a file.
func describe(path string) (file, error) {
	d, err := fileDigest(path)
	if err != nil {
		return file{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	return file{Name: filepath.Base(path), SHA256: d, Size: info.Size()}, nil
}

// checkPin tells whether what was fetched is what the table says, and marks
// the file that the pin is about.
func checkPin(s *source, p pin) error {
	if p.sha256 == "" {
		return nil
	}
	for _, t := range p.tarballs() {
		if found, err := checkTarball(s, p, t); found || err != nil {
			return err
		}
	}
	if p.series != "" && strings.HasPrefix(s.Version, p.series) {
		return nil
	}
	return movedOn(p, s.Version)
}

// checkTarball looks among the files for a version of a pin, and compares it.
func checkTarball(s *source, p pin, t tarball) (found bool, err error) {
	prefix := p.name + "_" + t.version + ".orig.tar."
	if p.binary {
		prefix = p.name + "_" + t.version
	}
	for i := range s.Files {
		f := &s.Files[i]
		if !strings.HasPrefix(f.Name, prefix) || strings.HasSuffix(f.Name, ".asc") {
			continue
		}
		if f.SHA256 != t.sha256 {
			return true, fmt.Errorf("%s has the SHA-256 %s, but the table in pywasm/build/pins.go expects %s: "+
				"do not build from it; find out why the mirror serves other bytes, and change the table only when you trust them",
				f.Name, f.SHA256, t.sha256)
		}
		f.Pinned = true
		return true, nil
	}
	return false, nil
}

// movedOn says that the mirror has no version that the table knows.
func movedOn(p pin, offered string) error {
	return fmt.Errorf("%s has moved on to version %s, but the table in pywasm/build/pins.go expects %s: "+
		"edit its version and its SHA-256 there, and look whether the recipe still fits", p.name, offered, p.version)
}

// writeJSON writes a value as indented JSON.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// readJSON reads a value from a file.
func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
