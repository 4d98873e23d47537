package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

func (a *API) tokens() {
	huma.Register(a.huma, operation("list-tokens", http.MethodGet, "/tokens", "All tokens, without what they are", rightHost), a.listTokens)
	create := operation("create-token", http.MethodPost, "/tokens", "Make a token", rightHost, bodyErrors()...)
	create.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, create, a.createToken)
	huma.Register(a.huma, operation("remove-token", http.MethodDelete, "/tokens/{id}", "Remove a token", rightHost, http.StatusNotFound), a.removeToken)
}

func (a *API) listTokens(ctx context.Context, in *Page) (*paged[Token], error) {
	all, err := a.backend.Tokens(ctx)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return page(all, *in, func(t Token) string { return t.ID }), nil
}

type createTokenInput struct {
	Body struct {
		Note     string    `json:"note,omitempty" maxLength:"200" doc:"What it is for"`
		Tenant   string    `json:"tenant,omitempty" maxLength:"63" pattern:"^([a-z0-9][a-z0-9._-]*)?$" doc:"The only tenant that it is for; without it the whole host"`
		ReadOnly bool      `json:"read_only,omitempty" doc:"Whether it changes nothing"`
		Expires  time.Time `json:"expires,omitzero" doc:"From when on it counts no more; without it never"`
	}
}

func (a *API) createToken(ctx context.Context, in *createTokenInput) (*struct{ Body NewToken }, error) {
	t, err := a.backend.CreateToken(ctx, in.Body.Note, in.Body.Tenant, in.Body.ReadOnly, in.Body.Expires)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return &struct{ Body NewToken }{t}, nil
}

type removeTokenInput struct {
	ID string `path:"id" pattern:"^[0-9a-f]{12}$" doc:"As the list has it"`
}

func (a *API) removeToken(ctx context.Context, in *removeTokenInput) (*struct{}, error) {
	if err := a.backend.RemoveToken(ctx, in.ID); err != nil {
		return nil, a.problem(ctx, err)
	}
	return nil, nil
}
