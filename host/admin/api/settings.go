package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (a *API) settings() {
	env := operation("change-env", http.MethodPatch, "/tenants/{tenant}/env", "Set and remove variables of the environment", rightChange, changeErrors(bodyErrors()...)...)
	env.Description += " The tenant is restarted with them; when it cannot start so, nothing has changed."
	huma.Register(a.huma, env, a.patch(a.backend.SetEnv))
	secrets := operation("change-secrets", http.MethodPatch, "/tenants/{tenant}/secrets", "Set and remove secrets", rightChange, changeErrors(bodyErrors()...)...)
	secrets.Description += " They are variables of the environment whose values are encrypted and never told."
	huma.Register(a.huma, secrets, a.patch(a.backend.SetSecrets))
}

type patchInput struct {
	TenantPath
	Matched
	Body struct {
		Set   map[string]string `json:"set,omitempty" doc:"Values by name"`
		Unset []string          `json:"unset,omitempty" nullable:"false" doc:"Names to remove"`
	}
}

type patcher func(ctx context.Context, tenant string, set map[string]string, unset []string, at uint64) (Tenant, error)

func (a *API) patch(do patcher) func(context.Context, *patchInput) (*taggedTenant, error) {
	return func(ctx context.Context, in *patchInput) (*taggedTenant, error) {
		return a.changed(ctx, in.Matched, func(at uint64) (Tenant, error) { return do(ctx, in.Tenant, in.Body.Set, in.Body.Unset, at) })
	}
}
