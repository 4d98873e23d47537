package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasgi/wasgi/host/registry"
)

// collect removes the releases that a record does not name, and the packages that
// none of them uses. What cannot be removed is in the log, and tried again after
// the next change.
func (d *deployer) collect(t registry.Tenant) {
	if t.Current == "" {
		return
	}
	err := errors.Join(d.releases.Collect(t.Name, digests(t)), d.collectPackages(t))
	if err != nil {
		d.fleet.log.Error("older releases could not be removed", "tenant", t.Name, "error", err)
	}
}

func (d *deployer) collectPackages(t registry.Tenant) error {
	used := map[string]bool{}
	for _, r := range t.Releases {
		used[r.Packages] = true
	}
	home := filepath.Join(d.fleet.cfg.now().StateDir, packagesDir, t.Name)
	entries, err := os.ReadDir(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, e := range entries {
		if !used[e.Name()] && !strings.HasPrefix(e.Name(), ".") { // package tenants looks after those
			errs = append(errs, os.RemoveAll(filepath.Join(home, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// erase removes all files of a tenant that is gone, /data only when it is asked
// for.
func (d *deployer) erase(name string, data bool) error {
	state := d.fleet.cfg.now().StateDir
	errs := []error{d.releases.Collect(name, nil)}
	paths := []string{
		filepath.Join(state, packagesDir, name), filepath.Join(state, snapshotsDir, name),
		filepath.Join(state, snapshotsDir, workerFolders, name),
	}
	if data {
		paths = append(paths, filepath.Join(state, dataDir, name))
	}
	for _, path := range paths {
		errs = append(errs, os.RemoveAll(path))
	}
	return errors.Join(errs...)
}
