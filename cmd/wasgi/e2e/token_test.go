package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// remote is a server whose API is on the network.
type remoteAPI struct {
	*operator
	url string
}

func (o *operator) remote() remoteAPI {
	o.Helper()
	match, _ := o.server.log.wait(o.T, regexp.MustCompile(`msg="the admin API listens" address=(\S+)`), 0)
	return remoteAPI{o, "http://" + match[1]}
}

// as runs a command with a token.
func (r remoteAPI) as(token string, args ...string) outcome {
	r.Helper()
	return r.world.run(r.T, program{args: args, env: []string{"WASGI_HOST=" + r.url, "WASGI_TOKEN=" + token}})
}

// TestTokens uses the API over the network, with each kind of token.
func TestTokens(t *testing.T) {
	t.Parallel()
	o := operated(t)
	// The first token is made on the socket; then the API moves to the network.
	token := func(args ...string) string {
		return strings.TrimSpace(o.wasgi(append([]string{"token", "create"}, args...)...).exited(0).stdout)
	}
	all := token("--note", "all")
	must(t, o.server.terminate(t))
	o.serve("--api-listen", "127.0.0.1:0")
	r := o.remote()
	r.as("", "ps").exited(1).complained("show a token")
	r.as("wasgi_000000000000_00", "ps").exited(1).complained("the token is unknown, wrong, or has expired")
	r.as(all, "deploy", o.app("one\n")).exited(0)
	r.as(all, "deploy", o.app("other\n"), "--tenant", "other").exited(0)
	o.browser("shop").get("/").status(200).text("one\n")

	make := func(args ...string) string {
		return strings.TrimSpace(r.as(all, append([]string{"token", "create"}, args...)...).exited(0).stdout)
	}
	shop, look := make("--tenant", "shop"), make("--read-only")
	r.as(shop, "deploy", o.app("two\n")).exited(0)
	r.as(shop, "tenants", "ls").exited(0).printed("shop")
	if out := r.as(shop, "tenants", "ls").stdout; strings.Contains(out, "other") {
		t.Errorf("a token of one tenant sees another: %s", out)
	}
	r.as(shop, "tenants", "show", "other").exited(1).complained("this token does not allow that: it is for the tenant shop")
	r.as(shop, "token", "ls").exited(1).complained("it is for the tenant shop")
	r.as(look, "releases", "shop").exited(0)
	r.as(look, "rollback", "shop").exited(1).complained("this token does not allow that: it is for the whole host, to read only")
	o.browser("shop").get("/").status(200).text("two\n")

	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte(shop+"\n"), 0o600))
	o.world.run(t, program{args: []string{"releases", "shop", "--host", r.url, "--token-file", file}}).exited(0)

	var list []struct{ ID, Tenant string }
	decode(t, r.as(all, "token", "ls", "--json").exited(0).stdout, &list)
	for _, one := range list {
		if one.Tenant == "shop" {
			r.as(all, "token", "rm", one.ID).exited(0).printed("token " + one.ID + " is removed\n")
		}
	}
	r.as(shop, "releases", "shop").exited(1).complained("the token is unknown")
	r.audited(all, shop, look)
	r.pages(all)
}

// audited looks at the audit log.
func (r remoteAPI) audited(tokens ...string) {
	r.Helper()
	text := read(r.T, filepath.Join(r.state, "audit.log"))
	seen := map[string]int{}
	for line := range strings.Lines(text) {
		var e struct {
			Caller, Method, Path string
			Status               int
		}
		decode(r.T, line, &e)
		seen[e.Method+" "+e.Path+" "+http.StatusText(e.Status)]++
	}
	for what, n := range map[string]int{
		"POST /v1/tenants/shop/deploy OK": 2, "POST /v1/tenants/shop/rollback Forbidden": 1, "POST /v1/tokens Created": 3, "GET /v1/tenants/other Forbidden": 1,
	} {
		if seen[what] != n {
			r.Errorf("%s is %d times in the audit log, want %d:\n%s", what, seen[what], n, text)
		}
	}
	for _, token := range tokens {
		if strings.Contains(text, token) {
			r.Error("a token is in the audit log")
		}
	}
	r.nowhere(tokens[0], r.state)
}

// pages are those of other sites, which a browser may be made to send from.
func (r remoteAPI) pages(token string) {
	r.Helper()
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"plain":   {func(*http.Request) {}, 200},
		"rebound": {func(q *http.Request) { q.Host = "evil.example" }, 421},
		"origin":  {func(q *http.Request) { q.Header.Set("Origin", "https://evil.example") }, 403},
	} {
		q, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.url+"/v1/openapi.json", nil)
		must(r.T, err)
		q.Header.Set("Authorization", "Bearer "+token)
		c.edit(q)
		res, err := http.DefaultClient.Do(q)
		must(r.T, err)
		var document struct{ OpenAPI string }
		err = json.NewDecoder(res.Body).Decode(&document)
		if res.StatusCode != c.want || err != nil || (document.OpenAPI == "3.1.0") != (c.want == 200) {
			r.Errorf("%s: %d, %v, %+v", name, res.StatusCode, err, document)
		}
		must(r.T, res.Body.Close())
	}
}
