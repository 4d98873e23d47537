package admin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHandler(t *testing.T) {
	var state error
	h := Handler(func() error { return state }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, 200, "counted") }))
	for _, c := range []struct {
		method, path string
		state        error
		status       int
		body         string
	}{
		{"GET", "/healthz", errors.New("draining"), 200, "ok\n"},
		{"GET", "/readyz", nil, 200, "ready\n"},
		{"GET", "/readyz", errors.New("draining"), 503, "draining\n"},
		{"HEAD", "/readyz", nil, 200, "ready\n"}, // net/http drops the body
		{"GET", "/metrics", nil, 200, "counted\n"},
		{"POST", "/metrics", nil, 405, "method not allowed\n"},
		{"POST", "/healthz", nil, 405, "method not allowed\n"},
		{"GET", "/", nil, 404, "not found\n"},
		{"GET", "/healthz/x", nil, 404, "not found\n"},
	} {
		state = c.state
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (c.status == 405) {
			t.Errorf("%s %s: Allow %q", c.method, c.path, allow)
		}
	}
}
