// Package client speaks to the admin API (host/admin/api), through its Unix
// socket or over the network: what wasgi's commands do, they do through it.
package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

// Client is one API. It is safe for concurrent use.
type Client struct {
	base  string // URL without a slash at the end
	where string // for errors
	token string // "" for none
	http  *http.Client
}

// New makes a client of unix:/path, http://host:port or https://host:port. token
// may be empty for a Unix socket. It fails on an address that is none of these.
func New(address, token string) (*Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil // a token is for nobody in between
	c := &Client{where: address, token: token, http: &http.Client{Transport: transport}}
	if path, unix := strings.CutPrefix(address, "unix:"); unix {
		c.base = "http://localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
		return c, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of an admin API: write unix:/path, http://host:port or https://host:port", address)
	}
	c.base = strings.TrimSuffix(address, "/")
	return c, nil
}

// Error is an answer of the API that is no success.
type Error struct {
	Status int
	Detail string
	Fields []string // what in a request cannot be
}

// Error is the API's words.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Detail
	}
	return e.Detail + ": " + strings.Join(e.Fields, "; ")
}

// Request is one.
type Request struct {
	Method  string // "" is GET
	Path    string // below /v1
	Query   url.Values
	JSON    any       // the body, unless it is nil
	Body    io.Reader // the body, when JSON is nil
	Length  int64     // of Body; 0 when it is not known
	Header  http.Header
	IfMatch string
}

// Do makes a request and decodes the answer into out, which may be nil.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	res, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("the answer of %s cannot be read: %w", c.where, err)
	}
	return nil
}

// Stream makes a request whose answer is lines, calls begun when they begin, and
// each for every line. An error of each ends it and is returned.
func (c *Client) Stream(ctx context.Context, r Request, begun func(), each func(line []byte) error) error {
	res, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if begun != nil {
		begun()
	}
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 && (err == nil || errors.Is(err, io.EOF)) {
			if err := each(line); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("the connection to %s broke: %w", c.where, err)
		}
	}
}

func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if res.StatusCode >= 400 {
		defer res.Body.Close()
		return nil, failure(res)
	}
	return res, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	body := r.Body
	if r.JSON != nil {
		text, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	target := c.base + "/v1" + r.Path
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if r.Length > 0 {
		req.ContentLength = r.Length
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.JSON != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.IfMatch != "" {
		req.Header.Set("If-Match", r.IfMatch)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// unreachable says why nobody answers, and what to do.
func (c *Client) unreachable(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return fmt.Errorf("nobody whom this machine trusts has signed the certificate of %s: name the file with its CA's certificate (PEM) in SSL_CERT_FILE: %w", c.where, err)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server answers at %s: start `wasgi serve`, or name another one with --host", c.where)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be opened by this user: run this as the server's user, or use its address with a token (--host)", c.where)
	}
	return fmt.Errorf("the server at %s cannot be reached: %w", c.where, err)
}

// failure reads application/problem+json.
func failure(res *http.Response) error {
	var p struct {
		Detail string
		Errors []struct{ Message, Location string }
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Detail == "" {
		p.Detail = "the server answered with " + res.Status
	}
	e := &Error{Status: res.StatusCode, Detail: p.Detail}
	for _, f := range p.Errors {
		e.Fields = append(e.Fields, strings.TrimPrefix(strings.TrimSuffix(f.Location+" "+f.Message, " "), " "))
	}
	return e
}
