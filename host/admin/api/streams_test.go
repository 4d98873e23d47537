package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// eventful is a host whose events a test tells.
type eventful struct {
	fakeHost
	tell chan func(Event)
}

func (e *eventful) Events(_ context.Context, f func(Event)) { e.tell <- f }

// TestStreamEnds: who ends a stream of events gets all that has happened before,
// however late it reads.
func TestStreamEnds(t *testing.T) {
	host := &eventful{tell: make(chan func(Event), 1)}
	var audit bytes.Buffer
	srv := httptest.NewServer(New(Config{Backend: host, Version: "1", Audit: &audit, Log: slog.New(slog.DiscardHandler)}).Handler(true))
	defer srv.Close()
	res := ask(t, http.MethodGet, srv.URL+"/v1/events?tenant=shop", 200)
	in := json.NewDecoder(res.Body)
	var hello Event
	if err := in.Decode(&hello); err != nil || hello.Kind != "hello" || len(hello.Stream) != 26 {
		t.Fatalf("%+v, %v", hello, err)
	}
	const events = 200 // fewer than a client may be behind
	tell := <-host.tell
	for i := range events {
		tell(Event{Time: time.Unix(1, 0).UTC(), Kind: "progress", Tenant: "shop", Text: strconv.Itoa(i)})
	}
	ask(t, http.MethodDelete, srv.URL+"/v1/events/"+hello.Stream, 204)
	tell(Event{Kind: "progress", Tenant: "shop", Text: "too late"})
	for i := range events {
		var e Event
		if err := in.Decode(&e); err != nil || e.Text != strconv.Itoa(i) {
			t.Fatalf("event %d is %+v, %v", i, e, err)
		}
	}
	var late []Event
	for {
		var e Event
		if err := in.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		late = append(late, e)
	}
	if len(late) > 1 {
		t.Errorf("after the end: %+v", late)
	}
	ask(t, http.MethodDelete, srv.URL+"/v1/events/"+hello.Stream, 404)
	ask(t, http.MethodDelete, srv.URL+"/v1/events/short", 422)
	if audit.Len() > 0 {
		t.Errorf("the audit log has %s", audit.String())
	}
}

// ask makes a request whose answer the test reads or leaves.
func ask(t *testing.T, method, url string, status int) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != status {
		text, _ := io.ReadAll(res.Body)
		t.Fatalf("%s %s: %d %s, want %d", method, url, res.StatusCode, text, status)
	}
	return res
}
