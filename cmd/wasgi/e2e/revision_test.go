package e2e

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// between stands between commands and the server, sees their If-Match, and may do
// something before a change goes on.
type between struct {
	url string

	mu     sync.Mutex // guards all below
	asked  []string   // If-Match of each change
	before func()
}

func (o *operator) between() *between {
	o.Helper()
	b := &between{}
	to := &url.URL{Scheme: "http", Host: "localhost"}
	socket := filepath.Join(o.state, "api.sock")
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	o.Cleanup(transport.CloseIdleConnections)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: transport, FlushInterval: -1}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && !strings.HasPrefix(r.URL.Path, "/v1/events/") { // the end of a stream is no change
			b.change(r)
		}
		pass.ServeHTTP(w, r)
	}))
	o.Cleanup(s.Close)
	b.url = s.URL
	return b
}

func (b *between) change(r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, r.Header.Get("If-Match"))
	if b.before != nil {
		b.before()
	}
}

// TestChangesDependOnTheRevision: each command that changes a tenant does so only
// if nobody else has since it read it, or since the user has.
func TestChangesDependOnTheRevision(t *testing.T) {
	t.Parallel()
	o := operated(t)
	o.wasgi("deploy", o.app("one\n")).exited(0)
	o.wasgi("deploy", o.app("two\n")).exited(0)
	b := o.between()
	revision := func() int {
		var shown struct{ Revision int }
		decode(t, o.wasgi("tenants", "show", "shop", "--json").exited(0).stdout, &shown)
		return shown.Revision
	}
	seen := revision()
	changes := [][]string{
		{"env", "set", "shop", "A=1"}, {"env", "unset", "shop", "A"}, {"rollback", "shop"},
		{"tenants", "stop", "shop"}, {"tenants", "start", "shop"},
	}
	for _, args := range changes {
		want := strconv.Quote(strconv.Itoa(revision()))
		b.asked = nil
		o.wasgi(append(args, "--host", b.url)...).exited(0)
		if len(b.asked) != 1 || b.asked[0] != want {
			t.Errorf("%q asked for %q, want %s", args, b.asked, want)
		}
	}
	changes = append(changes, []string{"tenants", "rm", "shop"}, []string{"secret", "rm", "shop", "NONE"})
	for _, args := range changes {
		o.wasgi(append(args, "--if-match", strconv.Itoa(seen))...).exited(1).
			complained("shop was left as it is: it does not have revision " + strconv.Itoa(seen) + " any more, because somebody else has changed it: look at it with `wasgi tenants show shop`")
	}
	// Somebody else is quicker.
	n := 0
	b.before = func() {
		n++
		o.wasgi("env", "set", "shop", "N="+strconv.Itoa(n)).exited(0)
	}
	for _, args := range changes {
		o.wasgi(append(args, "--host", b.url)...).exited(1).complained("shop was left as it is", "and repeat the command if you still want it")
	}
	b.before = nil
	o.wasgi("env", "ls", "shop").exited(0).printed("N=" + strconv.Itoa(len(changes)) + "\n")
	o.wasgi("tenants", "rm", "shop", "--if-match", strconv.Itoa(revision())).exited(0)
	// Nothing is kept of what is not there: there is no revision to ask for.
	o.wasgi("tenants", "rm", "shop").exited(1).complained("there is no such tenant")
	b.asked = nil
	o.input("value", "secret", "set", "later", "KEY", "--host", b.url).exited(0)
	if len(b.asked) != 1 || b.asked[0] != "" {
		t.Errorf("%q", b.asked)
	}
}
