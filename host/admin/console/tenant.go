package console

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

// tenantPage shows one tenant.
type tenantPage struct {
	Tenant   api.Tenant
	Status   api.Status
	Word     stateWord
	Called   *moment // the last request
	Past     seen
	Releases []releaseLine
	Env      []pair
	Limits   []limitGroup
	Log      []logLine
	May      bool // the caller may change it
	Problem  string
	Done     string
}

type pair struct{ Name, Value string }

// releaseLine is a release in the list.
type releaseLine struct {
	api.Release
	Uploaded moment
	Served   *moment // since when, or when last
	Size     string
	Files    string
	Verb     string // what bringing it into service is called, "" for the current one
}

// limitGroup is a table of limits.
type limitGroup struct {
	Name   string
	Limits []Limit
}

// fewLines of the log are on a tenant's page.
const fewLines = 40

func (c *Console) tenant(v *visit) error {
	if _, err := c.Host.Tenant(v.tenant); err != nil {
		return err
	}
	return c.showTenant(v, http.StatusOK, "")
}

// showTenant shows what there is now, and what has gone wrong.
func (c *Console) showTenant(v *visit, status int, trouble string) error {
	t, err := c.Host.Tenant(v.tenant)
	if err != nil {
		return err
	}
	p := tenantPage{
		Tenant: t, Status: c.status(v.tenant), Past: c.past(v.tenant, v.URL.Query().Get("past")), May: v.caller.Changes(v.tenant),
		Releases: releases(t, c.Now()), Limits: grouped(c.Limits(v.tenant)), Problem: trouble, Done: done(v.URL.Query().Get("done")),
	}
	p.Word = wordOf(p.Status)
	if p.Status.LastCall != nil {
		at := momentOf(*p.Status.LastCall, c.Now())
		p.Called = &at
	}
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		p.Env = append(p.Env, pair{name, t.Env[name]})
	}
	if p.Log, err = c.last(v, fewLines); err != nil {
		return err
	}
	v.render(status, "tenant", v.tenant, p)
	return nil
}

// status is that of a name, with an empty state when it has no place on the host.
func (c *Console) status(name string) api.Status {
	for _, s := range c.Host.Statuses() {
		if s.Name == name {
			return s
		}
	}
	return api.Status{Name: name}
}

func releases(t api.Tenant, now time.Time) []releaseLine {
	var since time.Time // of the current one
	for _, r := range t.Releases {
		if r.Current && r.Deployed != nil {
			since = *r.Deployed
		}
	}
	var out []releaseLine
	for _, r := range t.Releases {
		l := releaseLine{Release: r, Uploaded: momentOf(r.Created, now), Size: size(float64(r.Bytes)), Files: count(uint64(r.Files))}
		if r.Deployed != nil {
			at := momentOf(*r.Deployed, now)
			l.Served = &at
		}
		switch {
		case r.Current:
		case r.Deployed != nil && r.Deployed.Before(since):
			l.Verb = "Roll back"
		default:
			l.Verb = "Deploy"
		}
		out = append(out, l)
	}
	return out
}

func grouped(all []Limit) []limitGroup {
	var out []limitGroup
	for _, l := range all {
		if len(out) == 0 || out[len(out)-1].Name != l.Group {
			out = append(out, limitGroup{Name: l.Group})
		}
		last := &out[len(out)-1]
		last.Limits = append(last.Limits, l)
	}
	return out
}
