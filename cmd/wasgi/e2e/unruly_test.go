package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
)

// TestUnruly makes requests that crash, exit and use up memory, in both
// isolations. Each has its own answer, and none keeps the next request from
// being served.
func TestUnruly(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	reuse := w.app(t, root, "unruly")
	fresh := filepath.Join(root, "fresh")
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root}, "unruly", "fresh")
	for _, tenant := range []string{"unruly", "fresh"} {
		t.Run(tenant, func(t *testing.T) {
			b := s.site(t, tenant).browser(t)
			goWrong(b, 500, "memory")
			goWrong(b, 502, "abort", "os-exit")
			goWrong(b, 500, "recurse", "generator", "exit")
			cutShort(b)
		})
	}
}

// TestRunaway makes requests that never end, whatever they are busy with.
func TestRunaway(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	folder := w.app(t, root, "unruly")
	write(t, folder, "wasgi.toml", "[limits]\nrequest_timeout = \"1s\"\n")
	b := w.serve(t, launch{root: root}, "unruly").site(t, "unruly").browser(t)
	goWrong(b, 504, "loop", "swallow", "regex", "number", "sleep")
}

// goWrong asks for each way and compares the status; the answer tells nothing
// of the application.
func goWrong(b *browser, status int, ways ...string) {
	b.t.Helper()
	for _, way := range ways {
		a := b.get("/"+way).status(status).contentType(plain).lacks("Traceback", "wsgi.py")
		a.has(a.resp.Header.Get("X-Request-Id"))
		b.get("/").status(200).text("well\n")
	}
}

// cutShort fails after half of the body was sent: the client must not take it
// for the whole.
func cutShort(b *browser) {
	b.t.Helper()
	stream := b.begin("/short").expect("half\n")
	if rest, err := io.ReadAll(stream.body); !errors.Is(err, io.ErrUnexpectedEOF) || len(rest) > 0 {
		b.t.Errorf("after a failure in the body: %q, %v, want a response that is cut short", rest, err)
	}
	b.site.logged(b.t, "RuntimeError: in the middle of the body", 0)
	b.get("/").status(200).text("well\n")
}

// TestOverload keeps the only instance busy: the next request is turned away,
// and served when the instance is free.
func TestOverload(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	folder := w.app(t, root, "steps")
	write(t, folder, "wasgi.toml", "[instances]\nmax = 1\nqueue = 0\n")
	s := w.serve(t, launch{root: root, state: state}, "steps").site(t, "steps")
	b := s.browser(t)
	stream := b.begin("/stream").expect("step 1\n")
	b.get("/ask?9").status(503).contentType(plain).header("Retry-After", "1")
	write(t, state, "data/steps/ask-2", "")
	stream.expect("step 2\n")
	write(t, state, "data/steps/ask-3", "")
	stream.expect("step 3\n").ends()
	b.get("/ask?9").status(200).text("asked\n")
}

// TestConcurrentRequests sends many bodies at once and wants each one back.
func TestConcurrentRequests(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	reuse, fresh := filepath.Join(root, "reuse"), filepath.Join(root, "fresh")
	copyTree(t, w.example("bare"), reuse)
	copyTree(t, w.example("bare"), fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root}, "reuse", "fresh")
	var clients sync.WaitGroup
	for _, tenant := range []string{"reuse", "fresh"} {
		b := s.site(t, tenant).browser(t)
		for client := range 8 {
			clients.Go(func() {
				for n := range 25 {
					echoes(b, fmt.Sprintf("%s %d %d\n%s", tenant, client, n, zeros(n*997)))
				}
			})
		}
	}
	clients.Wait()
}

// echoes may be called from other goroutines than the test's.
func echoes(b *browser, text string) {
	resp, err := b.client.Do(b.request(http.MethodPost, "/echo", body("text/x-unique", text)))
	if err != nil {
		b.t.Error(err)
		return
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || string(got) != text {
		b.t.Errorf("sent %.30q (%d bytes), got %d %.30q (%d bytes), %v", text, len(text), resp.StatusCode, got, len(got), err)
	}
}
