package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

type items[T any] struct {
	Items []T
	Next  string // "" on the last page
}

// list reads a list to its end, page by page.
func list[T any](ctx context.Context, c *Client, path string) (all []T, err error) {
	all = []T{} // what is empty is no null in JSON
	for query := (url.Values)(nil); ; {
		var page items[T]
		if err := c.Do(ctx, Request{Path: path, Query: query}, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.Next == "" {
			return all, nil
		}
		if query.Get("after") >= page.Next {
			return nil, fmt.Errorf("the pages of %s do not go on after %q: is the server's version another one than this command's?", path, page.Next)
		}
		query = url.Values{"after": {page.Next}}
	}
}

func tenant(name string) string { return "/tenants/" + url.PathEscape(name) }

// Statuses is how all tenants do.
func (c *Client) Statuses(ctx context.Context) ([]api.Status, error) {
	return list[api.Status](ctx, c, "/status")
}

// Tenants are all that something is known of.
func (c *Client) Tenants(ctx context.Context) ([]api.Tenant, error) {
	return list[api.Tenant](ctx, c, "/tenants")
}

// Tenant is one.
func (c *Client) Tenant(ctx context.Context, name string) (t api.Tenant, err error) {
	return t, c.Do(ctx, Request{Path: tenant(name)}, &t)
}

// match asks for a tenant that still has the revision, 0 for any. Changes of
// another one are refused with 412.
func match(revision uint64) string {
	if revision == 0 {
		return ""
	}
	return strconv.Quote(strconv.FormatUint(revision, 10))
}

// Remove removes a deployed tenant that is at a revision, 0 for any.
func (c *Client) Remove(ctx context.Context, name string, data bool, at uint64) error {
	return c.Do(ctx, Request{
		Method: http.MethodDelete, Path: tenant(name), Query: url.Values{"data": {strconv.FormatBool(data)}}, IfMatch: match(at),
	}, nil)
}

func (c *Client) post(ctx context.Context, path string, body any, at uint64) (t api.Tenant, err error) {
	return t, c.Do(ctx, Request{Method: http.MethodPost, Path: path, JSON: body, IfMatch: match(at)}, &t)
}

// Stop stops a tenant that is at a revision, 0 for any.
func (c *Client) Stop(ctx context.Context, name string, at uint64) (api.Tenant, error) {
	return c.post(ctx, tenant(name)+"/stop", nil, at)
}

// Start starts a stopped tenant that is at a revision, 0 for any.
func (c *Client) Start(ctx context.Context, name string, at uint64) (api.Tenant, error) {
	return c.post(ctx, tenant(name)+"/start", nil, at)
}

// releaseBody names a release.
type releaseBody struct {
	Release string `json:"release,omitempty"`
}

// Deploy has a release serve.
func (c *Client) Deploy(ctx context.Context, name, digest string) (api.Tenant, error) {
	return c.post(ctx, tenant(name)+"/deploy", releaseBody{digest}, 0)
}

// Rollback has an earlier release serve, "" for the one before, of a tenant that is
// at a revision, 0 for any.
func (c *Client) Rollback(ctx context.Context, name, digest string, at uint64) (api.Tenant, error) {
	return c.post(ctx, tenant(name)+"/rollback", releaseBody{digest}, at)
}

// Upload sends a bundle of size bytes with this SHA-256.
func (c *Client) Upload(ctx context.Context, name string, bundle io.Reader, size int64, sum []byte) (r api.Release, err error) {
	return r, c.Do(ctx, Request{
		Method: http.MethodPost, Path: tenant(name) + "/releases", Body: bundle, Length: size,
		Header: http.Header{"Content-Type": {"application/octet-stream"}, "Content-Digest": {api.ContentDigest(sum)}},
	}, &r)
}

// Change is of the environment or of secrets.
type Change struct {
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
}

// ChangeEnv changes variables of a tenant that is at a revision, 0 for any.
func (c *Client) ChangeEnv(ctx context.Context, name string, change Change, at uint64) (t api.Tenant, err error) {
	return t, c.Do(ctx, Request{Method: http.MethodPatch, Path: tenant(name) + "/env", JSON: change, IfMatch: match(at)}, &t)
}

// ChangeSecrets changes secrets of a tenant that is at a revision, 0 for any.
func (c *Client) ChangeSecrets(ctx context.Context, name string, change Change, at uint64) (t api.Tenant, err error) {
	return t, c.Do(ctx, Request{Method: http.MethodPatch, Path: tenant(name) + "/secrets", JSON: change, IfMatch: match(at)}, &t)
}

// stream decodes each line.
func stream[T any](ctx context.Context, c *Client, r Request, begun func(), each func(T) error) error {
	return c.Stream(ctx, r, begun, func(line []byte) error {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		return each(v)
	})
}

// Events calls each for every event from now on, until EndEvents is called for
// the name that begun gets; begun is called once nothing is missed any more.
func (c *Client) Events(ctx context.Context, name string, begun func(stream string), each func(api.Event)) error {
	return stream(ctx, c, Request{Path: "/events", Query: url.Values{"tenant": {name}}}, nil, func(e api.Event) error {
		if e.Kind == "hello" {
			begun(e.Stream)
			return nil
		}
		each(e)
		return nil
	})
}

// EndEvents ends a stream of events once all that has happened is told.
func (c *Client) EndEvents(ctx context.Context, stream string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: "/events/" + url.PathEscape(stream)}, nil)
}

// Logs calls each for the lines of a log that are asked for.
func (c *Client) Logs(ctx context.Context, name string, ask api.LogQuery, each func(api.LogLine) error) error {
	q := url.Values{"lines": {strconv.Itoa(ask.Lines)}, "follow": {strconv.FormatBool(ask.Follow)}}
	if !ask.Since.IsZero() {
		q.Set("since", ask.Since.UTC().Format(time.RFC3339Nano))
	}
	return stream(ctx, c, Request{Path: tenant(name) + "/logs", Query: q}, nil, each)
}

// Run runs Python and calls each for what it writes.
func (c *Client) Run(ctx context.Context, name string, args []string, stdin io.Reader, each func(api.RunOutput) error) error {
	return stream(ctx, c, Request{
		Method: http.MethodPost, Path: tenant(name) + "/run", Query: url.Values{"arg": args}, Body: stdin,
		Header: http.Header{"Content-Type": {"application/octet-stream"}},
	}, nil, each)
}

// Jobs are those of a tenant's manifest.
func (c *Client) Jobs(ctx context.Context, name string) ([]api.Job, error) {
	return list[api.Job](ctx, c, tenant(name)+"/jobs")
}

// RunJob does a job now.
func (c *Client) RunJob(ctx context.Context, name, what string) error {
	return c.Do(ctx, Request{Method: http.MethodPost, Path: tenant(name) + "/jobs", JSON: map[string]string{"what": what}}, nil)
}

// Backup writes the server's state. A backup that breaks off is an error.
func (c *Client) Backup(ctx context.Context, w io.Writer, data, key bool) error {
	res, err := c.send(ctx, Request{Path: "/backup", Query: url.Values{"data": {strconv.FormatBool(data)}, "key": {strconv.FormatBool(key)}}})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("the backup broke off; the server's log says why: %w", err)
	}
	return nil
}

// Tokens are all.
func (c *Client) Tokens(ctx context.Context) ([]api.Token, error) {
	return list[api.Token](ctx, c, "/tokens")
}

// TokenRequest is what a new token is for.
type TokenRequest struct {
	Note     string    `json:"note,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`
	ReadOnly bool      `json:"read_only,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
}

// CreateToken makes one.
func (c *Client) CreateToken(ctx context.Context, r TokenRequest) (t api.NewToken, err error) {
	return t, c.Do(ctx, Request{Method: http.MethodPost, Path: "/tokens", JSON: r}, &t)
}

// RemoveToken removes one.
func (c *Client) RemoveToken(ctx context.Context, id string) error {
	return c.Do(ctx, Request{Method: http.MethodDelete, Path: "/tokens/" + url.PathEscape(id)}, nil)
}
