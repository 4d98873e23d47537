package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wasgi/wasgi/host/store"
)

// Tenant is what the host knows of a tenant besides its files.
type Tenant struct {
	Name string `json:"name"`
	// Current is the digest of the release that is to serve, "" for a tenant whose
	// application is a folder below root.
	Current string `json:"current,omitempty"`
	// Stopped says that an operator has stopped it.
	Stopped bool `json:"stopped,omitempty"`
	// Releases are those that are kept, the newest first.
	Releases []Release `json:"releases,omitempty"`
	// Env is set over the manifest's [env].
	Env map[string]string `json:"env,omitempty"`
	// Secrets are set over Env; their values are sealed.
	Secrets map[string][]byte `json:"secrets,omitempty"`
	// Revision is that of the entry, 0 for one that is not there yet.
	Revision store.Revision `json:"-"`
}

// Release is one that was uploaded.
type Release struct {
	Digest   string    `json:"digest"`
	Created  time.Time `json:"created"`
	Files    int       `json:"files"`
	Bytes    int64     `json:"bytes"`
	By       string    `json:"by,omitempty"`       // who has uploaded it
	Deployed time.Time `json:"deployed,omitzero"`  // when it has begun to serve last; zero is never
	Packages string    `json:"packages,omitempty"` // digest of its dependencies, once it has served
}

// Release finds one by the beginning of its digest. It fails when none or
// several begin so.
func (t *Tenant) Release(prefix string) (Release, error) {
	var found []Release
	for _, r := range t.Releases {
		if prefix != "" && strings.HasPrefix(r.Digest, prefix) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Release{}, fmt.Errorf("%s has no release %q: `wasgi releases %s` lists them: %w", t.Name, prefix, t.Name, store.ErrNotFound)
	}
	return Release{}, fmt.Errorf("%d releases of %s begin with %q: write more of its digest: %w", len(found), t.Name, prefix, store.ErrConflict)
}

// Previous is the release that has served last before the current one. It fails
// when there is none.
func (t *Tenant) Previous() (Release, error) {
	var best Release
	for _, r := range t.Releases {
		if r.Digest != t.Current && r.Deployed.After(best.Deployed) {
			best = r
		}
	}
	if best.Digest == "" {
		return best, fmt.Errorf("%s has no earlier release to go back to: %w", t.Name, store.ErrNotFound)
	}
	return best, nil
}

// Add puts a release in front; one that is there keeps its history.
func (t *Tenant) Add(r Release) {
	for i, there := range t.Releases {
		if there.Digest == r.Digest {
			r.Deployed, r.Packages = there.Deployed, there.Packages
			t.Releases = slices.Delete(t.Releases, i, i+1)
			break
		}
	}
	t.Releases = slices.Insert(t.Releases, 0, r)
}

// Deploy makes a release the current one, of these packages.
func (t *Tenant) Deploy(digest, packages string, now time.Time) {
	t.Current = digest
	for i := range t.Releases {
		if t.Releases[i].Digest == digest {
			t.Releases[i].Deployed, t.Releases[i].Packages = now, packages
		}
	}
}

// Keep forgets the oldest releases above n, never the current one.
func (t *Tenant) Keep(n int) {
	kept := 0
	t.Releases = slices.DeleteFunc(t.Releases, func(r Release) bool {
		if r.Digest == t.Current {
			return false
		}
		kept++
		return kept >= max(n, 1)
	})
}

// Empty says that nothing is known that is worth an entry.
func (t *Tenant) Empty() bool {
	return t.Current == "" && !t.Stopped && len(t.Releases)+len(t.Env)+len(t.Secrets) == 0
}

// Clone is t without shared memory.
func (t Tenant) Clone() Tenant {
	t.Releases, t.Env, t.Secrets = slices.Clone(t.Releases), maps.Clone(t.Env), maps.Clone(t.Secrets)
	return t
}

// Registry reads and writes the store.
type Registry struct{ Store store.Store }

const tenantKeys = "tenants/"

// Tenant reads one. A tenant that is not there has Revision 0.
func (r Registry) Tenant(ctx context.Context, name string) (Tenant, error) {
	e, err := r.Store.Get(ctx, tenantKeys+name)
	if errors.Is(err, store.ErrNotFound) {
		return Tenant{Name: name}, nil
	}
	if err != nil {
		return Tenant{}, err
	}
	return tenantOf(e)
}

func tenantOf(e store.Entry) (t Tenant, err error) {
	if err := json.Unmarshal(e.Value, &t); err != nil {
		return t, fmt.Errorf("%s: the entry is damaged: restore the state from a backup: %w", e.Key, err)
	}
	t.Revision = e.Revision
	return t, nil
}

// Tenants lists all by name.
func (r Registry) Tenants(ctx context.Context) ([]Tenant, error) {
	entries, err := r.Store.List(ctx, tenantKeys)
	if err != nil {
		return nil, err
	}
	var out []Tenant
	for _, e := range entries {
		t, err := tenantOf(e)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// Put writes a tenant as change makes it of what was read, and returns what is
// there now: store.ErrConflict when somebody has written meanwhile.
func (r Registry) Put(ctx context.Context, was Tenant, change func(*Tenant)) (Tenant, error) {
	t := was.Clone()
	change(&t)
	if t.Empty() && t.Revision > 0 {
		return Tenant{Name: t.Name}, r.Store.Delete(ctx, tenantKeys+t.Name, t.Revision)
	}
	if t.Empty() {
		return t, nil
	}
	text, err := json.Marshal(t)
	if err != nil {
		return was, err
	}
	t.Revision, err = r.Store.CompareAndSet(ctx, tenantKeys+t.Name, text, t.Revision)
	if err != nil {
		return was, err
	}
	return t, nil
}

// Remove forgets a tenant.
func (r Registry) Remove(ctx context.Context, t Tenant) error {
	return r.Store.Delete(ctx, tenantKeys+t.Name, t.Revision)
}
