package tenants

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Scan finds the tenants below root: each sub folder that does not start with
// "." or "_" and looks like an application. What is broken is a Problem and
// does not disturb the others. Tenants are ordered by name.
func Scan(root string) ([]Tenant, []Problem) { return ScanWith(root, Defaults()) }

// ScanWith is Scan over the defaults of a host.
func ScanWith(root string, defaults Manifest) ([]Tenant, []Problem) {
	names, err := folders(root)
	if err != nil {
		return nil, []Problem{{filepath.Base(root), root, err}}
	}
	var found []Tenant
	var problems []Problem
	for _, name := range names {
		dir := filepath.Join(root, name)
		t, err := LoadWith(dir, name, defaults)
		var nothing *NoEntryError
		switch {
		case errors.As(err, &nothing) && !nothing.HasPython:
		case err != nil:
			problems = append(problems, Problem{name, dir, err})
		default:
			found = append(found, t)
		}
	}
	_, clashes := NewRouter(found)
	return found, append(problems, clashes...)
}

// Load reads the one application in dir and calls it name.
func Load(dir, name string) (Tenant, error) { return LoadWith(dir, name, Defaults()) }

// LoadWith is Load over the defaults of a host.
func LoadWith(dir, name string, defaults Manifest) (Tenant, error) {
	manifest, err := LoadManifestWith(dir, defaults)
	if err != nil {
		return Tenant{}, err
	}
	return loaded(dir, name, manifest)
}

// loaded is the application in dir with this manifest.
func loaded(dir, name string, manifest Manifest) (Tenant, error) {
	entry, err := discover(dir, manifest)
	if err != nil {
		return Tenant{}, err
	}
	if err := CheckName(name); err != nil {
		return Tenant{}, err
	}
	return Tenant{Name: name, Dir: dir, Manifest: manifest, Entry: entry}, nil
}

// folders lists the sub folders that may be tenants, links to folders included.
func folders(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("cannot read the folder of the tenants: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.Name()[0] == '.' || e.Name()[0] == '_' {
			continue
		}
		info, err := os.Stat(filepath.Join(root, e.Name()))
		if err == nil && info.IsDir() {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names, nil
}
