package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestProbes asks the admin listener, which clients do not reach.
func TestProbes(t *testing.T) {
	t.Parallel()
	w, socket := newWorld(t), filepath.Join(t.TempDir(), "admin")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--admin-listen", "unix:" + socket}}, "bare")
	b := site{server: s, tenant: "admin", origin: "http://admin"}.browser(t)
	b.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(b.client.CloseIdleConnections)
	b.get("/healthz").status(200).contentType(plain).text("ok\n")
	b.get("/readyz").status(200).contentType(plain).text("ready\n")
	b.send(http.MethodHead, "/readyz").status(200).text("")
	b.send(http.MethodPost, "/healthz").status(405).allow("GET", "HEAD")
	b.get("/bare/").status(404)
	clients := s.site(t, "bare")
	clients.prefix = ""
	for _, path := range []string{"/healthz", "/readyz"} {
		clients.browser(t).get(path).status(404)
	}
}

// logRequests makes the requests whose log lines the tests below compare.
func logRequests(b *browser) {
	b.get("/status/418?x=%22&y", header("Referer", "http://from.example/"), header("User-Agent", `ua "1" \é`)).status(418)
	b.send(http.MethodPost, "/echo", body("", "abc")).status(200)
	b.get("/fail").status(500)
	nobody := *b
	nobody.site.prefix = ""
	nobody.get("/nobody").status(404)
}

// TestAccessLogCombined compares every line of a run.
func TestAccessLogCombined(t *testing.T) {
	t.Parallel()
	w, file := newWorld(t), filepath.Join(t.TempDir(), "access.log")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--access-log", "combined", "--access-log-file", file}}, "bare")
	logRequests(s.site(t, "bare").browser(t))
	if err := s.terminate(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	got := strings.Split(strings.TrimSuffix(read(t, file), "\n"), "\n")
	const (
		before = `^127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] `
		after  = ` [0-9a-zA-Z_-]{8,} %s \d+\.\d{3} \d+\.\d{3} \d+\.\d{3} \d+ \d+$`
	)
	want := []string{
		`"GET /bare/status/418\?x=%22&y HTTP/1\.1" 418 17 "http://from\.example/" "ua \\"1\\" \\\\\\xc3\\xa9"` + strings.ReplaceAll(after, "%s", "bare"),
		`"POST /bare/echo HTTP/1\.1" 200 3 "-" "Go-http-client/1\.1"` + strings.ReplaceAll(after, "%s", "bare"),
		`"GET /bare/fail HTTP/1\.1" 500 \d+ "-" "Go-http-client/1\.1"` + strings.ReplaceAll(after, "%s", "bare"),
		`"GET /nobody HTTP/1\.1" 404 \d+ "-" "Go-http-client/1\.1"` + strings.ReplaceAll(after, "%s", "-"),
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i, expression := range want {
		if !regexp.MustCompile(before + expression).MatchString(got[i]) {
			t.Errorf("line %q does not match %q", got[i], before+expression)
		}
	}
}

// TestAccessLogJSON compares the members that are not times.
func TestAccessLogJSON(t *testing.T) {
	t.Parallel()
	w, file := newWorld(t), filepath.Join(t.TempDir(), "access.log")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--access-log", "json", "--access-log-file", file}}, "bare")
	bare := s.site(t, "bare")
	logRequests(bare.browser(t))
	if err := s.terminate(t); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	var got []map[string]any
	for line := range strings.Lines(read(t, file)) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got = append(got, entry)
	}
	want := []map[string]any{
		{"tenant": "bare", "method": "GET", "uri": "/bare/status/418?x=%22&y", "status": 418.0, "bytes": 17.0, "referer": "http://from.example/", "user_agent": `ua "1" \é`},
		{"tenant": "bare", "method": "POST", "uri": "/bare/echo", "status": 200.0, "bytes": 3.0},
		{"tenant": "bare", "method": "GET", "uri": "/bare/fail", "status": 500.0},
		{"tenant": nil, "method": "GET", "uri": "/nobody", "status": 404.0},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d: %v", len(got), len(want), got)
	}
	for i, members := range want {
		members["remote"], members["host"], members["proto"] = "127.0.0.1", bare.host(), "HTTP/1.1"
		for name, value := range members {
			if got[i][name] != value {
				t.Errorf("line %d: %s is %v, want %v", i+1, name, got[i][name], value)
			}
		}
	}
}
