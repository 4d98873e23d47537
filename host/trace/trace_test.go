package trace

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	parent  = "00-" + traceID + "-b7ad6b7169203331-"
)

// harness is a tracer whose spans are kept.
func harness(t testing.TB, oneIn int) (*Tracer, func() tracetest.SpanStubs) {
	t.Helper()
	kept := tracetest.NewInMemoryExporter()
	tracer := open(Config{OneIn: oneIn, Failed: func(int, error) { t.Error("an export failed") }}, kept)
	t.Cleanup(func() {
		if err := tracer.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tracer, func() tracetest.SpanStubs {
		t.Helper()
		if err := tracer.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		return kept.GetSpans()
	}
}

func request(traceparent string) *http.Request {
	r := httptest.NewRequest("GET", "/a?secret", nil)
	if traceparent != "" {
		r.Header.Set("Traceparent", traceparent)
	}
	return r
}

func TestSpansOfARequest(t *testing.T) {
	tracer, spans := harness(t, 1)
	q := request(parent + "00")
	r := tracer.Begin(q, true, false, time.Now())
	r.Wait()()
	end := r.Guest()
	h := http.Header{}
	r.Pass(h)
	if _, err := io.ReadAll(r.Body(strings.NewReader("x"))); err != nil {
		t.Fatal(err)
	}
	r.Call("response.write")()
	end()
	r.Call("outside of a call")()
	r.End(Summary{Method: "GET", Path: "/a", Tenant: "shop", RequestID: "id", Status: 504, Fault: "timeout", CPU: time.Second, In: 1, Out: 2, Scheme: "http"})

	got := map[string]tracetest.SpanStub{}
	for _, s := range spans() {
		got[s.Name] = s
		if s.SpanContext.TraceID().String() != traceID {
			t.Errorf("%s is of the trace %s", s.Name, s.SpanContext.TraceID())
		}
	}
	for child, of := range map[string]string{"wait": "GET shop", "guest": "GET shop", "body.read": "guest", "response.write": "guest"} {
		if got[child].Parent.SpanID() != got[of].SpanContext.SpanID() || !got[of].SpanContext.IsValid() {
			t.Errorf("%s is not of %s: %v", child, of, got)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d names of spans: %v", len(got), got)
	}
	if got["GET shop"].Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the parent is %s", got["GET shop"].Parent.SpanID())
	}
	if want := "00-" + traceID + "-" + got["guest"].SpanContext.SpanID().String() + "-01"; h.Get("Traceparent") != want {
		t.Errorf("the application got %q, want %q", h.Get("Traceparent"), want)
	}
	attributes := map[string]string{}
	for _, a := range got["GET shop"].Attributes {
		attributes[string(a.Key)] = a.Value.String()
	}
	for key, want := range map[string]string{
		"http.request.method": "GET", "http.response.status_code": "504", "url.path": "/a", "url.scheme": "http", "wasgi.tenant": "shop",
		"wasgi.request_id": "id", "wasgi.guest_cpu_seconds": "1", "error.type": "timeout", "http.request.body.size": "1", "http.response.body.size": "2",
	} {
		if attributes[key] != want {
			t.Errorf("%s is %q, want %q", key, attributes[key], want)
		}
	}
}

// Who decides: nobody but the host and its proxies.
func TestSampling(t *testing.T) {
	for _, c := range []struct {
		name        string
		oneIn       int
		traceparent string
		trusted     bool
		want        bool
	}{
		{"all", 1, "", false, true},
		{"none", 0, "", false, false},
		{"a client that wants", 0, parent + "01", false, false},
		{"a client that does not", 1, parent + "00", false, true},
		{"a proxy that wants", 0, parent + "01", true, true},
		{"a proxy that does not", 1, parent + "00", true, false},
		{"a proxy that says nothing", 1, "", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tracer, spans := harness(t, c.oneIn)
			r := tracer.Begin(request(c.traceparent), c.traceparent != "", c.trusted, time.Now())
			end := r.Guest()
			h := http.Header{}
			r.Pass(h)
			end()
			r.End(Summary{})
			if got := len(spans()) > 0; got != c.want || r.Sampled() != c.want {
				t.Errorf("traced: %v", got)
			}
			// The application goes on with the trace whether anybody sees it or not.
			flag := map[bool]string{true: "-01", false: "-00"}[c.want]
			if id := h.Get("Traceparent"); !strings.HasSuffix(id, flag) || c.traceparent != "" && !strings.HasPrefix(id, "00-"+traceID+"-") {
				t.Errorf("the application got %q", id)
			}
		})
	}
}

func TestCallsAreBounded(t *testing.T) {
	tracer, spans := harness(t, 1)
	r := tracer.Begin(request(""), false, false, time.Now())
	end := r.Guest()
	for range maxCalls + 7 {
		r.Call("response.write")()
	}
	end()
	r.End(Summary{Method: "BREW"})
	all := spans()
	if len(all) != maxCalls+2 {
		t.Errorf("%d spans", len(all))
	}
	for _, s := range all {
		if s.Name == "guest" && (len(s.Attributes) != 1 || s.Attributes[0].Value.AsInt64() != 7) {
			t.Errorf("guest has %v", s.Attributes)
		}
	}
	if last := all[len(all)-1]; last.Name != "HTTP" {
		t.Errorf("a method that nobody knows made the name %q", last.Name)
	}
}

func TestOff(t *testing.T) {
	var tracer *Tracer
	r := tracer.Begin(request(parent+"01"), true, true, time.Now())
	r.Wait()()
	r.Guest()()
	r.Call("x")()
	h := http.Header{}
	r.Pass(h)
	body := strings.NewReader("")
	if r != nil || len(h) != 0 || r.Body(body) != io.Reader(body) || r.Body(nil) != nil || r.Sampled() {
		t.Errorf("%v %v", r, h)
	}
	r.End(Summary{})
	if err := tracer.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := testing.AllocsPerRun(100, func() { r.Call("x")() }); n != 0 {
		t.Errorf("%v allocations for nothing", n)
	}
}

// failing is a collector that is not there.
type failing struct{ sdk.SpanExporter }

func (failing) ExportSpans(context.Context, []sdk.ReadOnlySpan) error {
	return errors.New("connection refused")
}

func TestCollectorIsNotThere(t *testing.T) {
	told := 0
	tracer := open(Config{OneIn: 1, Failed: func(n int, _ error) { told += n }}, failing{tracetest.NewNoopExporter()})
	tracer.Begin(request(""), false, false, time.Now()).End(Summary{})
	if err := tracer.Close(t.Context()); err != nil || told != 1 {
		t.Errorf("%v, told of %d spans", err, told)
	}
}
