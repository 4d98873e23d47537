package trace

import (
	"context"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config of a Tracer.
type Config struct {
	// Endpoint is the URL that spans are posted to, such as
	// http://127.0.0.1:4318/v1/traces.
	Endpoint string
	// OneIn is of how many requests one is traced; 0 is none but those of trusted
	// proxies.
	OneIn int
	// Version of the program.
	Version string
	// Failed hears that spans could not be handed over, and how many; from the
	// tracer's own goroutine.
	Failed func(spans int, err error)
}

// Tracer makes spans and hands them over behind the requests' backs. It is safe
// for concurrent use. A nil Tracer traces nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// maxValue bounds a text in a span, bytes.
const maxValue = 1024

// Open starts a tracer. It does not ask whether the collector is there: one that
// comes later gets what happens then. The caller must Close it. OpenTelemetry's
// exporter takes headers and certificates for the collector from the environment
// (OTEL_EXPORTER_OTLP_HEADERS and the like).
func Open(ctx context.Context, c Config) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.Endpoint))
	if err != nil {
		return nil, err
	}
	return open(c, exporter), nil
}

func open(c Config, e sdk.SpanExporter) *Tracer {
	limits := sdk.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxValue
	s := sampler{c.OneIn}
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(telling{e, c.Failed}),
		sdk.WithRawSpanLimits(limits),
		sdk.WithSampler(sdk.ParentBased(s, sdk.WithRemoteParentSampled(s), sdk.WithRemoteParentNotSampled(s))),
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "wasgi"), attribute.String("service.version", c.Version),
		)),
	)
	return &Tracer{provider: p, tracer: p.Tracer("github.com/wasgi/wasgi/host/trace")}
}

// Close hands over what is left, until ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// telling is an exporter that says itself what it could not do: OpenTelemetry
// would tell a global of the process.
type telling struct {
	sdk.SpanExporter
	failed func(spans int, err error)
}

// ExportSpans implements sdk.SpanExporter.
func (t telling) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := t.SpanExporter.ExportSpans(ctx, spans); err != nil && t.failed != nil {
		t.failed(len(spans), err)
	}
	return nil
}

// sampler decides about requests; their other spans follow.
type sampler struct{ oneIn int }

// trustedKey is in the context of a request whose traceparent counts.
type trustedKey struct{}

// ShouldSample implements sdk.Sampler.
func (s sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	trusted := p.ParentContext.Value(trustedKey{}) != nil && parent.IsValid()
	decision := sdk.Drop
	if trusted && parent.IsSampled() || !trusted && s.oneIn > 0 && rand.IntN(s.oneIn) == 0 {
		decision = sdk.RecordAndSample
	}
	return sdk.SamplingResult{Decision: decision, Tracestate: parent.TraceState()}
}

// Description implements sdk.Sampler.
func (s sampler) Description() string { return "wasgi" }

// parentOf is the context of a request's span. valid says that the header
// traceparent is there once and well-formed.
func parentOf(h http.Header, valid, trusted bool) context.Context {
	ctx := context.Background()
	if !valid {
		return ctx
	}
	if trusted {
		ctx = context.WithValue(ctx, trustedKey{}, true)
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h))
}
