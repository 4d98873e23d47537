package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

// right is what a page asks of who wants it.
type right int

const (
	look       right = iota // to read of the path's tenant, or of what the caller may see
	change                  // to change the path's tenant
	changeHost              // to change a tenant that the form names
	wholeHost               // to change the whole host
)

// visit is a request of somebody who has logged in.
type visit struct {
	*http.Request
	console *Console
	w       http.ResponseWriter
	session *session
	caller  api.Caller
	tenant  string // of the path, "" for none
	start   time.Time
}

// page answers a visit, or fails.
type page func(v *visit) error

// member finds out who asks, and whether they may.
func (c *Console) member(needs right, f page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, console: c, w: w, tenant: r.PathValue("tenant"), start: c.Now()}
		known, err := v.identify()
		if err == nil && !known {
			v.sendToLogin()
			return
		}
		if err == nil {
			err = v.allowed(needs)
		}
		if err == nil {
			err = f(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// identify finds the session, whose token must still count.
func (v *visit) identify() (known bool, err error) {
	cookie := cookieOf(v.Request, cookieName(v.Request))
	s := v.console.sessions.find(cookie, v.Header.Get("Wasgi-Refresh") == "")
	if s == nil {
		return false, nil
	}
	caller, err := v.console.Host.Authenticate(v.Context(), s.token)
	var p *api.Problem
	switch {
	case errors.As(err, &p):
		v.console.sessions.finish(cookie)
		return false, nil
	case err != nil: // the host cannot tell at the moment
		v.session = &session{}
		return false, err
	}
	v.session, v.caller = s, caller
	return true, nil
}

// sendToLogin keeps where a reader wanted to go; what a form has sent is lost.
func (v *visit) sendToLogin() {
	to := Base + "login"
	if v.Method == http.MethodGet && v.URL.Path != Base {
		to += "?then=" + url.QueryEscape(v.URL.RequestURI())
	}
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
}

// allowed says no with a problem. A tenant that the caller may not see is not
// there.
func (v *visit) allowed(needs right) error {
	switch {
	case v.tenant != "" && !(validName(v.tenant) && v.caller.Sees(v.tenant)):
		return problem(http.StatusNotFound, "there is no such tenant, or this token is not for it")
	case needs == change && !v.caller.Changes(v.tenant):
		return problem(http.StatusForbidden, "this token does not allow that: it is for "+v.caller.Scope())
	case needs == changeHost && v.caller.ReadOnly, needs == wholeHost && !v.caller.ChangesHost():
		return problem(http.StatusForbidden, "this token does not allow that: it is for "+v.caller.Scope())
	}
	return nil
}

// validName says whether a tenant can have a name, as the API does: the backend is
// asked for no other.
func validName(name string) bool {
	return len(name) <= 63 && regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`).MatchString(name)
}

func problem(status int, text string) error {
	return &api.Problem{Status: status, Err: errors.New(text)}
}

// fail answers with an error.
func (v *visit) fail(err error) {
	status, text := v.console.explain(err)
	if v.Method != http.MethodGet || status == http.StatusForbidden {
		v.audit(status)
	}
	if status == http.StatusNotFound {
		v.tenant = "" // there is none of this name, for this reader
	}
	v.render(status, "problem", http.StatusText(status), sentence(text))
}

func (v *visit) audit(status int) { v.console.Audit(v.caller.Name, v.Request, status, v.start) }

// nothing is below Base without being a page.
func (c *Console) nothing(*visit) error {
	return problem(http.StatusNotFound, "there is no such page")
}
