package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasgi/wasgi/host/registry"
	"github.com/wasgi/wasgi/host/release"
)

// holdFiles keeps the files of an application that was deployed while a guest runs
// on them, whatever the record says meanwhile: requests that drain may still
// import a module.
func holdFiles(a application) (*release.Use, error) {
	if a.pinned == "" {
		return nil, nil
	}
	dirs := []string{filepath.Dir(a.tenant.Dir)}
	if a.release.Dir != "" {
		dirs = append(dirs, a.release.Dir)
	}
	return release.Hold(dirs...)
}

// retired implements source: what a deployment has used may go now. At the end of
// the host that is left to the next start.
func (d *deployer) retired(name string) {
	if d.sites.Err() != nil {
		return
	}
	d.mu.Lock()
	d.untidy[name] = true
	d.mu.Unlock()
	d.tidy(name)
}

// tidy collects for a tenant that has been marked. While somebody changes it,
// that is left to the end of the change (alone).
func (d *deployer) tidy(name string) {
	d.mu.Lock()
	marked := d.untidy[name]
	d.mu.Unlock()
	if !marked {
		return
	}
	if err := d.tidyAlone(name); err != nil && !errors.Is(err, errUnderway) && !errors.Is(err, errAway) {
		d.fleet.log.Error("older releases could not be removed", "tenant", name, "error", err)
	}
}

func (d *deployer) tidyAlone(name string) error {
	ctx := context.Background()
	if err := d.leasing.take(ctx, name); err != nil {
		return err
	}
	defer d.leasing.give(name)
	lease, err := d.lease(ctx, name)
	if err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.untidy, name)
	d.mu.Unlock()
	d.collect(d.record(name))
	return lease.Release(ctx)
}

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
		dir := filepath.Join(home, e.Name())
		if used[e.Name()] || strings.HasPrefix(e.Name(), ".") || release.InUse(dir) { // package tenants looks after the hidden ones
			continue
		}
		errs = append(errs, os.RemoveAll(dir))
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
