package console

import (
	"slices"
	"strings"
	"testing"
)

func TestRemove(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	c := member(t, s, shopToken)
	c.get("/console/tenants/shop").has(`href="/console/tenants/shop/remove"`)
	c.get("/console/tenants/shop/remove").is(200).has("4 releases, 13.2 MiB", "3 variables of the environment:", "<code>CACHE_URL</code>", "2 secrets:", "<code>STRIPE_KEY</code>", "<code>/data</code>").
		lacks("shop.settings.production", "<script>alert")
	c.post("/console/tenants/shop/remove", "revision", "7", "name", "shop", "form", "0").is(403)
	c.post("/console/tenants/shop/remove", "revision", "7").is(422).has("The name that was typed is not shop. Nothing has changed.")
	c.post("/console/tenants/shop/remove", "revision", "7", "name", "wiki").is(422)
	c.post("/console/tenants/shop/remove", "name", "shop").is(400)
	c.post("/console/tenants/wiki/remove", "revision", "7", "name", "wiki").is(404)
	none(t, f)
	c.post("/console/tenants/shop/remove", "revision", "6", "name", "shop").is(412).has("somebody else has changed it")
	f.called()
	f.audited()
	c.post("/console/tenants/shop/remove", "revision", "7", "name", "shop").is(303).leads("/console/?done=removed")
	if got := f.called(); !slices.Equal(got, []string{"remove (data false) shop at 7"}) {
		t.Errorf("%q", got)
	}
	if got := f.audited(); !slices.Equal(got, []string{"token 2a1b2c3d4e5f POST /console/tenants/shop/remove 303"}) {
		t.Errorf("%q", got)
	}
	c.get("/console/tenants/shop/remove").is(404)

	all := member(t, s, hostToken)
	all.get("/console/tenants/wiki").lacks("/remove\"") // a folder
	all.get("/console/tenants/wiki/remove").is(409).has("it goes when its folder does")
	member(t, s, readToken).get("/console/tenants/billing/remove").is(403)
	none(t, f)
}

// Only who may change the whole host sees or changes tokens.
func TestTokens(t *testing.T) {
	f := newFake()
	s := serving(t, f)
	for _, token := range []string{readToken, shopToken, shopReader} {
		c := member(t, s, token)
		c.get("/console/").lacks("/console/tokens")
		c.get("/console/tokens").is(403).lacks("1a1b2c3d4e5f</code>")
		c.post("/console/tokens", "life", "ever", "rights", "all").is(403)
		c.post("/console/tokens/0a1b2c3d4e5f/remove").is(403)
	}
	c := member(t, s, hostToken)
	c.get("/console/tokens").is(200).has("the whole host", "the dashboard on the wall", "shop, to read only", "this session", "over", "&lt;script&gt;").lacks("<script>alert", "\x1b", "wasgi_")
	for _, secret := range []string{"", strings.Repeat("0", 64)} {
		c.post("/console/tokens", "life", "ever", "form", secret).is(403)
		c.post("/console/tokens/1a1b2c3d4e5f/remove", "form", secret).is(403)
	}
	c.get("/console/tokens")
	c.post("/console/tokens", "life", "ever", "tenant", "No").is(422).has("small letters", `value="No"`)
	c.post("/console/tokens", "life", "2y").is(422).has("Choose how long")
	c.post("/console/tokens", "life", "30d", "note", strings.Repeat("é", maxNote+1)).is(422).has("200 letters at most")
	c.post("/console/tokens/..%2f..%2fx/remove").is(404)
	none(t, f)
	c.post("/console/tokens/ffffffffffff/remove").is(404).has("There is no such token.")
	f.called()
	f.audited()

	c.post("/console/tokens", "life", "30d", "tenant", " shop ", "note", evil).is(201).has("wasgi_000000000ac0_k3yM", "shop, to read only").lacks("<script>alert")
	c.post("/console/tokens", "life", "ever", "rights", "all", "note", strings.Repeat("é", maxNote)).is(201).has("wasgi_000000000ac1_k3yM")
	c.get("/console/tokens").is(200).lacks("k3yM")
	c.post("/console/tokens/000000000ac1/remove").is(303).leads("/console/tokens?done=revoked")
	c.post("/console/tokens/0a1b2c3d4e5f/remove").is(303)
	c.get("/console/tokens?done=revoked").is(303) // its own token is gone
	want := []string{`token "<script>alert(1)</script>\"'&\x1b[31mred\u202eevil" "shop" true 2026-12-25T19:42:30Z`,
		`token "` + strings.Repeat("é", maxNote) + `" "" false 0001-01-01T00:00:00Z`, "revoke 000000000ac1", "revoke 0a1b2c3d4e5f"}
	if got := f.called(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	who := "token 0a1b2c3d4e5f POST /console/tokens"
	if got := f.audited(); !slices.Equal(got, []string{who + " 201", who + " 201", who + "/000000000ac1/remove 303", who + "/0a1b2c3d4e5f/remove 303"}) {
		t.Errorf("%q", got)
	}
}
