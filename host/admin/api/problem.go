package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an error that its client should hear of, with the status of the
// answer.
type Problem struct {
	Status int
	Err    error
}

// Error is the text of the answer.
func (p *Problem) Error() string { return p.Err.Error() }

// Unwrap gives what it is about.
func (p *Problem) Unwrap() error { return p.Err }

// problem is an error as huma sends it. What is no Problem stays in the log: it
// may tell of the host.
func (a *API) problem(ctx context.Context, err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return huma.NewError(p.Status, p.Error())
	}
	if ctx.Err() != nil {
		return huma.NewError(http.StatusServiceUnavailable, "the client has left or the host ends: nothing has changed")
	}
	a.log.Error("a request to the admin API failed", "error", err)
	return huma.NewError(http.StatusInternalServerError, "the host failed; its log says why")
}

// writeProblem answers before huma has a say.
func writeProblem(log *slog.Logger, w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	if err := huma.DefaultJSONFormat.Marshal(w, huma.NewError(status, text)); err != nil {
		log.Debug("an answer of the admin API could not be sent", "error", err)
	}
}
