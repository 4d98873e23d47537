package console

import (
	"net/http"
	"strings"
	"time"
)

// doer makes a change at a revision and says what has been done, a key of done.
type doer func(v *visit, revision uint64) (string, error)

// done is what a page says after a change. The word comes from the address, so
// that only these texts can be shown.
func done(word string) string {
	return map[string]string{
		"release": "The release serves now.", "stop": "The tenant is stopped.", "start": "The tenant is started.",
		"removed": "The tenant is removed.", "revoked": "The token is revoked.",
		"env": "The environment has changed.", "secrets": "The secrets have changed.",
	}[word]
}

// changed reads a form, makes a change and leads back to the tenant's page.
func (c *Console) changed(do doer) page {
	return func(v *visit) error {
		if err := v.read(); err != nil {
			return err
		}
		revision, err := v.revision()
		if err != nil {
			return err
		}
		v.patient()
		word, err := do(v, revision)
		if err != nil {
			return v.failed(err)
		}
		v.audit(http.StatusSeeOther)
		http.Redirect(v.w, v.Request, Base+"tenants/"+v.tenant+"?done="+word, http.StatusSeeOther)
		return nil
	}
}

// failed shows the tenant as it is, with what went wrong.
func (v *visit) failed(err error) error {
	status, text := v.console.explain(err)
	v.audit(status)
	return v.console.showTenant(v, status, sentence(text))
}

// patient lifts the times that the listener gives a request: a tenant may take long
// to start. The form has been read by now.
func (v *visit) patient() {
	control := http.NewResponseController(v.w)
	// A test's recorder has neither.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
}

func (c *Console) rollback(v *visit, at uint64) (string, error) {
	_, err := c.Host.Rollback(v.Context(), v.tenant, v.PostForm.Get("release"), at)
	return "release", err
}

func (c *Console) stop(v *visit, at uint64) (string, error) {
	_, err := c.Host.Stop(v.Context(), v.tenant, at)
	return "stop", err
}

func (c *Console) start(v *visit, at uint64) (string, error) {
	_, err := c.Host.Start(v.Context(), v.tenant, at)
	return "start", err
}

func (c *Console) setEnv(v *visit, at uint64) (string, error) {
	set, unset, err := variable(v)
	if err == nil {
		_, err = c.Host.SetEnv(v.Context(), v.tenant, set, unset, at)
	}
	return "env", err
}

func (c *Console) setSecret(v *visit, at uint64) (string, error) {
	set, unset, err := variable(v)
	if err == nil {
		_, err = c.Host.SetSecrets(v.Context(), v.tenant, set, unset, at)
	}
	return "secrets", err
}

// variable is what a form sets or removes. Browsers send line breaks as CR LF.
func variable(v *visit) (set map[string]string, unset []string, err error) {
	name := strings.TrimSpace(v.PostForm.Get("name"))
	switch {
	case name == "":
		return nil, nil, problem(http.StatusUnprocessableEntity, "a variable needs a name")
	case v.PostForm.Get("do") == "unset":
		return nil, []string{name}, nil
	}
	return map[string]string{name: strings.ReplaceAll(v.PostForm.Get("value"), "\r\n", "\n")}, nil, nil
}
