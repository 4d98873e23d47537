package e2e

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// unixBrowser asks a server that listens on a Unix socket.
func unixBrowser(t *testing.T, s *server, socket string) *browser {
	t.Helper()
	b := site{server: s, tenant: "admin", origin: "http://admin"}.browser(t)
	b.client.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// metric is the value of a series, -1 when there is none.
func metric(t *testing.T, text, series string) float64 {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(text)
	if match == nil {
		return -1
	}
	n, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// hungry is an application that can be made to do what is counted.
const hungry = `import time
kept = []
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/spin":
        while True: pass
    if path == "/pages":
        kept.append(bytearray(400 * 4096))
    if path == "/fail":
        raise RuntimeError("no")
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"12345"]
`

// TestMetrics makes one request of each kind and looks at what was counted.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w, root, socket := newWorld(t), t.TempDir(), filepath.Join(t.TempDir(), "admin")
	for name, manifest := range map[string]string{"eats": "isolation = \"fresh\"\n[limits]\ncpu_time = \"50ms\"\ngrace = \"0s\"\n", "rare": ""} {
		write(t, root, name+"/wsgi.py", hungry)
		write(t, root, name+"/wasgi.toml", manifest)
	}
	s := w.serve(t, launch{root: root, flags: []string{"--admin-listen", "unix:" + socket, "--metrics-tenants", "1"}}, "eats", "rare")
	eats := s.site(t, "eats").browser(t)
	eats.get("/").status(200)
	eats.send("POST", "/", body("text/plain", "123")).status(200)
	eats.get("/pages").status(200)
	eats.get("/fail").status(500)
	eats.get("/spin").status(504)
	s.site(t, "rare").browser(t).get("/").status(200)
	nobody := *eats
	nobody.site.prefix = ""
	nobody.get("/nobody").status(404)

	admin := unixBrowser(t, s, socket)
	a := admin.get("/metrics").status(200)
	if got := a.resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("Content-Type %q", got)
	}
	text := a.body
	for series, want := range map[string]float64{
		`wasgi_requests_total{status="2xx",tenant="eats"}`:            3,
		`wasgi_requests_total{status="5xx",tenant="eats"}`:            2,
		`wasgi_requests_total{status="2xx",tenant="_other"}`:          1,
		`wasgi_requests_total{status="2xx",tenant="rare"}`:            -1,
		`wasgi_requests_total{status="4xx",tenant="_nobody"}`:         1,
		`wasgi_request_duration_seconds_count{tenant="eats"}`:         5,
		`wasgi_faults_total{fault="timeout",tenant="eats"}`:           1,
		`wasgi_faults_total{fault="exception",tenant="eats"}`:         1,
		`wasgi_kills_total{cause="timeout",tenant="eats"}`:            1,
		`wasgi_request_body_bytes_total{tenant="eats"}`:               3,
		`wasgi_snapshots{tenant="eats"}`:                              1,
		`wasgi_tenants{state="serving"}`:                              2,
		`wasgi_queue_length{tenant="eats"}`:                           0,
		`wasgi_build_info{version="devel"}`:                           1,
		`wasgi_releases_total{result="failed",tenant="eats"}`:         -1,
		`wasgi_cold_starts_failed_total{tenant="eats"}`:               0,
		`wasgi_instances_closed_total{reason="caller",tenant="eats"}`: 0,
	} {
		if got := metric(t, text, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	for series, least := range map[string]float64{
		`wasgi_cold_starts_total{tenant="eats"}`:         1,
		`wasgi_guest_cpu_seconds_total{tenant="eats"}`:   0.05,
		`wasgi_snapshot_bytes{tenant="eats"}`:            1 << 20,
		`wasgi_memory_limit_bytes{tenant="eats"}`:        1 << 20,
		`wasgi_guest_memory_limit_bytes`:                 1 << 20,
		`wasgi_slots`:                                    1,
		`wasgi_connections`:                              1,
		`wasgi_response_body_bytes_total{tenant="eats"}`: 15,
		`process_resident_memory_bytes`:                  1 << 20,
		`go_goroutines`:                                  1,
	} {
		if got := metric(t, text, series); got < least && !(apartByDefault() && strings.Contains(series, "snapshot_bytes")) {
			t.Errorf("%s is %v, want %v or more", series, got, least)
		}
	}
	clients := s.site(t, "eats")
	clients.prefix = ""
	clients.browser(t).get("/metrics").status(404)
}

func TestMetricsOff(t *testing.T) {
	t.Parallel()
	w, socket := newWorld(t), filepath.Join(t.TempDir(), "admin")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--admin-listen", "unix:" + socket, "--metrics=false"}}, "bare")
	unixBrowser(t, s, socket).get("/metrics").status(404)
}

// TestAccount: what a request has used is in its line of the access log.
func TestAccount(t *testing.T) {
	t.Parallel()
	w, root, file := newWorld(t), t.TempDir(), filepath.Join(t.TempDir(), "access.log")
	write(t, root, "eats/wsgi.py", hungry)
	write(t, root, "eats/wasgi.toml", "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root, flags: []string{"--access-log", "json", "--access-log-file", file}}, "eats")
	b := s.site(t, "eats").browser(t)
	b.get("/").status(200)
	b.send("POST", "/pages", body("text/plain", "123")).status(200)
	if err := s.terminate(t); err != nil {
		t.Fatal(err)
	}
	var got [2]struct {
		BytesIn int64    `json:"bytes_in"`
		Bytes   int64    `json:"bytes"`
		CPU     float64  `json:"cpu_ms"`
		Wait    *float64 `json:"wait_ms"` // 0 when an instance was ready within a microsecond
		Pages   int      `json:"pages"`
		URI     string   `json:"uri"`
	}
	lines := strings.Split(strings.TrimSpace(read(t, file)), "\n")
	if len(lines) != len(got) {
		t.Fatalf("%d lines: %q", len(lines), lines)
	}
	for _, line := range lines {
		i := 0
		if !strings.Contains(line, "/pages") { // lines come when the guest is put back
			i = 1
		}
		if err := json.Unmarshal([]byte(line), &got[i]); err != nil {
			t.Fatal(err)
		}
	}
	if g := got[0]; g.BytesIn != 3 || g.Bytes != 5 || g.CPU <= 0 || g.Wait == nil || *g.Wait < 0 {
		t.Errorf("the account is %+v", g)
	}
	if apartByDefault() { // a worker puts its guests back by itself
		return
	}
	if first, second := got[0].Pages, got[1].Pages; first < 400 || second == 0 || second > first-400 {
		t.Errorf("%d pages with 400 of the application's, and %d without", first, second)
	}
}

const talker = `import sys
def application(environ, start_response):
    n = environ["QUERY_STRING"]
    print("printed", n, end="")
    sys.stderr.write("\x1b[31mred\u202e " + n + "\n")
    environ["wsgi.errors"].write("errors " + n + "\n")
    start_response("200 OK", [("X-Id", environ["wasgi.request_id"])])
    return []
`

// TestTenantLog: each line is in the tenant's own file as well, names its request,
// and cannot be taken for another; files are turned over and old ones go.
func TestTenantLog(t *testing.T) {
	t.Parallel()
	w, root, state := newWorld(t), t.TempDir(), t.TempDir()
	write(t, root, "talks/wsgi.py", talker)
	write(t, root, "silent/wsgi.py", source("silent\n"))
	s := w.serve(t, launch{root: root, state: state, flags: []string{"--tenant-log-size", "4KiB", "--tenant-log-keep", "2"}}, "talks", "silent")
	b := s.site(t, "talks").browser(t)
	id := b.get("/?1").status(200).resp.Header.Get("X-Id")
	b.get("/?2").status(200)
	own := read(t, filepath.Join(state, "logs", "talks.log"))
	for _, want := range []string{
		`level=INFO msg="printed 1" tenant=talks source=stdout request_id=` + id,
		`level=INFO msg="\x1b[31mred\u202e 1" tenant=talks source=stderr request_id=` + id,
		`level=WARN msg="errors 1" tenant=talks source=errors request_id=` + id,
	} {
		if n := strings.Count(own, want+"\n"); n != 1 {
			t.Errorf("%d times %s in\n%s", n, want, own)
		}
		s.logs(t, regexp.QuoteMeta(want+"\n"), 0)
	}
	for n := range 100 {
		b.get("/?x" + strconv.Itoa(n)).status(200)
	}
	files, err := filepath.Glob(filepath.Join(state, "logs", "talks*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
		if size := len(read(t, f)); size == 0 || size > 4<<10 {
			t.Errorf("%s has %d bytes", f, size)
		}
	}
	if got := strings.Join(names, " "); got != "talks.log talks.log.1 talks.log.2" {
		t.Errorf("there are %s", got)
	}
	if last := read(t, filepath.Join(state, "logs", "talks.log")); !strings.Contains(last, "errors x99") {
		t.Errorf("the newest file has no last line:\n%s", last)
	}
}
