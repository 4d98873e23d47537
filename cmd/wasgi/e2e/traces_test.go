package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// otlp is a collector of traces.
type otlp struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string][]*spans.Span // by trace
}

func newOTLP(t *testing.T) *otlp {
	c := &otlp{spans: map[string][]*spans.Span{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(text, &m)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %v: %v", r.URL, r.Header, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, resource := range m.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					id := hex.EncodeToString(s.TraceId)
					c.spans[id] = append(c.spans[id], s)
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// tree writes the spans of a trace, each below its parent, in the order in which
// they began; root is the parent of the first.
func (c *otlp) tree(trace string, root []byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out strings.Builder
	var walk func(parent []byte, indent string)
	walk = func(parent []byte, indent string) {
		for _, s := range c.spans[trace] {
			if string(s.ParentSpanId) == string(parent) {
				out.WriteString(indent + s.Name + "\n")
				walk(s.SpanId, indent+" ")
			}
		}
	}
	walk(root, "")
	return out.String()
}

const tracedApp = `import sys, time
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    environ["wsgi.errors"].write("logged\n")
    print("printed")
    time.sleep(0.05)
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield environ.get("HTTP_TRACEPARENT", "none").encode()
    yield body
`

// TestTraces: a collector gets the spans of a request with the guest's calls, in
// the trace that the client began, and the application goes on with it.
func TestTraces(t *testing.T) {
	t.Parallel()
	w, root, c := newWorld(t), t.TempDir(), newOTLP(t)
	write(t, root, "app/wsgi.py", tracedApp)
	s := w.serve(t, launch{root: root, flags: []string{"--trace-endpoint", c.URL + "/v1/traces"}}, "app")
	const trace, client = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	given := "00-" + trace + "-" + client + "-00"
	a := s.site(t, "app").browser(t).send("POST", "/?secret", body("text/plain", "body"), header("Traceparent", given)).status(200)
	passed := strings.TrimSuffix(a.body, "body")
	if !strings.HasPrefix(passed, "00-"+trace+"-") || !strings.HasSuffix(passed, "-01") || strings.Contains(passed, client) {
		t.Errorf("the application got %q", passed)
	}
	if err := s.terminate(t); err != nil { // which hands over what is left
		t.Fatal(err)
	}
	parent, _ := hex.DecodeString(client)
	got := c.tree(trace, parent)
	want := "POST app\n wait\n guest\n  body.read\n  log\n  print\n  sleep\n  response.start\n  response.write\n"
	if got = strings.ReplaceAll(got, "  body.read\n  body.read\n", "  body.read\n"); !strings.HasPrefix(got, want) {
		t.Errorf("spans:\n%swant:\n%s", got, want)
	}
	for _, s := range c.spans[trace] {
		if s.Name == "guest" && hex.EncodeToString(s.SpanId) != passed[36:52] {
			t.Errorf("the application's parent is %s, the guest's span %x", passed[36:52], s.SpanId)
		}
		if text := s.String(); strings.Contains(text, "secret") {
			t.Errorf("a query is in a span: %s", text)
		}
	}
}

// TestNoCollector: a collector that is not there is told to the log and costs
// nobody an answer.
func TestNoCollector(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), newOTLP(t)
	address := c.URL
	c.Close()
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--trace-endpoint", address}}, "bare")
	s.site(t, "bare").browser(t).get("/").status(200)
	if err := s.terminate(t); err != nil {
		t.Fatal(err)
	}
	s.logs(t, `traces could not be handed over.*trace_endpoint`, 0)
}
