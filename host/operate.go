package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/wasgi/wasgi/host/registry"
	"github.com/wasgi/wasgi/host/store"
)

// upload takes a bundle in and makes a release of it, which does not serve yet.
func (d *deployer) upload(ctx context.Context, name string, from io.Reader, digest, by string) (r registry.Release, err error) {
	if dir := d.folderOf(name); dir != "" && d.record(name).Current == "" {
		return r, folderError{name, dir}
	}
	err = d.alone(ctx, name, func() error {
		r, err = d.install(ctx, name, from, digest, by)
		return err
	})
	return r, err
}

func (d *deployer) install(ctx context.Context, name string, from io.Reader, digest, by string) (r registry.Release, err error) {
	u, err := d.releases.Receive(name, from, digest)
	if err != nil {
		return r, err
	}
	d.fleet.events.emit(Event{Kind: EventStep, Tenant: name, Text: "unpacking"})
	s, err := d.releases.Install(ctx, name, u)
	if err != nil {
		return r, err
	}
	r = registry.Release{Digest: s.Digest, Created: d.now().UTC(), Files: s.Files, Bytes: s.Bytes, By: by}
	was := d.record(name)
	now, err := d.registry.Put(ctx, was, func(t *registry.Tenant) {
		t.Add(r)
		t.Keep(max(d.fleet.cfg.now().KeepReleases, 2)) // the current one, and this
	})
	if err != nil {
		return r, fmt.Errorf("writing the state: %w", err)
	}
	d.keep(now)
	d.releases.Keep(name, s)
	return r, nil
}

// deploy has a release serve, by the beginning of its digest.
func (d *deployer) deploy(ctx context.Context, name, digest string, at store.Revision) (registry.Tenant, error) {
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		r, err := t.Release(digest)
		t.Current, t.Stopped = r.Digest, false
		return err
	}})
}

// rollback has the release serve that did so before, or the one that begins with
// digest.
func (d *deployer) rollback(ctx context.Context, name, digest string, at store.Revision) (registry.Tenant, error) {
	if digest != "" {
		return d.deploy(ctx, name, digest, at)
	}
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		r, err := t.Previous()
		t.Current, t.Stopped = r.Digest, false
		return err
	}})
}

// stop ends a tenant until resume; its routes answer with 503 meanwhile.
func (d *deployer) stop(ctx context.Context, name string, at store.Revision) (registry.Tenant, error) {
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		t.Stopped = true
		return d.mustServe(*t)
	}})
}

// resume has a stopped tenant serve again.
func (d *deployer) resume(ctx context.Context, name string, at store.Revision) (registry.Tenant, error) {
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		t.Stopped = false
		return d.mustServe(*t)
	}})
}

// mustServe fails for a tenant without anything to serve: errNoTenant.
func (d *deployer) mustServe(t registry.Tenant) error {
	if _, err := d.wishOf(t); errors.Is(err, fs.ErrNotExist) {
		return errNoTenant
	}
	return nil
}

// remove takes a tenant away that was deployed, with its releases, and with its
// /data when that is asked for.
func (d *deployer) remove(ctx context.Context, name string, data bool, at store.Revision) error {
	return d.withoutProgram(ctx, name, func() error {
		t := d.record(name)
		switch dir := d.folderOf(name); {
		case t.Revision == 0 && dir == "":
			return errNoTenant
		case t.Current == "" && dir != "":
			return folderError{name, dir}
		case at != 0 && at != t.Revision:
			return fmt.Errorf("%s: %w", name, store.ErrConflict)
		}
		if err := d.registry.Remove(ctx, t); err != nil {
			return fmt.Errorf("writing the state: %w", err)
		}
		t.Revision = 0
		d.keep(t)
		d.fleet.drop(name)
		err := d.erase(name, data)
		d.fleet.look(d.sites, []string{name}) // a folder of its name may be served now
		return err
	})
}

// withoutProgram is alone while no program runs for the tenant either.
func (d *deployer) withoutProgram(ctx context.Context, name string, f func() error) error {
	return d.alone(ctx, name, func() error { return d.asProgram(ctx, name, f) })
}

// drop takes a tenant out of service and waits until its guests are gone.
func (f *fleet) drop(name string) {
	f.mu.Lock()
	s, end := f.sites[name], f.remove(name)
	f.publish()
	f.mu.Unlock()
	end()
	if s != nil {
		<-s.gone()
	}
}

// isVariable says whether a name can be that of a variable.
func isVariable(name string) bool {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`).MatchString(name)
}

// Limits of what operators set for one tenant.
const (
	maxVariables     = 200
	maxVariableBytes = 32 << 10
)

// errVariable says that a variable cannot be set.
var errVariable = errors.New("it cannot be a variable of the environment")

// setEnv sets and removes variables.
func (d *deployer) setEnv(ctx context.Context, name string, set map[string]string, unset []string, at store.Revision) (registry.Tenant, error) {
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		if t.Env == nil {
			t.Env = map[string]string{}
		}
		for key, value := range set {
			if err := checkVariable(key, value); err != nil {
				return err
			}
			if t.Secrets[key] != nil {
				return fmt.Errorf("%s: %w: a secret of this name is set: remove that first (wasgi secret rm)", key, errVariable)
			}
			t.Env[key] = value
		}
		for _, key := range unset {
			if _, there := t.Env[key]; !there {
				return fmt.Errorf("%s is not set: %w", key, store.ErrNotFound)
			}
			delete(t.Env, key)
		}
		return checkCount(len(t.Env))
	}})
}

// setSecrets sets and removes secrets.
func (d *deployer) setSecrets(ctx context.Context, name string, set map[string]string, unset []string, at store.Revision) (registry.Tenant, error) {
	return d.apply(ctx, name, edit{at, func(t *registry.Tenant) error {
		if t.Secrets == nil {
			t.Secrets = map[string][]byte{}
		}
		for key, value := range set {
			if err := checkVariable(key, value); err != nil {
				return err
			}
			delete(t.Env, key)
			t.Secrets[key] = d.vault.Seal(name, key, value)
		}
		for _, key := range unset {
			if t.Secrets[key] == nil {
				return fmt.Errorf("%s is no secret: %w", key, store.ErrNotFound)
			}
			delete(t.Secrets, key)
		}
		return checkCount(len(t.Secrets))
	}})
}

// checkVariable never repeats a value: it may be a secret.
func checkVariable(name, value string) error {
	switch {
	case !isVariable(name):
		return fmt.Errorf("%q: %w: a name has letters, digits and _, 128 at most, and begins with no digit", name, errVariable)
	case strings.Contains(value, "\x00"):
		return fmt.Errorf("%s: %w: its value has a NUL byte", name, errVariable)
	case len(value) > maxVariableBytes:
		return fmt.Errorf("%s: %w: its value has more than %d bytes; put it into a file in /data", name, errVariable, maxVariableBytes)
	}
	return nil
}

func checkCount(n int) error {
	if n > maxVariables {
		return fmt.Errorf("%w: there are more than %d", errVariable, maxVariables)
	}
	return nil
}
