package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// TenantPath is a path with a tenant's name.
type TenantPath struct {
	Tenant string `path:"tenant" maxLength:"63" pattern:"^[a-z0-9][a-z0-9._-]*$" doc:"Name of the tenant"`
}

// Matched is a change that may depend on a revision.
type Matched struct {
	IfMatch string `header:"If-Match" doc:"ETag that the tenant must still have, or *; without it any will do" example:"\"7\""`
}

// revision reads If-Match: 0 is any. A tag of ours is a number in quotes; any
// other one matches nothing.
func (m Matched) revision() (uint64, error) {
	text := strings.TrimSpace(m.IfMatch)
	if text == "" || text == "*" {
		return 0, nil
	}
	n, err := strconv.ParseUint(strings.Trim(text, `"`), 10, 64)
	if err != nil || n == 0 || text != etag(n) {
		return 0, huma.NewError(http.StatusPreconditionFailed, "If-Match names a revision that the tenant never had: read it again")
	}
	return n, nil
}

func etag(revision uint64) string { return fmt.Sprintf("%q", strconv.FormatUint(revision, 10)) }

// taggedTenant is a tenant with its ETag.
type taggedTenant struct {
	ETag string `header:"ETag" doc:"Revision of the tenant"`
	Body Tenant
}

func tagged(t Tenant) *taggedTenant { return &taggedTenant{etag(t.Revision), t} }

type listed[T any] struct {
	Body struct {
		Items []T `json:"items" nullable:"false" doc:"All of them"`
	}
}

func list[T any](items []T) *listed[T] {
	out := &listed[T]{}
	if out.Body.Items = items; items == nil {
		out.Body.Items = []T{}
	}
	return out
}

func (a *API) tenants() {
	huma.Register(a.huma, operation("info", http.MethodGet, "/info", "What runs", rightAny),
		func(context.Context, *struct{}) (*struct{ Body Info }, error) {
			return &struct{ Body Info }{a.backend.Info()}, nil
		})
	huma.Register(a.huma, operation("status", http.MethodGet, "/status", "How all tenants do", rightAny), a.listStatus)
	huma.Register(a.huma, operation("list-tenants", http.MethodGet, "/tenants", "All tenants", rightAny), a.listTenants)
	get := operation("get-tenant", http.MethodGet, "/tenants/{tenant}", "One tenant", rightLook, http.StatusNotFound)
	get.Responses = map[string]*huma.Response{"304": {Description: "It is still what If-None-Match says"}}
	huma.Register(a.huma, get, a.getTenant)
	huma.Register(a.huma, operation("remove-tenant", http.MethodDelete, "/tenants/{tenant}", "Remove a deployed tenant", rightChange, changeErrors()...), a.removeTenant)
	huma.Register(a.huma, operation("stop-tenant", http.MethodPost, "/tenants/{tenant}/stop", "Stop a tenant", rightChange, changeErrors()...), a.change(a.backend.Stop))
	huma.Register(a.huma, operation("start-tenant", http.MethodPost, "/tenants/{tenant}/start", "Start a stopped tenant", rightChange, changeErrors()...), a.change(a.backend.Start))
}

// changeErrors are those of a change, and more.
func changeErrors(more ...int) []int {
	return append(more, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusServiceUnavailable, http.StatusInsufficientStorage)
}

func (a *API) listStatus(ctx context.Context, in *Page) (*paged[Status], error) {
	c := callerOf(ctx)
	all := slices.DeleteFunc(a.backend.Statuses(), func(s Status) bool { return !c.sees(s.Name) })
	return page(all, *in, func(s Status) string { return s.Name }), nil
}

func (a *API) listTenants(ctx context.Context, in *Page) (*paged[Tenant], error) {
	c := callerOf(ctx)
	all := slices.DeleteFunc(a.backend.Tenants(), func(t Tenant) bool { return !c.sees(t.Name) })
	return page(all, *in, func(t Tenant) string { return t.Name }), nil
}

type getTenantInput struct {
	TenantPath
	IfNoneMatch string `header:"If-None-Match" doc:"ETag that the client has: 304 when it is still that" example:"\"7\""`
}

func (a *API) getTenant(ctx context.Context, in *getTenantInput) (*taggedTenant, error) {
	t, err := a.backend.Tenant(in.Tenant)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	if in.IfNoneMatch == etag(t.Revision) && t.Revision > 0 {
		return nil, huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"ETag": {etag(t.Revision)}})
	}
	return tagged(t), nil
}

type removeInput struct {
	TenantPath
	Matched
	Data bool `query:"data" doc:"Remove its /data as well"`
}

func (a *API) removeTenant(ctx context.Context, in *removeInput) (*struct{}, error) {
	at, err := in.revision()
	if err != nil {
		return nil, err
	}
	if err := a.backend.Remove(ctx, in.Tenant, in.Data, at); err != nil {
		return nil, a.problem(ctx, err)
	}
	return nil, nil
}

type changeInput struct {
	TenantPath
	Matched
}

// change is an operation without a body.
func (a *API) change(do func(context.Context, string, uint64) (Tenant, error)) func(context.Context, *changeInput) (*taggedTenant, error) {
	return func(ctx context.Context, in *changeInput) (*taggedTenant, error) {
		return a.changed(ctx, in.Matched, func(at uint64) (Tenant, error) { return do(ctx, in.Tenant, at) })
	}
}

// changed makes a change and answers with what is there then.
func (a *API) changed(ctx context.Context, m Matched, do func(at uint64) (Tenant, error)) (*taggedTenant, error) {
	at, err := m.revision()
	if err != nil {
		return nil, err
	}
	t, err := do(at)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return tagged(t), nil
}
