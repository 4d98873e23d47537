package api

import (
	"errors"
	"net/http"
	"strings"
)

// authenticate finds out who asks. Whoever may open the Unix socket is the host's
// owner; a token narrows that.
func (a *API) authenticate(next http.Handler, local bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, shown := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		c := Caller{Name: "local"}
		switch {
		case shown:
			var err error
			if c, err = a.backend.Authenticate(r.Context(), strings.TrimSpace(token)); err != nil {
				a.unknown(w, r, err)
				return
			}
		case !local || r.Header.Get("Authorization") != "":
			a.unknown(w, r, &Problem{http.StatusUnauthorized, errors.New("show a token: Authorization: Bearer …, as `wasgi token create` gives it")})
			return
		}
		next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
	})
}

func (a *API) unknown(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusInternalServerError, "the host failed; its log says why"
	var p *Problem
	if errors.As(err, &p) {
		status, text = p.Status, p.Error()
		w.Header().Set("WWW-Authenticate", `Bearer realm="wasgi"`)
	} else {
		a.log.Error("a token could not be looked up", "error", err)
	}
	a.audit.write(entry{Remote: r.RemoteAddr, Caller: "nobody", Method: r.Method, Path: r.URL.Path, Status: status})
	writeProblem(a.log, w, status, text)
}
