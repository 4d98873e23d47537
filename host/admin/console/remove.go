package console

import (
	"net/http"

	"github.com/wasgi/wasgi/host/admin/api"
)

// removePage says what goes with a tenant before it does.
type removePage struct {
	Tenant  api.Tenant
	Word    stateWord
	Size    string // of all its releases
	Problem string
}

// askToRemove changes nothing.
func (c *Console) askToRemove(v *visit) error { return c.showRemove(v, http.StatusOK, "") }

func (c *Console) showRemove(v *visit, status int, trouble string) error {
	t, err := c.Host.Tenant(v.tenant)
	if err != nil {
		return err
	}
	if t.Source == "folder" {
		return problem(http.StatusConflict, v.tenant+" is a folder below the host’s root: it goes when its folder does")
	}
	total := 0.0
	for _, r := range t.Releases {
		total += float64(r.Bytes)
	}
	v.render(status, "remove", "Remove "+v.tenant, removePage{Tenant: t, Word: wordOf(c.status(v.tenant)), Size: size(total), Problem: trouble})
	return nil
}

// remove takes a tenant away once its name was typed: nothing brings it back.
func (c *Console) remove(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	revision, err := v.revision()
	if err != nil {
		return err
	}
	if v.PostForm.Get("name") != v.tenant {
		v.audit(http.StatusUnprocessableEntity)
		return c.showRemove(v, http.StatusUnprocessableEntity, "The name that was typed is not "+v.tenant+". Nothing has changed.")
	}
	v.patient()
	if err := c.Host.Remove(v.Context(), v.tenant, v.PostForm.Get("data") == "remove", revision); err != nil {
		return v.failed(err)
	}
	v.audit(http.StatusSeeOther)
	http.Redirect(v.w, v.Request, Base+"?done=removed", http.StatusSeeOther)
	return nil
}
