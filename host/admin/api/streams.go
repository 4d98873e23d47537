package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// linesType is that of streams: a JSON text on each line.
const linesType = "application/x-ndjson"

func (a *API) streams() {
	events := operation("events", http.MethodGet, "/events", "What happens to tenants, from now on", rightAny)
	events.Responses = streamOf[Event](a.huma)
	huma.Register(a.huma, events, a.events)
	huma.Register(a.huma, operation("end-events", http.MethodDelete, "/events/{stream}",
		"End a stream of events, after all that has happened until now", rightAny, http.StatusNotFound), a.endEvents)
	logs := operation("logs", http.MethodGet, "/tenants/{tenant}/logs", "A tenant's log", rightLook, http.StatusNotFound)
	logs.Responses = streamOf[LogLine](a.huma)
	huma.Register(a.huma, logs, a.logs)
}

// streamOf documents a stream: huma sees no type in one.
func streamOf[T any](api huma.API) map[string]*huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	return map[string]*huma.Response{"200": {
		Description: "One JSON text a line", Content: map[string]*huma.MediaType{linesType: {Schema: schema}},
	}}
}

// lines writes JSON texts and sends each at once.
type lines struct {
	enc   *json.Encoder
	flush func() error
}

// begin sends the head of a stream.
func begin(ctx huma.Context) *lines {
	ctx.SetHeader("Content-Type", linesType)
	ctx.SetStatus(http.StatusOK)
	w := ctx.BodyWriter()
	l := &lines{enc: json.NewEncoder(w), flush: func() error { return nil }}
	if rw, ok := w.(http.ResponseWriter); ok {
		l.flush = http.NewResponseController(rw).Flush
	}
	return l
}

func (l *lines) put(v any) error {
	if err := l.enc.Encode(v); err != nil {
		return err
	}
	return l.flush()
}

// eventBacklog is how many events a slow client may be behind; more are lost to
// it, and the host goes on.
const eventBacklog = 256

type eventsInput struct {
	Tenant string `query:"tenant" maxLength:"63" doc:"Only of this tenant"`
}

func (a *API) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	c := callerOf(ctx)
	return &huma.StreamResponse{Body: func(h huma.Context) {
		ctx, cancel := context.WithCancel(h.Context())
		defer cancel()
		queue := make(chan Event, eventBacklog)
		a.backend.Events(ctx, func(e Event) {
			if !c.sees(e.Tenant) || in.Tenant != "" && e.Tenant != in.Tenant {
				return
			}
			select {
			case queue <- e:
			default:
			}
		})
		name, ended := a.followers.add()
		defer a.followers.end(name)
		relay(ctx, begin(h), name, queue, ended)
	}}, nil
}

// relay writes events until the client or the host ends, or the stream is ended
// by name. The hello tells the client that its place is taken.
func relay(ctx context.Context, out *lines, name string, queue <-chan Event, ended <-chan struct{}) {
	if out.put(Event{Time: time.Now().UTC(), Kind: "hello", Stream: name}) != nil {
		return
	}
	for {
		select {
		case e := <-queue:
			if out.put(e) != nil {
				return
			}
		case <-ended:
			for len(queue) > 0 && out.put(<-queue) == nil {
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

type endEventsInput struct {
	Stream string `path:"stream" pattern:"^[A-Z2-7]{26}$" doc:"As the stream's hello has it"`
}

func (a *API) endEvents(_ context.Context, in *endEventsInput) (*struct{}, error) {
	if !a.followers.end(in.Stream) {
		return nil, huma.Error404NotFound("there is no stream of events with this name: it has ended")
	}
	return nil, nil
}

type logsInput struct {
	TenantPath
	Lines  int       `query:"lines" default:"100" minimum:"-1" maximum:"1000000000" doc:"How many of the last lines, -1 for all that are kept"`
	Since  time.Time `query:"since" doc:"No line that is older (RFC 3339)"`
	Follow bool      `query:"follow" doc:"Go on with what is written from now on"`
}

func (a *API) logs(ctx context.Context, in *logsInput) (*huma.StreamResponse, error) {
	if _, err := a.backend.Tenant(in.Tenant); err != nil {
		return nil, a.problem(ctx, err)
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		out := begin(h)
		if out.flush() != nil {
			return
		}
		// Who reads has left, or the tenant has gone: the end of the stream says it.
		q := LogQuery{Lines: in.Lines, Since: in.Since, Follow: in.Follow}
		_ = a.backend.Logs(h.Context(), in.Tenant, q, func(l LogLine) error { return out.put(l) })
	}}, nil
}
