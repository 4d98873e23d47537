package api

import (
	"net/http"
	"time"
)

// What a handler beside the API needs, so that the same rules hold for both: the
// web console is one.

// AnswersTo says whether a Host field names the host of the API.
func (a *API) AnswersTo(host string) bool { return a.answersTo(host) }

// Note writes an entry into the audit log, of a request that somebody has made
// elsewhere.
func (a *API) Note(caller string, r *http.Request, status int, start time.Time) {
	a.audit.write(entry{
		Time: start, Caller: caller, Remote: r.RemoteAddr, Method: r.Method, Path: r.URL.Path,
		Status: status, Millis: time.Since(start).Milliseconds(),
	})
}

// Sees says whether the caller may read of a tenant.
func (c Caller) Sees(tenant string) bool { return c.may(rightLook, tenant) }

// Changes says whether the caller may change a tenant.
func (c Caller) Changes(tenant string) bool { return c.may(rightChange, tenant) }

// SeesHost says whether the caller may read of the whole host.
func (c Caller) SeesHost() bool { return c.may(rightSee, "") }

// ChangesHost says whether the caller may change the whole host.
func (c Caller) ChangesHost() bool { return c.may(rightHost, "") }

// Scope says in words what the caller may.
func (c Caller) Scope() string { return c.scope() }
