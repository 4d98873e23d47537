package main

import (
	"context"
	"net/http"
	"time"
)

// newcomerPause is between two questions: ten a second are no load.
const newcomerPause = 100 * time.Millisecond

// newcomers asks, beside a load, on a new connection each time, until ctx ends,
// and returns how long each waited for the head of the answer. One that still
// waits in the end counts with what it has waited, so a server that leaves it
// out shows the length of the whole load.
func newcomers(ctx context.Context, a app, url string) []time.Duration {
	client := newClient()
	var waits []time.Duration
	for {
		select { // the first one lets the load begin
		case <-ctx.Done():
			return waits
		case <-time.After(newcomerPause):
		}
		begin := time.Now()
		if ask(ctx, client, url) == nil || ctx.Err() != nil {
			waits = append(waits, time.Since(begin))
		}
	}
}

// ask always makes a GET: beside uploads that is a short request.
func ask(ctx context.Context, client *http.Client, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
