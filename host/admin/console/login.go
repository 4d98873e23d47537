package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/wasgi/wasgi/host/admin/api"
)

// Names of cookies. Browsers take __Host- only with Secure, from the host itself,
// for all paths.
const (
	sessionCookie       = "wasgi_console"
	secureSessionCookie = "__Host-wasgi_console"
	loginCookie         = "wasgi_console_login"
)

// Cookies are the names of all cookies of the console. No application may see one:
// browsers send them to every port of a host.
func Cookies() []string { return []string{sessionCookie, secureSessionCookie, loginCookie} }

// cookieName is that of the session's cookie.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return secureSessionCookie
	}
	return sessionCookie
}

// putCookie sets a cookie, for seconds; below 0 removes it.
func putCookie(w http.ResponseWriter, r *http.Request, name, value string, seconds int) {
	path := Base
	if r.TLS != nil && name == secureSessionCookie {
		path = "/"
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: seconds,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}

// cookieOf is the value of a cookie, "" for none. Of several with one name, which
// somebody else must have set, none counts.
func cookieOf(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// loginForms ties a form of the login to the browser that it was sent to, without
// anything being kept: whoever has no session costs nothing.
type loginForms struct{ key []byte }

func newLoginForms() loginForms { return loginForms{[]byte(random())} }

func (l loginForms) secret(cookie string) string {
	sum := hmac.New(sha256.New, l.key)
	_, _ = sum.Write([]byte(cookie)) // never fails
	return hex.EncodeToString(sum.Sum(nil))
}

// loginPage is what the page shows.
type loginPage struct {
	Form    string // secret of the form
	Problem string
	Then    string // where to go after it
}

func (c *Console) showLogin(w http.ResponseWriter, r *http.Request) {
	c.askForToken(w, r, http.StatusOK, "")
}

func (c *Console) askForToken(w http.ResponseWriter, r *http.Request, status int, problem string) {
	cookie := cookieOf(r, loginCookie)
	if cookie == "" {
		cookie = random()
		putCookie(w, r, loginCookie, cookie, 3600)
	}
	c.render(w, status, "login", frame{Title: "Log in"}, loginPage{Form: c.logins.secret(cookie), Problem: problem, Then: ownPath(r.FormValue("then"))})
}

// ownPath is a path of the console, or its first page.
func ownPath(path string) string {
	if !strings.HasPrefix(path, Base) || strings.ContainsAny(path, "\\\r\n") || strings.Contains(path, "//") || strings.Contains(path, "..") {
		return Base
	}
	return path
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	start := c.Now()
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	cookie := cookieOf(r, loginCookie)
	if err := r.ParseForm(); err != nil || cookie == "" || !same(r.PostForm.Get(formKey), c.logins.secret(cookie)) {
		c.Audit("nobody", r, http.StatusForbidden, start)
		c.askForToken(w, r, http.StatusForbidden, "The form was too old. Try again.")
		return
	}
	token := strings.TrimSpace(r.PostForm.Get("token"))
	caller, err := c.Host.Authenticate(r.Context(), token)
	if err != nil {
		status, text := c.explain(err)
		c.Audit("nobody", r, status, start)
		c.askForToken(w, r, status, text)
		return
	}
	c.sessions.finish(cookieOf(r, cookieName(r)))
	putCookie(w, r, cookieName(r), c.sessions.begin(token, caller.Name), int(sessionMost.Seconds()))
	putCookie(w, r, loginCookie, "", -1)
	c.Audit(caller.Name, r, http.StatusSeeOther, start)
	http.Redirect(w, r, ownPath(r.PostForm.Get("then")), http.StatusSeeOther)
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	start := c.Now()
	cookie := cookieOf(r, cookieName(r))
	s := c.sessions.find(cookie, true)
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil || s != nil && !same(r.PostForm.Get(formKey), s.form) {
		c.refuse(w, r, http.StatusForbidden, "This form was not sent from a page of this session.")
		return
	}
	if s != nil {
		c.sessions.finish(cookie)
		c.Audit(s.name, r, http.StatusSeeOther, start)
	}
	putCookie(w, r, cookieName(r), "", -1)
	http.Redirect(w, r, Base+"login", http.StatusSeeOther)
}

// explain is what an error says to its reader, with a status. What is no
// api.Problem is the host's own and stays in its log.
func (c *Console) explain(err error) (int, string) {
	var p *api.Problem
	if errors.As(err, &p) {
		return p.Status, p.Error()
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return http.StatusRequestEntityTooLarge, "the form is too large"
	}
	c.Log.Error("a request to the console failed", "error", err)
	return http.StatusInternalServerError, "the host failed; its log says why"
}
