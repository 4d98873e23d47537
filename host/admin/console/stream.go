package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wasgi/wasgi/host/admin/api"
)

// stream sends a log as it is written (server-sent events): the last lines, then
// new ones until the reader leaves or the session ends.
func (c *Console) stream(v *visit) error {
	if _, err := c.Host.Tenant(v.tenant); err != nil {
		return err
	}
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		return problem(http.StatusServiceUnavailable, "too many logs are being followed: close some")
	}
	lines, err := strconv.Atoi(v.URL.Query().Get("lines"))
	if err != nil || lines < 0 || lines > manyLines {
		lines = fewLines
	}
	ctx, cancel := context.WithTimeout(v.Context(), v.session.began.Add(sessionMost).Sub(c.Now()))
	defer cancel()
	defer context.AfterFunc(v.session.ctx, cancel)()
	out := &eventStream{w: v.w, control: http.NewResponseController(v.w)}
	_ = out.control.SetReadDeadline(time.Time{}) // a test's recorder has none
	v.w.Header().Set("Content-Type", "text/event-stream")
	if out.send("hello", "{}") != nil {
		return nil
	}
	var watching sync.WaitGroup
	watching.Go(func() { v.watch(ctx, cancel, out) }) // ends with ctx
	defer watching.Wait()
	defer cancel()
	// Who reads has left, or the session is over: the end of the stream says it.
	_ = c.Host.Logs(ctx, v.tenant, api.LogQuery{Lines: lines, Follow: true}, func(l api.LogLine) error {
		text, err := json.Marshal(lineOf(l))
		if err != nil {
			return err
		}
		return out.send("line", string(text))
	})
	return nil
}

// watch ends a stream whose token does not count any more, or whose reader is gone.
func (v *visit) watch(ctx context.Context, cancel context.CancelFunc, out *eventStream) {
	ticker := time.NewTicker(v.console.checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			caller, err := v.console.Host.Authenticate(ctx, v.session.token)
			if err != nil || !caller.Sees(v.tenant) || !v.console.sessions.lasts(v.session) || out.send("beat", "{}") != nil {
				cancel()
				return
			}
		}
	}
}

// eventStream writes events, each sent at once.
type eventStream struct {
	control *http.ResponseController

	mu sync.Mutex // held while an event is written
	w  http.ResponseWriter
}

// send writes one event; data is JSON, which has no line breaks.
func (e *eventStream) send(kind, data string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.control.SetWriteDeadline(time.Now().Add(10 * time.Second)) // a test's recorder has none
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", kind, data); err != nil {
		return err
	}
	return e.control.Flush()
}
