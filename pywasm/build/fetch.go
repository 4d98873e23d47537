package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	mirror, err := machineMirror("/etc")
	if err != nil {
		return err
	}
	apt, err := newPrivateApt(j, mirror)
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

// fetchOne gets and checks one source.
func fetchOne(j *job, apt *privateApt, p pin) (source, error) {
	dir := filepath.Join(j.out, p.name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return source{}, err
	}
	args := []string{"source", "--download-only", p.name}
	if p.binary {
		args = []string{"download", p.name}
	}
	if err := apt.get(dir, args...); err != nil {
		return source{}, err
	}
	s, err := listSource(dir, p)
	if err == nil {
		err = checkPin(&s, p)
	}
	return s, err
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
	prefix := p.name + "_" + p.version + ".orig.tar."
	if p.binary {
		prefix = p.name + "_" + p.version
	}
	for i := range s.Files {
		f := &s.Files[i]
		if !strings.HasPrefix(f.Name, prefix) || strings.HasSuffix(f.Name, ".asc") {
			continue
		}
		if f.SHA256 != p.sha256 {
			return fmt.Errorf("%s has the SHA-256 %s, but the table in pywasm/build/pins.go expects %s: "+
				"do not build from it; find out why the mirror serves other bytes, and change the table only when you trust them",
				f.Name, f.SHA256, p.sha256)
		}
		f.Pinned = true
		return nil
	}
	return fmt.Errorf("%s has moved on to version %s, but the table in pywasm/build/pins.go expects %s: "+
		"edit its version and its SHA-256 there, and look whether the recipe still fits", p.name, s.Version, p.version)
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
