package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

func (a *API) backups() {
	op := operation("backup", http.MethodGet, "/backup", "The state of the host as a tar.gz", rightHost)
	op.Description += " A backup that fails breaks the connection off."
	op.Responses = map[string]*huma.Response{"200": {Description: "The archive, for `wasgi restore`", Content: map[string]*huma.MediaType{
		"application/gzip": {Schema: &huma.Schema{Type: "string", Format: "binary"}},
	}}}
	huma.Register(a.huma, op, a.backup)
}

type backupInput struct {
	Data bool `query:"data" default:"true" doc:"Take what applications keep in /data"`
	Key  bool `query:"key" doc:"Take the key of the secrets"`
}

func (a *API) backup(_ context.Context, in *backupInput) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(h huma.Context) {
		_, w := humago.Unwrap(h)
		h.SetHeader("Content-Type", "application/gzip")
		if err := a.backend.Backup(h.Context(), w, in.Data, in.Key); err != nil {
			a.log.Error("a backup failed", "error", err)
			panic(http.ErrAbortHandler) // the client must not take it for whole
		}
	}}, nil
}
