package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Job is something that a tenant's manifest has done at times.
type Job struct {
	What     string     `json:"what" doc:"A path that is requested, or Python's command line"`
	Schedule string     `json:"schedule" doc:"When, as crontab(5) has it, in UTC"`
	Next     *time.Time `json:"next,omitempty" doc:"When it is due next"`
	Last     *time.Time `json:"last,omitempty" doc:"When it was begun last, since the host started"`
	Running  bool       `json:"running" doc:"Whether it runs"`
	Millis   int64      `json:"took_ms" doc:"How long the last run took, in milliseconds"`
	Error    string     `json:"error,omitempty" doc:"How the last run failed"`
}

func (a *API) jobs() {
	huma.Register(a.huma, operation("list-jobs", http.MethodGet, "/tenants/{tenant}/jobs", "The jobs of a tenant's manifest", rightLook, http.StatusNotFound), a.listJobs)
	run := operation("run-job", http.MethodPost, "/tenants/{tenant}/jobs", "Do a job now, and wait for its end", rightChange, changeErrors(bodyErrors()...)...)
	run.DefaultStatus = http.StatusNoContent
	huma.Register(a.huma, run, a.runJob)
}

func (a *API) listJobs(ctx context.Context, in *struct{ TenantPath }) (*listed[Job], error) {
	all, err := a.backend.Jobs(in.Tenant)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return list(all), nil
}

type runJobInput struct {
	TenantPath
	Body struct {
		What string `json:"what" minLength:"1" maxLength:"4096" doc:"As the list has it"`
	}
}

func (a *API) runJob(ctx context.Context, in *runJobInput) (*struct{}, error) {
	if err := a.backend.RunJob(ctx, in.Tenant, in.Body.What); err != nil {
		return nil, a.problem(ctx, err)
	}
	return nil, nil
}
