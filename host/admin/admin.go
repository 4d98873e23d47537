// Package admin answers probes on a listener of its own, so that clients never
// reach them and a busy application never starves them.
//
//	GET /healthz   200 as long as the process can answer
//	GET /readyz    200 when it should get traffic, otherwise 503 and the reason
//	GET /metrics   what is counted, for Prometheus, unless that is off
//
// Everything else is 404 or 405. Only /metrics tells names of tenants and the
// version.
package admin

import (
	"io"
	"net/http"
)

// Handler answers probes. ready is called for each one and must return at once;
// its error is the reason why the host should get no traffic. metrics answers
// /metrics; nil is 404.
func Handler(ready func() error, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		say(w, http.StatusOK, "ready")
	})
	if metrics != nil {
		mux.Handle("/metrics", metrics)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, "not found") })
	return onlyReads(mux)
}

func onlyReads(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			say(w, http.StatusMethodNotAllowed, "method not allowed")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func say(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// An error here is the prober's connection; there is nobody to tell.
	_, _ = io.WriteString(w, text+"\n")
}
