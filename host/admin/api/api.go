package api

import (
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Config of an API.
type Config struct {
	Backend Backend
	Version string   // of wasgi, for the document
	Hosts   []string // names that Host may have, without ports, besides the loopback's
	Audit   io.Writer
	Log     *slog.Logger
}

// API answers operators.
type API struct {
	backend Backend
	hosts   []string
	audit   *audit
	log     *slog.Logger
	huma    huma.API
	mux     *http.ServeMux

	followers followers
}

// New makes an API.
func New(c Config) *API {
	a := &API{backend: c.Backend, audit: &audit{log: c.Log, out: c.Audit}, log: c.Log, mux: http.NewServeMux()}
	a.hosts = []string{"localhost", "127.0.0.1", "::1"}
	for _, h := range c.Hosts {
		a.hosts = append(a.hosts, strings.ToLower(h))
	}
	a.huma = humago.New(a.mux, document(c.Version))
	a.huma.UseMiddleware(a.permit)
	a.tenants()
	a.releases()
	a.settings()
	a.streams()
	a.runs()
	a.tokens()
	a.backups()
	a.jobs()
	return a
}

// Handler answers on one listener. local says that only the host's owner can
// reach it, and needs no token.
func (a *API) Handler(local bool) http.Handler {
	return a.guard(a.authenticate(a.audited(a.mux), local))
}

// Document is the OpenAPI document, JSON.
func (a *API) Document() *huma.OpenAPI { return a.huma.OpenAPI() }

// document is what the document says of the whole. Nothing is fetched from
// elsewhere: there are no pages in it.
func document(version string) huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "wasgi", Version: version, Description: "What operators see and change of a wasgi host. " +
				"On its Unix socket the owner of the host needs no token. Streams are JSON texts, one a line."},
			Components: &huma.Components{
				Schemas:         registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer", Description: "As `wasgi token create` gives it"}},
			},
			Security: []map[string][]string{{"token": {}}, {}},
		},
		OpenAPIPath:   "/v1/openapi",
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json", RejectUnknownQueryParameters: true,
	}
}

// operation is what all have in common.
func operation(id, method, path, summary string, needs right, errors ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: "/v1" + path, Summary: summary,
		Metadata: map[string]any{rightKey: needs}, Errors: append(errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusMisdirectedRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError),
		Description: "Right: " + describe(needs) + ".",
	}
}

// bodyErrors are those of reading a body of JSON.
func bodyErrors() []int {
	return []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}
}

func describe(r right) string {
	switch r {
	case rightAny:
		return "any token; the answer has what it may see"
	case rightLook:
		return "to read of the tenant"
	case rightChange:
		return "to change the tenant"
	case rightSee:
		return "to read of the whole host"
	default:
		return "to change the whole host"
	}
}
