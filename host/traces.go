package host

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/trace"
)

// newTracer is nil when nothing is to be traced.
func newTracer(ctx context.Context, c Config, version string, log *slog.Logger) (*trace.Tracer, error) {
	if c.TraceEndpoint == "" {
		return nil, nil
	}
	failures := &seldom{pause: time.Minute}
	t, err := trace.Open(ctx, trace.Config{
		Endpoint: c.TraceEndpoint, OneIn: c.TraceOneIn, Version: version,
		Failed: func(spans int, err error) {
			failures.tell(func(n int) {
				log.Warn("traces could not be handed over: they are lost (trace_endpoint)", "times", n, "spans", spans, "error", err)
			})
		},
	})
	if err != nil {
		return nil, fmt.Errorf("trace_endpoint: %w", err)
	}
	return t, nil
}

// lastTraces is how long the end of the host may wait for the collector.
const lastTraces = 5 * time.Second

// closeTracer hands over what is left.
func closeTracer(t *trace.Tracer) {
	ctx, cancel := context.WithTimeout(context.Background(), lastTraces)
	defer cancel()
	_ = t.Close(ctx) // what fails has been told
}

// beginTrace is called before proxies are admitted.
func (x *exchange) beginTrace(r *http.Request) {
	if t := x.front.tracer; t != nil {
		x.trace = t.Begin(r, edge.TraceID(r.Header) != "", x.front.proxies.TrustsPeer(r), x.start)
	}
}

func (x *exchange) endTrace(status int) {
	if x.trace == nil {
		return
	}
	r := x.Request()
	path, _, _ := edge.SplitTarget(r.RequestURI)
	x.trace.End(trace.Summary{
		Method: r.Method, Scheme: x.scheme, Path: path, Tenant: x.tenant, RequestID: x.id,
		Fault: x.fault, Status: status, CPU: x.cpu, In: x.received, Out: x.sent(),
	})
}
