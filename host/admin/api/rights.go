package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// right is what an operation asks of its caller.
type right string

// Rights, the weakest first. A token for one tenant has look and change there,
// and nothing else.
const (
	rightAny    right = "any"    // whoever has a token; the answer has only what it may see
	rightLook   right = "look"   // of the path's tenant
	rightChange right = "change" // of the path's tenant
	rightSee    right = "see"    // of the whole host
	rightHost   right = "host"   // to change the whole host
)

const rightKey = "right"

// permit is a middleware of huma.
func (a *API) permit(ctx huma.Context, next func(huma.Context)) {
	c := callerOf(ctx.Context())
	switch r, _ := ctx.Operation().Metadata[rightKey].(right); {
	case !c.may(r, ctx.Param("tenant")):
		// Neither is worth a line of the log: the audit has one.
		_ = huma.WriteErr(a.huma, ctx, http.StatusForbidden, "this token does not allow that: it is for "+c.scope())
	default:
		next(ctx)
	}
}

// may says whether the caller has a right to a tenant.
func (c Caller) may(r right, tenant string) bool {
	own := c.Tenant == "" || c.Tenant == tenant
	switch r {
	case rightAny:
		return true
	case rightLook:
		return own
	case rightChange:
		return own && !c.ReadOnly
	case rightSee:
		return c.Tenant == ""
	case rightHost:
		return c.Tenant == "" && !c.ReadOnly
	}
	return false
}

// sees says whether a list may show a tenant to the caller.
func (c Caller) sees(tenant string) bool { return c.Tenant == "" || c.Tenant == tenant }

func (c Caller) scope() string {
	scope := "the whole host"
	if c.Tenant != "" {
		scope = "the tenant " + c.Tenant
	}
	if c.ReadOnly {
		scope += ", to read only"
	}
	return scope
}

type callerKey struct{}

func withCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf is who authenticate has found; without it, somebody who may see
// nothing.
func callerOf(ctx context.Context) Caller {
	c, found := ctx.Value(callerKey{}).(Caller)
	if !found {
		return Caller{Name: "nobody", Tenant: "-", ReadOnly: true}
	}
	return c
}
