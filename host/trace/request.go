package trace

import (
	"context"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// maxCalls is how many host calls of one request get spans; the others are
// counted. A stream of an hour is to be no trace of a gigabyte.
const maxCalls = 100

// Request is the trace of one request. Its methods belong to one goroutine at a
// time. A nil Request does nothing.
type Request struct {
	tracer  trace.Tracer
	root    context.Context
	span    trace.Span
	guest   context.Context // nil outside of a call
	calling trace.Span
	calls   int
}

// Begin starts the span of a request. valid says that its header traceparent is
// well-formed, trusted that the peer's word counts.
func (t *Tracer) Begin(r *http.Request, valid, trusted bool, start time.Time) *Request {
	if t == nil {
		return nil
	}
	out := &Request{tracer: t.tracer}
	out.root, out.span = t.tracer.Start(parentOf(r.Header, valid, trusted), "HTTP",
		trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(start))
	return out
}

// Sampled says whether anybody will see the request.
func (r *Request) Sampled() bool { return r != nil && r.span.SpanContext().IsSampled() }

// Pass gives what goes on from here the request's place in the trace: the guest's
// span while a call runs. The header is the application's then.
func (r *Request) Pass(h http.Header) {
	if r == nil {
		return
	}
	ctx := r.root
	if r.guest != nil {
		ctx = r.guest
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
}

// Wait is the span of the wait for an instance; the caller ends it.
func (r *Request) Wait() (end func()) {
	if !r.Sampled() {
		return func() {}
	}
	_, span := r.tracer.Start(r.root, "wait")
	return func() { span.End() }
}

// Guest is the span of a call into the guest; the caller ends it.
func (r *Request) Guest() (end func()) {
	if r == nil {
		return func() {}
	}
	r.guest, r.calling = r.tracer.Start(r.root, "guest")
	return func() {
		if n := r.calls - maxCalls; n > 0 {
			r.calling.SetAttributes(attribute.Int("wasgi.host_calls_dropped", n))
		}
		r.calling.End()
		r.guest = nil
	}
}

// Call is the span of a call that the guest makes to the host; the caller ends it.
func (r *Request) Call(name string) (end func()) {
	if r == nil || r.guest == nil || !r.calling.IsRecording() {
		return func() {}
	}
	if r.calls++; r.calls > maxCalls {
		return func() {}
	}
	_, span := r.tracer.Start(r.guest, name)
	return func() { span.End() }
}

// Body makes reads of a body calls; nil stays nil.
func (r *Request) Body(body io.Reader) io.Reader {
	if body == nil || !r.Sampled() {
		return body
	}
	return &traced{body, r}
}

type traced struct {
	io.Reader
	request *Request
}

func (t *traced) Read(p []byte) (int, error) {
	defer t.request.Call("body.read")()
	return t.Reader.Read(p)
}

// Summary is what is known at the end of a request.
type Summary struct {
	Method, Scheme, Path string // of the request
	Tenant, RequestID    string // "" for none
	Fault                string // word of the fault, "" for none
	Status               int
	CPU                  time.Duration // of the guest
	In, Out              int64         // bytes of the bodies
}

// End ends the span of the request. Nothing can be called afterwards.
func (r *Request) End(s Summary) {
	if r == nil {
		return
	}
	defer r.span.End()
	if !r.span.IsRecording() {
		return
	}
	method := known(s.Method)
	r.span.SetName(name(method, s.Tenant))
	r.span.SetAttributes(
		attribute.String("http.request.method", method), attribute.Int("http.response.status_code", s.Status),
		attribute.String("url.scheme", s.Scheme), attribute.String("url.path", s.Path),
		attribute.String("wasgi.tenant", s.Tenant), attribute.String("wasgi.request_id", s.RequestID),
		attribute.Float64("wasgi.guest_cpu_seconds", s.CPU.Seconds()),
		attribute.Int64("http.request.body.size", s.In), attribute.Int64("http.response.body.size", s.Out),
	)
	if s.Fault != "" {
		r.span.SetAttributes(attribute.String("error.type", s.Fault))
	}
	if s.Status >= 500 {
		r.span.SetStatus(codes.Error, s.Fault)
	}
}

// name is one of few: a method that exists, and a tenant.
func name(method, tenant string) string {
	if method == "_OTHER" {
		method = "HTTP"
	}
	if tenant == "" {
		return method
	}
	return method + " " + tenant
}

// known is a method as OpenTelemetry's conventions want it: any text may be one.
func known(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT":
		return method
	}
	return "_OTHER"
}
