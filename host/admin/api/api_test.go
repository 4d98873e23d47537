package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// fakeHost is a backend with the tenants shop and other.
type fakeHost struct {
	Backend
	called []string // what was asked for
	fail   error    // of changes
}

func (f *fakeHost) note(words ...string) { f.called = append(f.called, strings.Join(words, " ")) }

func (f *fakeHost) Info() Info { return Info{Version: "1", Root: "/srv", State: "serving"} }

func (f *fakeHost) Statuses() []Status {
	now := time.Unix(1, 0).UTC()
	return []Status{{Name: "shop", State: "serving", Source: "release", Isolation: "reuse", LastCall: &now}, {Name: "other", State: "failed", Source: "folder", Error: "no"}}
}

func (f *fakeHost) tenant(name string) Tenant {
	return Tenant{
		Name: name, Source: "release", Current: "aa", Revision: 7, Env: map[string]string{"A": "1"}, Secrets: []string{"KEY"},
		Releases: []Release{{Digest: "aa", Created: time.Unix(1, 0).UTC(), Files: 1, Bytes: 2, Current: true}},
	}
}

func (f *fakeHost) Tenants() []Tenant { return []Tenant{f.tenant("shop"), f.tenant("other")} }

func (f *fakeHost) Tenant(name string) (Tenant, error) {
	if name != "shop" && name != "other" {
		return Tenant{}, &Problem{http.StatusNotFound, errors.New("there is no such tenant")}
	}
	return f.tenant(name), nil
}

func (f *fakeHost) change(words ...string) (Tenant, error) {
	f.note(words...)
	return f.tenant(words[1]), f.fail
}

func at(n uint64) string { return etag(n) }

func (f *fakeHost) Deploy(_ context.Context, tenant, release string, n uint64) (Tenant, error) {
	return f.change("deploy", tenant, release, at(n))
}

func (f *fakeHost) Rollback(_ context.Context, tenant, release string, n uint64) (Tenant, error) {
	return f.change("rollback", tenant, release, at(n))
}
func (f *fakeHost) Stop(_ context.Context, tenant string, n uint64) (Tenant, error) {
	return f.change("stop", tenant, at(n))
}
func (f *fakeHost) Start(_ context.Context, tenant string, n uint64) (Tenant, error) {
	return f.change("start", tenant, at(n))
}

func (f *fakeHost) SetEnv(_ context.Context, tenant string, set map[string]string, unset []string, n uint64) (Tenant, error) {
	return f.change("env", tenant, set["A"], strings.Join(unset, ","), at(n))
}

func (f *fakeHost) SetSecrets(_ context.Context, tenant string, set map[string]string, unset []string, n uint64) (Tenant, error) {
	return f.change("secrets", tenant, set["KEY"], strings.Join(unset, ","), at(n))
}

func (f *fakeHost) Remove(_ context.Context, tenant string, data bool, n uint64) error {
	f.note("remove", tenant, map[bool]string{true: "data"}[data], at(n))
	return f.fail
}

func (f *fakeHost) Upload(_ context.Context, tenant string, body io.Reader, digest, by string) (Release, error) {
	text, err := io.ReadAll(body)
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != digest {
		return Release{}, &Problem{http.StatusBadRequest, errors.New("another digest")}
	}
	f.note("upload", tenant, string(text), by)
	return f.tenant(tenant).Releases[0], errors.Join(err, f.fail)
}

func (f *fakeHost) Events(_ context.Context, call func(Event)) {
	for _, name := range []string{"shop", "other"} {
		call(Event{Time: time.Unix(1, 0).UTC(), Kind: "progress", Tenant: name, Text: "booting"})
	}
}

func (f *fakeHost) Logs(_ context.Context, _ string, q LogQuery, call func(LogLine) error) error {
	f.note("logs", q.Since.Format(time.RFC3339))
	for range q.Lines {
		if err := call(LogLine{Time: time.Unix(1, 0).UTC(), Level: "INFO", Message: "line", Fields: map[string]string{"source": "stdout"}}); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeHost) Run(_ context.Context, tenant string, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	f.note(append([]string{"run", tenant}, args...)...)
	_, err := io.Copy(stdout, stdin)
	_, err2 := io.WriteString(stderr, "err")
	return 3, errors.Join(err, err2, f.fail)
}

func (f *fakeHost) Authenticate(_ context.Context, token string) (Caller, error) {
	callers := map[string]Caller{
		"host": {Name: "token host"}, "read": {Name: "token read", ReadOnly: true},
		"shop": {Name: "token shop", Tenant: "shop"}, "look": {Name: "token look", Tenant: "shop", ReadOnly: true},
	}
	c, found := callers[token]
	if !found {
		return c, &Problem{http.StatusUnauthorized, errors.New("the token is unknown")}
	}
	return c, nil
}

func (f *fakeHost) Jobs(string) ([]Job, error) {
	now := time.Unix(1, 0).UTC()
	return []Job{{What: "/x", Schedule: "@daily", Next: &now}, {What: "a b", Schedule: "* * * * *", Last: &now, Error: "no"}}, nil
}

func (f *fakeHost) RunJob(_ context.Context, tenant, what string) error {
	f.note("job", tenant, what)
	return f.fail
}

func (f *fakeHost) Backup(_ context.Context, w io.Writer, data, key bool) error {
	f.note("backup", map[bool]string{true: "data"}[data], map[bool]string{true: "key"}[key])
	_, err := io.WriteString(w, `"archive"`)
	return err
}

func (f *fakeHost) Tokens(context.Context) ([]Token, error) {
	return []Token{{ID: "0123456789ab", Note: "CI", Created: time.Unix(1, 0).UTC()}}, nil
}

func (f *fakeHost) CreateToken(_ context.Context, note, tenant string, readOnly bool, _ time.Time) (NewToken, error) {
	f.note("token", note, tenant)
	return NewToken{Token{ID: "0123456789ab", Note: note, Tenant: tenant, ReadOnly: readOnly, Created: time.Unix(1, 0).UTC()}, "wasgi_x"}, f.fail
}

func (f *fakeHost) RemoveToken(_ context.Context, id string) error {
	f.note("untoken", id)
	return f.fail
}

// tested is an API whose every exchange is compared with its document.
type tested struct {
	*testing.T
	api   *API
	host  *fakeHost
	audit bytes.Buffer
}

func newTested(t *testing.T) *tested {
	x := &tested{T: t, host: &fakeHost{}}
	x.api = New(Config{Backend: x.host, Version: "1", Hosts: []string{"apps.example"}, Audit: &x.audit, Log: slog.New(slog.DiscardHandler)})
	return x
}

// request is one, and what it should come to.
type request struct {
	method, path, body string
	header             map[string]string
	token              string // "" is the owner on the Unix socket
	status             int
	has                string // in the body
	called             string // what the host was asked for
}

func (x *tested) do(q request) *httptest.ResponseRecorder {
	x.Helper()
	r := httptest.NewRequest(q.method, q.path, strings.NewReader(q.body))
	r.Host = "localhost"
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	// A stream ends with its client.
	ctx, cancel := context.WithTimeout(x.Context(), 50*time.Millisecond)
	if !strings.HasPrefix(q.path, "/v1/events") {
		ctx, cancel = context.WithCancel(x.Context())
	}
	defer cancel()
	x.host.called = nil
	w := httptest.NewRecorder()
	x.api.Handler(q.token == "").ServeHTTP(w, r.WithContext(ctx))
	if w.Code != q.status || !strings.Contains(w.Body.String(), q.has) {
		x.Errorf("%s %s: %d %s, want %d %q", q.method, q.path, w.Code, w.Body, q.status, q.has)
	}
	if got := strings.Join(x.host.called, "; "); got != q.called {
		x.Errorf("%s %s: the host was asked for %q, want %q", q.method, q.path, got, q.called)
	}
	x.conforms(r, w)
	return w
}

// conforms compares an answer with what the document says of its operation.
func (x *tested) conforms(r *http.Request, w *httptest.ResponseRecorder) {
	x.Helper()
	op := x.operationOf(r)
	if op == nil {
		if w.Code < 400 {
			x.Errorf("%s %s is not in the document and was answered with %d", r.Method, r.URL, w.Code)
		}
		return
	}
	res := op.Responses[statusKey(w.Code)]
	if res == nil {
		x.Errorf("%s %s: the document has no answer %d", r.Method, r.URL.Path, w.Code)
		return
	}
	kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if len(res.Content) == 0 {
		if w.Body.Len() > 0 {
			x.Errorf("%s %s: %d has a body, the document has none", r.Method, r.URL.Path, w.Code)
		}
		return
	}
	media := res.Content[kind]
	if media == nil {
		x.Errorf("%s %s: the document has no %q for %d", r.Method, r.URL.Path, kind, w.Code)
		return
	}
	for line := range strings.Lines(w.Body.String()) {
		x.fits(media.Schema, line, r.Method+" "+r.URL.Path)
	}
}

func statusKey(code int) string { return strconv.Itoa(code) }

func (x *tested) fits(schema *huma.Schema, text, what string) {
	x.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		x.Errorf("%s: %v: %s", what, err, text)
		return
	}
	registry := x.api.Document().Components.Schemas
	result := &huma.ValidateResult{}
	huma.Validate(registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
	for _, err := range result.Errors {
		x.Errorf("%s: the answer is not what the document says: %v: %s", what, err, text)
	}
}

func (x *tested) operationOf(r *http.Request) *huma.Operation {
	for pattern, item := range x.api.Document().Paths {
		if !matches(pattern, r.URL.Path) {
			continue
		}
		return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PATCH": item.Patch, "DELETE": item.Delete}[r.Method]
	}
	return nil
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] && !strings.HasPrefix(p[i], "{") {
			return false
		}
	}
	return true
}

func digestOf(text string) map[string]string {
	sum := sha256.Sum256([]byte(text))
	return map[string]string{"Content-Digest": "sha-512=:x:, " + ContentDigest(sum[:]), "Content-Type": "application/octet-stream"}
}

func TestOperations(t *testing.T) {
	x := newTested(t)
	tag := map[string]string{"If-Match": `"7"`}
	for _, q := range []request{
		{method: "GET", path: "/v1/info", status: 200, has: `"version":"1"`},
		{method: "GET", path: "/v1/status", status: 200, has: `"name":"other"`},
		{method: "GET", path: "/v1/tenants", status: 200, has: `"secrets":["KEY"]`},
		{method: "GET", path: "/v1/tenants/shop", status: 200, has: `"revision":7`},
		{method: "GET", path: "/v1/tenants/none", status: 404, has: "there is no such tenant"},
		{method: "GET", path: "/v1/tenants/shop", header: map[string]string{"If-None-Match": `"7"`}, status: 304},
		{method: "GET", path: "/v1/tenants/shop", header: map[string]string{"If-None-Match": `"6"`}, status: 200},
		{method: "GET", path: "/v1/tenants/shop?x=1", status: 422, has: "unknown"},
		{method: "GET", path: "/v1/tenants/No%20Name", status: 422},
		{method: "DELETE", path: "/v1/tenants/shop", status: 204, called: `remove shop  "0"`},
		{method: "DELETE", path: "/v1/tenants/shop?data=true", header: tag, status: 204, called: `remove shop data "7"`},
		{method: "POST", path: "/v1/tenants/shop/stop", header: tag, status: 200, called: `stop shop "7"`},
		{method: "POST", path: "/v1/tenants/shop/start", header: map[string]string{"If-Match": "*"}, status: 200, called: `start shop "0"`},
		{method: "POST", path: "/v1/tenants/shop/stop", header: map[string]string{"If-Match": `W/"7"`}, status: 412, has: "never had"},
		{method: "POST", path: "/v1/tenants/shop/stop", header: map[string]string{"If-Match": `7`}, status: 412},
		{method: "GET", path: "/v1/tenants/shop/releases", status: 200, has: `"digest":"aa"`},
		{method: "POST", path: "/v1/tenants/shop/releases", header: digestOf("bytes"), body: "bytes", status: 201, called: "upload shop bytes local"},
		{method: "POST", path: "/v1/tenants/shop/releases", header: digestOf("other"), body: "bytes", status: 400, has: "another digest"},
		{method: "POST", path: "/v1/tenants/shop/releases", header: map[string]string{"Content-Digest": "sha-256=:eA==:"}, body: "x", status: 400, has: "Content-Digest must say"},
		{method: "POST", path: "/v1/tenants/shop/releases", body: "x", status: 422, has: "Content-Digest"},
		{method: "POST", path: "/v1/tenants/shop/deploy", body: `{"release":"aabb"}`, status: 200, called: `deploy shop aabb "0"`},
		{method: "POST", path: "/v1/tenants/shop/deploy", body: `{"release":"../x"}`, status: 422, has: "pattern"},
		{method: "POST", path: "/v1/tenants/shop/deploy", body: `{"release":"aabb","more":1}`, status: 422, has: "unexpected property"},
		{method: "POST", path: "/v1/tenants/shop/deploy", body: `{`, status: 400},
		{method: "POST", path: "/v1/tenants/shop/deploy", header: map[string]string{"Content-Type": "text/plain"}, body: `{"release":"aabb"}`, status: 415},
		{method: "POST", path: "/v1/tenants/shop/rollback", body: `{}`, status: 200, called: `rollback shop  "0"`},
		{method: "PATCH", path: "/v1/tenants/shop/env", header: tag, body: `{"set":{"A":"1"},"unset":["B","C"]}`, status: 200, called: `env shop 1 B,C "7"`},
		{method: "PATCH", path: "/v1/tenants/shop/secrets", body: `{"set":{"KEY":"v"}}`, status: 200, called: `secrets shop v  "0"`},
		{method: "PATCH", path: "/v1/tenants/shop/secrets", body: `{"set":{"KEY":"` + strings.Repeat("x", 1<<20) + `"}}`, status: 413},
		{method: "GET", path: "/v1/events?tenant=shop", status: 200, has: `"text":"booting"`},
		{method: "GET", path: "/v1/tenants/shop/logs?lines=2&since=2026-01-02T03:04:05Z", status: 200, has: `"message":"line"`, called: "logs 2026-01-02T03:04:05Z"},
		{method: "GET", path: "/v1/tenants/none/logs", status: 404},
		{method: "GET", path: "/v1/tenants/shop/logs?lines=9999999999", status: 422},
		{method: "POST", path: "/v1/tenants/shop/run?arg=-c&arg=x", header: map[string]string{"Content-Type": "application/octet-stream"}, body: "in", status: 200, has: `"exit":3`, called: "run shop -c x"},
		{method: "POST", path: "/v1/tenants/shop/run", status: 422},
		{method: "GET", path: "/v1/tokens", status: 200, has: `"note":"CI"`},
		{method: "POST", path: "/v1/tokens", body: `{"note":"n","tenant":"shop"}`, status: 201, has: `"secret":"wasgi_x"`, called: "token n shop"},
		{method: "DELETE", path: "/v1/tokens/0123456789ab", status: 204, called: "untoken 0123456789ab"},
		{method: "DELETE", path: "/v1/tokens/x", status: 422},
		{method: "GET", path: "/v1/backup", status: 200, has: "archive", called: "backup data "},
		{method: "GET", path: "/v1/backup?data=false&key=true", status: 200, has: "archive", called: "backup  key"},
		{method: "GET", path: "/v1/backup", token: "read", status: 403},
		{method: "GET", path: "/v1/tenants/shop/jobs", status: 200, has: `"what":"a b"`},
		{method: "POST", path: "/v1/tenants/shop/jobs", body: `{"what":"a b"}`, status: 204, called: "job shop a b"},
		{method: "GET", path: "/v1/nothing", status: 404},
		{method: "PUT", path: "/v1/tenants/shop", status: 405},
	} {
		x.do(q)
	}
}

// TestFailures: errors are what the document says, and those of the host are not
// told.
func TestFailures(t *testing.T) {
	x := newTested(t)
	change := request{method: "POST", path: "/v1/tenants/shop/stop", called: `stop shop "0"`}
	for _, status := range changeErrors() {
		x.host.fail = &Problem{status, errors.New("the reason")}
		change.status, change.has = status, "the reason"
		x.do(change)
	}
	x.host.fail = errors.New("open /secret/path")
	change.status, change.has = 500, "the host failed; its log says why"
	if w := x.do(change); strings.Contains(w.Body.String(), "/secret") {
		t.Error(w.Body)
	}
}

// TestRights compares what each kind of token may do.
func TestRights(t *testing.T) {
	stop, deploy := "/v1/tenants/shop/stop", "/v1/tenants/other/stop"
	x := newTested(t)
	for token, want := range map[string][]int{
		//        tenants, shop, other, stop shop, stop other, tokens, new token
		"host":  {200, 200, 200, 200, 200, 200, 201},
		"read":  {200, 200, 200, 403, 403, 403, 403},
		"shop":  {200, 200, 403, 200, 403, 403, 403},
		"look":  {200, 200, 403, 403, 403, 403, 403},
		"wrong": {401, 401, 401, 401, 401, 401, 401},
	} {
		for i, q := range []request{
			{method: "GET", path: "/v1/tenants"}, {method: "GET", path: "/v1/tenants/shop"}, {method: "GET", path: "/v1/tenants/other"},
			{method: "POST", path: stop, called: `stop shop "0"`}, {method: "POST", path: deploy, called: `stop other "0"`},
			{method: "GET", path: "/v1/tokens"}, {method: "POST", path: "/v1/tokens", body: `{}`, called: "token  "},
		} {
			if q.token, q.status = token, want[i]; q.status > 299 {
				q.called = ""
			}
			x.do(q)
		}
	}
	for token, other := range map[string]bool{"host": true, "read": true, "shop": false, "look": false} {
		for _, path := range []string{"/v1/tenants", "/v1/status", "/v1/events"} {
			w := x.do(request{method: "GET", path: path, token: token, status: 200, has: "shop"})
			if strings.Contains(w.Body.String(), "other") != other {
				t.Errorf("%s of %s: %s", path, token, w.Body)
			}
		}
	}
}

// TestWhoAsks: without a token only the Unix socket's owner gets in, and with one
// it has what the token has.
func TestWhoAsks(t *testing.T) {
	x := newTested(t)
	get := func(local bool, authorization string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/v1/tokens", nil)
		r.Host = "localhost"
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		x.api.Handler(local).ServeHTTP(w, r)
		return w
	}
	for _, c := range []struct {
		local         bool
		authorization string
		want          int
	}{
		{true, "", 200}, {false, "", 401}, {true, "Bearer wrong", 401}, {true, "Bearer read", 403}, {false, "Bearer host", 200},
		{true, "Basic aG9zdDpob3N0", 401}, {false, "bearer host", 401},
	} {
		w := get(c.local, c.authorization)
		if w.Code != c.want || (w.Header().Get("WWW-Authenticate") != "") != (c.want == 401) {
			t.Errorf("%+v: %d, %v", c, w.Code, w.Header())
		}
	}
}

// TestPagesOfOtherSites: a browser cannot be made to use the API.
func TestPagesOfOtherSites(t *testing.T) {
	x := newTested(t)
	for _, c := range []struct {
		header map[string]string
		want   int
	}{
		{nil, 200},
		{map[string]string{"Host": "apps.example:8001"}, 200}, {map[string]string{"Host": "APPS.example"}, 200},
		{map[string]string{"Host": "127.0.0.1:8001"}, 200}, {map[string]string{"Host": "[::1]:8001"}, 200},
		{map[string]string{"Host": "evil.example"}, 421}, {map[string]string{"Host": "localhost.evil.example"}, 421}, {map[string]string{"Host": ""}, 421},
		{map[string]string{"Origin": "http://localhost"}, 200}, {map[string]string{"Origin": "https://evil.example"}, 403},
		{map[string]string{"Origin": "null"}, 403}, {map[string]string{"Origin": "http://localhost:9"}, 403}, {map[string]string{"Origin": ""}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site"}, 403}, {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-origin"}, 200}, {map[string]string{"Sec-Fetch-Site": "none"}, 200},
	} {
		w := x.do(request{method: "GET", path: "/v1/info", header: c.header, status: c.want})
		if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v: %v", c.header, w.Header())
		}
	}
}

// TestAudit: each change and each refusal has a line, nothing else has, and none
// has a secret.
func TestAudit(t *testing.T) {
	x := newTested(t)
	x.do(request{method: "GET", path: "/v1/tenants", token: "host", status: 200})
	x.do(request{method: "PATCH", path: "/v1/tenants/shop/secrets", body: `{"set":{"KEY":"hush"}}`, token: "host", status: 200, called: `secrets shop hush  "0"`})
	x.do(request{method: "POST", path: "/v1/tenants/other/stop", token: "shop", status: 403})
	x.do(request{method: "GET", path: "/v1/tokens", token: "read", status: 403})
	x.do(request{method: "GET", path: "/v1/tokens", token: "wrong", status: 401})
	x.do(request{method: "POST", path: "/v1/tenants/shop/stop", status: 200, called: `stop shop "0"`})
	var got []string
	for line := range strings.Lines(x.audit.String()) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Time.IsZero() || e.Remote == "" {
			t.Errorf("%s: %v", line, err)
		}
		got = append(got, strings.Join([]string{e.Caller, e.Method, e.Path, statusKey(e.Status)}, " "))
	}
	want := []string{
		"token host PATCH /v1/tenants/shop/secrets 200", "token shop POST /v1/tenants/other/stop 403", "token read GET /v1/tokens 403",
		"nobody GET /v1/tokens 401", "local POST /v1/tenants/shop/stop 200",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || strings.Contains(x.audit.String(), "hush") {
		t.Errorf("the audit log:\n%s", x.audit.String())
	}
}

// TestPages walks lists page by page.
func TestPages(t *testing.T) {
	x := newTested(t)
	for path, want := range map[string][]string{
		"/v1/tenants?limit=1": {"other", "shop"}, "/v1/status?limit=1": {"other", "shop"}, "/v1/tenants?limit=2": {"other,shop"}, "/v1/tenants": {"other,shop"},
		"/v1/tenants?limit=1&after=other": {"shop"}, "/v1/tenants?after=p": {"shop"}, "/v1/status?after=shop": {""},
	} {
		var got []string
		for next := path; next != ""; {
			w := x.do(request{method: "GET", path: next, status: 200})
			var page struct {
				Items []struct{ Name string }
				Next  string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, i := range page.Items {
				names = append(names, i.Name)
			}
			got = append(got, strings.Join(names, ","))
			if next = ""; page.Next != "" {
				next = path + "&after=" + page.Next
			}
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	// A token of one tenant is told nothing of the others by the cursor either.
	x.do(request{method: "GET", path: "/v1/tenants?limit=1", token: "shop", status: 200, has: `"name":"shop"`})
	for _, path := range []string{"/v1/tenants?limit=0", "/v1/tenants?limit=1001", "/v1/tokens?limit=x", "/v1/status?after=" + strings.Repeat("x", 64)} {
		x.do(request{method: "GET", path: path, status: 422})
	}
}

// TestDocument: what is served is what lies beside the code, and every operation
// says what it needs.
func TestDocument(t *testing.T) {
	x := newTested(t)
	r := httptest.NewRequest("GET", "/v1/openapi.json", nil)
	r.Host = "localhost"
	w := httptest.NewRecorder()
	x.api.Handler(true).ServeHTTP(w, r)
	file, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	if err := json.Compact(&kept, file); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != kept.String() {
		t.Errorf("%d: openapi.json is stale: go generate ./host/admin/api", w.Code)
	}
	for path, item := range x.api.Document().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete, item.Put} {
			if op == nil {
				continue
			}
			if needs, _ := op.Metadata[rightKey].(right); needs == "" || op.Summary == "" || !strings.HasPrefix(op.Description, "Right: ") {
				t.Errorf("%s %s: %+v", path, op.OperationID, op)
			}
		}
	}
}
