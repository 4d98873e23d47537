package console

import (
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// tokenForm is what a form asks for.
type tokenForm struct {
	Tenant, Note string
	ReadOnly     bool
	life         string
}

// day is what the lives of tokens are counted in.
const day = 24 * time.Hour

// life is how long a token may count.
type life struct {
	Name, Text string
	Chosen     bool
	lasts      time.Duration // 0 for ever
}

// lives are all that a form offers. The one that was asked for is chosen.
func lives(asked string) []life {
	all := []life{{"30d", "30 days", false, 30 * day}, {"90d", "90 days", false, 90 * day}, {"1y", "a year", false, 365 * day}, {"ever", "for ever", false, 0}}
	chosen := 1
	for i, l := range all {
		if l.Name == asked {
			chosen = i
		}
	}
	all[chosen].Chosen = true
	return all
}

// maxNote is what a note may have in letters, as in the API.
const maxNote = 200

// check says what is wrong with a form, as the API does, and when its token ends.
func (f tokenForm) check(now time.Time) (expires time.Time, err error) {
	switch {
	case f.Tenant != "" && !validName(f.Tenant):
		return expires, problem(http.StatusUnprocessableEntity, "a tenant’s name has small letters, digits, . _ and -, begins with a letter or a digit, and has 63 at most")
	case utf8.RuneCountInString(f.Note) > maxNote || !utf8.ValidString(f.Note):
		return expires, problem(http.StatusUnprocessableEntity, "a note has 200 letters at most")
	}
	for _, l := range lives("") {
		if l.Name == f.life && l.lasts == 0 {
			return time.Time{}, nil
		}
		if l.Name == f.life {
			return now.UTC().Add(l.lasts), nil
		}
	}
	return expires, problem(http.StatusUnprocessableEntity, "choose how long the token counts")
}

// createToken makes a token. The answer to the form itself shows it, once: neither
// the session nor an address keeps it.
func (c *Console) createToken(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	f := tokenForm{Tenant: strings.TrimSpace(v.PostForm.Get("tenant")), Note: strings.TrimSpace(v.PostForm.Get("note")),
		ReadOnly: v.PostForm.Get("rights") != "all", life: v.PostForm.Get("life")}
	expires, err := f.check(c.Now())
	if err != nil {
		return c.refuseToken(v, f, err)
	}
	made, err := c.Host.CreateToken(v.Context(), f.Note, f.Tenant, f.ReadOnly, expires)
	if err != nil {
		return c.refuseToken(v, f, err)
	}
	v.audit(http.StatusCreated)
	return c.showTokens(v, http.StatusCreated, tokensPage{Made: &made})
}

func (c *Console) refuseToken(v *visit, f tokenForm, err error) error {
	status, text := c.explain(err)
	v.audit(status)
	return c.showTokens(v, status, tokensPage{Asked: f, Problem: sentence(text)})
}
