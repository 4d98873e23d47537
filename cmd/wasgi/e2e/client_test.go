package e2e

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// browser is a client that keeps cookies and follows no redirect.
type browser struct {
	t      *testing.T
	site   site
	client *http.Client
	// prepare, when set, sees every request before it is sent.
	prepare func(*http.Request)
}

func (s site) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: patience}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, site: s, client: &http.Client{
		Jar:           jar,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// request makes one for a path below the prefix. Options change it.
func (b *browser) request(method, path string, options ...option) *http.Request {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.site.url(path), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, o := range options {
		o(req)
	}
	if b.prepare != nil {
		b.prepare(req)
	}
	return req
}

// send makes a request and reads its answer to the end.
func (b *browser) send(method, path string, options ...option) answer {
	b.t.Helper()
	what := method + " " + b.site.prefix + path
	resp, err := b.client.Do(b.request(method, path, options...))
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("%s: reading the body: %v", what, err)
	}
	return answer{b.t, what, resp, string(text)}
}

func (b *browser) get(path string, options ...option) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, options...)
}

// post sends a form of names and values in turn.
func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, path, body("application/x-www-form-urlencoded", form.Encode()))
}

// upload sends a multipart form with one file. No name means a form without a
// file.
func (b *browser) upload(path, name, content string) answer {
	b.t.Helper()
	var text bytes.Buffer
	w := multipart.NewWriter(&text)
	part, err := w.CreateFormField("x")
	if name != "" {
		part, err = w.CreateFormFile("file", name)
	}
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(http.MethodPost, path, body(w.FormDataContentType(), text.String()))
}

// cookie is the value of a cookie in the jar, "" when there is none.
func (b *browser) cookie(name string) string {
	b.t.Helper()
	u, err := url.Parse(b.site.url("/"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// option changes a request.
type option func(*http.Request)

// body sets the content; without a type the header is left out.
func body(contentType, text string) option {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
	}
}

// chunked sends the content without saying how long it is.
func chunked(text string) option {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = -1
	}
}

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(name string) option {
	return func(r *http.Request) { r.Host = name }
}
