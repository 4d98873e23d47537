package console

import (
	"net/http"
	"net/url"
)

// policy lets a page load the console's own files and nothing else, and run no
// script or style that is in the page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard is before everything else.
func (c *Console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with less a browser sends Origin: null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !c.AnswersTo(r.Host):
			c.refuse(w, r, http.StatusMisdirectedRequest, "The console does not answer to this name. Add it to api_hosts.")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !ownPage(r):
			c.refuse(w, r, http.StatusForbidden, "This form was not sent from a page of the console.")
		case !fetchable(r):
			c.refuse(w, r, http.StatusForbidden, "Pages of other sites cannot load the console.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// ownPage says whether a browser vouches that a form is of this origin. Browsers
// send Origin with every POST.
func ownPage(r *http.Request) bool {
	origin, err := url.Parse(r.Header.Get("Origin"))
	site := r.Header.Get("Sec-Fetch-Site")
	return err == nil && origin.Host == r.Host && (origin.Scheme == "http" || origin.Scheme == "https") && (site == "" || site == "same-origin")
}

// fetchable says whether a page may be loaded from where it is asked for: links
// may lead to the console, pages of others can embed nothing of it. A page of
// another port of this machine is another site as well, though its cookies are the
// same.
func fetchable(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// refuse answers with a plain word and tells the audit log.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	c.Audit("nobody", r, status, c.Now())
	http.Error(w, text, status)
}
