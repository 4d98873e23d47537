package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/registry"
	"github.com/wasgi/wasgi/host/store"
	"github.com/wasgi/wasgi/tenants"
)

// edit changes a tenant's record; at is the revision that it must have, 0 for
// any.
type edit struct {
	at   store.Revision
	make func(*registry.Tenant) error
}

// alone calls f while nobody else changes the tenant: errUnderway.
func (d *deployer) alone(ctx context.Context, name string, f func() error) error {
	if err := tenants.CheckName(name); err != nil {
		return fmt.Errorf("%w: %w", errNoTenant, err)
	}
	if err := d.leasing.take(ctx, name); err != nil {
		return err
	}
	lease, err := d.lease(ctx, name)
	d.leasing.give(name)
	if err != nil {
		return err
	}
	err = errors.Join(f(), lease.Release(context.WithoutCancel(ctx)))
	d.tidy(name)
	return err
}

func (d *deployer) lease(ctx context.Context, name string) (store.Lease, error) {
	c := d.fleet.cfg.now()
	lease, err := d.store.Lease(ctx, "tenants/"+name, c.PrepareTimeout+2*c.StartTimeout+time.Hour)
	if errors.Is(err, store.ErrHeld) {
		err = errUnderway
	}
	return lease, err
}

// apply makes an edit last, once what it asks for can serve, and returns what is
// there now.
func (d *deployer) apply(ctx context.Context, name string, e edit) (now registry.Tenant, err error) {
	err = d.alone(ctx, name, func() error {
		now, err = d.applyAlone(ctx, name, e)
		return err
	})
	return now, err
}

func (d *deployer) applyAlone(ctx context.Context, name string, e edit) (registry.Tenant, error) {
	was := d.record(name)
	if e.at != 0 && e.at != was.Revision {
		return was, fmt.Errorf("%s: %w", name, store.ErrConflict)
	}
	next := was.Clone()
	if err := e.make(&next); err != nil {
		return was, err
	}
	w, err := d.wishOf(next)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && next.Stopped:
		return d.settle(ctx, was, next)
	case err != nil && next.Stopped: // what cannot be read can be stopped all the same
		return d.settle(ctx, was, next)
	case err != nil:
		return was, err
	}
	return d.swap(ctx, was, next, w)
}

// wishOf is what a record asks for: fs.ErrNotExist when there is nothing to
// serve.
func (d *deployer) wishOf(r registry.Tenant) (wish, error) {
	dir, digest := d.placeOf(r)
	if digest == "" {
		return d.fleet.below(r.Name, d.dressAs(r))
	}
	w, err := d.fleet.read(dir, r.Name, digest, d.dressAs(r))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: files are missing (%v): deploy it again, or roll back", errDamaged, err)
	}
	return w, err
}

// settle writes a record that nothing has to be made for, and brings the fleet in
// line.
func (d *deployer) settle(ctx context.Context, was, next registry.Tenant) (registry.Tenant, error) {
	now, err := d.write(ctx, was, next, nil)
	if err == nil {
		d.fleet.look(d.sites, []string{was.Name})
	}
	return now, err
}

// write makes a record last, after the release that is to serve from now on.
// packages are that release's, nil when none is.
func (d *deployer) write(ctx context.Context, was, next registry.Tenant, packages *tenants.Release) (registry.Tenant, error) {
	if packages != nil && next.Current != "" {
		err := d.releases.Settle(next.Name, next.Current)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: it was not written as a whole (%v): deploy it again, or roll back", errDamaged, err)
		}
		if err != nil {
			return was, err
		}
	}
	now, err := d.registry.Put(ctx, was, func(t *registry.Tenant) {
		*t = next
		if t.Current != "" && packages != nil {
			t.Deploy(t.Current, packages.Digest, d.now().UTC())
		}
		t.Keep(d.fleet.cfg.now().KeepReleases)
	})
	if err != nil {
		return was, fmt.Errorf("writing the state: %w", err)
	}
	d.keep(now)
	return now, nil
}

// swap makes a deployment of what a record asks for, and the record last when it
// can serve.
func (d *deployer) swap(ctx context.Context, was, next registry.Tenant, w wish) (now registry.Tenant, err error) {
	f := d.fleet
	if err := f.clash(w.tenant); err != nil {
		return was, err
	}
	site := f.hold(d.sites, was.Name)
	err = site.submit(&order{ctx: ctx, wish: w, commit: func(r tenants.Release) error {
		if now, err = d.write(ctx, was, next, &r); err != nil {
			return err
		}
		f.enter(w.tenant)
		return nil
	}})
	// Whatever came of it: a site of nothing goes, a stopped one is stopped again,
	// and a folder that has changed meanwhile is looked at.
	f.look(d.sites, []string{was.Name})
	if err != nil {
		return was, err
	}
	d.collect(now)
	return now, nil
}

// clash says whether another tenant has a route that t asks for.
func (f *fleet) clash(t *tenants.Tenant) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := maps.Clone(f.known)
	delete(known, t.Name)
	all := append(slices.SortedFunc(maps.Values(known), byName), t)
	_, problems := tenants.NewRouterAfter(f.before, all)
	for _, p := range problems {
		if p.Tenant == t.Name {
			return &ClashError{p.Err}
		}
	}
	return nil
}

func byName(a, b *tenants.Tenant) int { return strings.Compare(a.Name, b.Name) }

// ClashError says that two tenants ask for one route.
type ClashError struct{ Err error }

// Error is that of the router.
func (e *ClashError) Error() string { return e.Err.Error() }

// hold finds or makes the site of a name, for an order.
func (f *fleet) hold(ctx context.Context, name string) *site {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.site(ctx, name)
}

// enter gives a tenant its routes.
func (f *fleet) enter(t *tenants.Tenant) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[t.Name] = t
	f.publish()
}

func isFolder(dir string) (bool, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}
