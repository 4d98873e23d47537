package console

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"

	"github.com/wasgi/wasgi/host/admin/api"
)

// tokensPage lists who may use the API and the console.
type tokensPage struct {
	Tokens  []tokenLine
	Names   []string // of tenants, to choose from
	Lives   []life
	Asked   tokenForm // what a form that was refused had
	Made    *api.NewToken
	Problem string
	Done    string
}

// tokenLine is a token in the list.
type tokenLine struct {
	api.Token
	Made    moment
	Ends    *moment // nil for never
	Expired bool
	Own     bool // this session's
}

func (c *Console) tokens(v *visit) error {
	return c.showTokens(v, http.StatusOK, tokensPage{Done: done(v.URL.Query().Get("done"))})
}

// showTokens adds what there is now to what a page has to say.
func (c *Console) showTokens(v *visit, status int, p tokensPage) error {
	all, err := c.Host.Tokens(v.Context())
	if err != nil {
		return err
	}
	now := c.Now()
	for _, t := range all {
		l := tokenLine{Token: t, Made: momentOf(t.Created, now), Own: v.caller.Name == "token "+t.ID}
		if t.Expires != nil {
			m := momentOf(*t.Expires, now)
			l.Ends, l.Expired = &m, !now.Before(*t.Expires)
		}
		p.Tokens = append(p.Tokens, l)
	}
	slices.SortStableFunc(p.Tokens, func(a, b tokenLine) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	for _, t := range c.Host.Statuses() {
		p.Names = append(p.Names, t.Name)
	}
	p.Lives = lives(p.Asked.life)
	v.render(status, "tokens", "Tokens", p)
	return nil
}

// removeToken revokes one. Its sessions end with their next request.
func (c *Console) removeToken(v *visit) error {
	if err := v.read(); err != nil {
		return err
	}
	id := v.PathValue("id")
	err := problem(http.StatusNotFound, "there is no such token")
	if regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(id) {
		err = c.Host.RemoveToken(v.Context(), id)
	}
	if err != nil {
		status, text := c.explain(err)
		v.audit(status)
		return c.showTokens(v, status, tokensPage{Problem: sentence(text)})
	}
	v.audit(http.StatusSeeOther)
	http.Redirect(v.w, v.Request, Base+"tokens?done=revoked", http.StatusSeeOther)
	return nil
}
