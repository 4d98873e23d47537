package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// newClient closes each connection after its answer: one that idles would keep
// a process of some peers from everybody else.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: nil}}
}

// verify makes the request once and judges status and body.
func verify(ctx context.Context, a app, url string) error {
	r, err := a.request(ctx, url)
	if err != nil {
		return err
	}
	resp, err := newClient().Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 2*downloadSize))
	if err != nil {
		return err
	}
	if resp.StatusCode != cmp.Or(a.status, http.StatusOK) {
		return fmt.Errorf("%s answered %s: %.200q", url, resp.Status, body)
	}
	if err := a.check(body); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

// waitFor asks until the answer is right, or the time is over.
func waitFor(ctx context.Context, a app, url string, patience, pause time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var last error
	for {
		err := verify(ctx, a, url)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // what the server said tells more than that the time is over
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready after %v: %w", patience, last)
		case <-tick.C:
		}
	}
}
