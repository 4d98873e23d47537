package console

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// client is a browser without any eyes.
type client struct {
	*testing.T
	server *httptest.Server
	http   *http.Client
	secret string // of forms, from the last page
}

// answer is what came back.
type answer struct {
	*testing.T
	status int
	header http.Header
	body   string
}

func anonymous(t *testing.T, s *httptest.Server) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Client()
	return &client{t, s, &http.Client{Transport: c.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, ""}
}

// member has logged in.
func member(t *testing.T, s *httptest.Server, token string) *client {
	t.Helper()
	c := anonymous(t, s)
	c.get("/console/login").is(200)
	c.post("/console/login", "token", token).is(303)
	c.get("/console/").is(200)
	return c
}

func (c *client) do(r *http.Request) answer {
	c.Helper()
	res, err := c.http.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	if m := regexp.MustCompile(`name="form" value="([0-9a-f]{64})"`).FindSubmatch(text); m != nil {
		c.secret = string(m[1])
	}
	return answer{c.T, res.StatusCode, res.Header, string(text)}
}

func (c *client) request(method, path string, body io.Reader) *http.Request {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.server.URL+path, body)
	if err != nil {
		c.Fatal(err)
	}
	return r
}

func (c *client) get(path string) answer { c.Helper(); return c.do(c.request("GET", path, nil)) }

// form is a POST as a browser sends it, with the secret of the last page first.
func (c *client) form(path string, pairs ...string) *http.Request {
	c.Helper()
	v := url.Values{"form": {c.secret}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	r := c.request("POST", path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", c.server.URL)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (c *client) post(path string, pairs ...string) answer {
	c.Helper()
	return c.do(c.form(path, pairs...))
}

// upload is a form with a file.
func (c *client) upload(path, bundle string, pairs ...string) answer {
	c.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		_ = w.WriteField(pairs[i], pairs[i+1])
	}
	part, _ := w.CreateFormFile("bundle", "app.zip")
	_, _ = io.WriteString(part, bundle)
	_ = w.Close()
	r := c.request("POST", path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", c.server.URL)
	return c.do(r)
}

func (a answer) is(status int) answer {
	a.Helper()
	if a.status != status {
		a.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func (a answer) leads(to string) {
	a.Helper()
	if got := a.header.Get("Location"); got != to {
		a.Errorf("leads to %q, want %q", got, to)
	}
}

func (a answer) has(texts ...string) answer {
	a.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.Errorf("%q is missing in %s", text, a.body)
		}
	}
	return a
}

func (a answer) lacks(texts ...string) answer {
	a.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.Errorf("%q is in %s", text, a.body)
		}
	}
	return a
}
