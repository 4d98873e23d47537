package api

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// entry is a line of the audit log. It never has a body: there are secrets in
// some.
type entry struct {
	Time   time.Time `json:"time"`
	Caller string    `json:"caller"`
	Remote string    `json:"remote,omitempty"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Status int       `json:"status"`
	Millis int64     `json:"took_ms"`
}

// audit writes entries.
type audit struct {
	log *slog.Logger

	mu  sync.Mutex // held while a line is written
	out io.Writer  // nil for none
}

func (a *audit) write(e entry) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Time = e.Time.UTC()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.out == nil {
		return
	}
	if err := json.NewEncoder(a.out).Encode(e); err != nil {
		a.log.Error("the audit log cannot be written", "error", err, "caller", e.Caller, "method", e.Method, "path", e.Path, "status", e.Status)
	}
}

// audited writes an entry for each change that was asked for, and each refusal.
func (a *API) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(s, r)
		if refused := s.status == http.StatusForbidden; changes(r) || refused {
			a.audit.write(entry{
				Time: start, Caller: callerOf(r.Context()).Name, Remote: r.RemoteAddr, Method: r.Method, Path: r.URL.Path,
				Status: s.status, Millis: time.Since(start).Milliseconds(),
			})
		}
	})
}

// changes says whether a request is for a change: the end of a stream is none.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !strings.HasPrefix(r.URL.Path, "/v1/events/")
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
