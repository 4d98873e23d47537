package metrics

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// scrape is what Prometheus gets of ours, comments left out.
func scrape(t *testing.T, m *Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var out []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "wasgi_") {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

func wants(t *testing.T, got []string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s\nin\n%s", line, strings.Join(got, "\n"))
		}
	}
}

func TestRequests(t *testing.T) {
	m := New(Options{Tenants: 1, Version: "v1"})
	shop := m.Serving("shop")
	shop.Observe(Request{Status: 200, Duration: 2 * time.Millisecond, Wait: time.Second, CPU: 500 * time.Millisecond, In: 3, Out: 4})
	shop.Observe(Request{Status: 504, Duration: time.Minute, Fault: "timeout", Kill: "timeout"})
	shop.Reset(7)
	shop.Dropped(5)
	m.Tenant("shop").Released(true, time.Second)
	m.Tenant("shop").Released(false, time.Second)
	m.Nobody().Observe(Request{Status: 404})
	wants(t, scrape(t, m),
		`wasgi_build_info{version="v1"} 1`,
		`wasgi_requests_total{status="2xx",tenant="shop"} 1`,
		`wasgi_requests_total{status="5xx",tenant="shop"} 1`,
		`wasgi_requests_total{status="4xx",tenant="shop"} 0`,
		`wasgi_requests_total{status="4xx",tenant="_nobody"} 1`,
		`wasgi_request_duration_seconds_bucket{tenant="shop",le="0.001"} 0`,
		`wasgi_request_duration_seconds_bucket{tenant="shop",le="0.0025"} 1`,
		`wasgi_request_duration_seconds_bucket{tenant="shop",le="+Inf"} 2`,
		`wasgi_request_duration_seconds_sum{tenant="shop"} 60.002`,
		`wasgi_guest_cpu_seconds_total{tenant="shop"} 0.5`,
		`wasgi_wait_seconds_total{tenant="shop"} 1`,
		`wasgi_request_body_bytes_total{tenant="shop"} 3`,
		`wasgi_response_body_bytes_total{tenant="shop"} 4`,
		`wasgi_faults_total{fault="timeout",tenant="shop"} 1`,
		`wasgi_kills_total{cause="timeout",tenant="shop"} 1`,
		`wasgi_dirty_pages_total{tenant="shop"} 7`,
		`wasgi_resets_total{tenant="shop"} 1`,
		`wasgi_log_records_dropped_total{tenant="shop"} 5`,
		`wasgi_releases_total{result="ok",tenant="shop"} 1`,
		`wasgi_releases_total{result="failed",tenant="shop"} 1`,
	)
}

func TestClasses(t *testing.T) {
	for status, want := range map[int]string{0: "other", 103: "other", 200: "2xx", 299: "2xx", 304: "3xx", 404: "4xx", 498: "4xx", 499: "499", 500: "5xx", 599: "5xx", 600: "other", -1: "other", 999: "other"} {
		if got := classes()[classOf(status)]; got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}

// However many tenants there are, the number of series is bounded, nothing is
// lost, and places go to those with requests.
func TestLabelsAreBounded(t *testing.T) {
	m := New(Options{Tenants: 3})
	for n := range 3 {
		m.Tenant(fmt.Sprintf("idle%d", n)).Released(true, time.Second)
	}
	for n := range 1000 {
		m.Serving(fmt.Sprintf("t%d", n)).Observe(Request{Status: 200})
	}
	got := scrape(t, m)
	wants(t, got, `wasgi_requests_total{status="2xx",tenant="t0"} 1`, `wasgi_requests_total{status="2xx",tenant="t2"} 1`,
		`wasgi_requests_total{status="2xx",tenant="_other"} 997`)
	if text := strings.Join(got, "\n"); strings.Contains(text, "idle") || strings.Contains(text, `"t3"`) {
		t.Errorf("labels of tenants without a place:\n%s", text)
	}
	if !m.Forget("t1") || m.Forget("t1") || m.Forget("t500") {
		t.Error("Forget does not say who had a place")
	}
	m.Serving("late").Observe(Request{Status: 200})
	got = scrape(t, m)
	wants(t, got, `wasgi_requests_total{status="2xx",tenant="late"} 1`)
	if strings.Contains(strings.Join(got, "\n"), `"t1"`) {
		t.Error("a forgotten tenant has series")
	}
}

func TestState(t *testing.T) {
	m := New(Options{Tenants: 1})
	m.Serving("a")
	pool := func(n int) Pool {
		u := uint64(n)
		return Pool{Idle: n, Busy: 2 * n, Creating: 3 * n, Waiting: 4 * n, Created: 5 * u, CreateFailed: 6 * u, QueueFull: 7 * u,
			TimedOut: 8 * u, GaveUp: 9 * u, Queued: 10 * u, QueueTime: time.Duration(n) * time.Second, Closed: map[string]uint64{"idle": 11 * u}}
	}
	network := func(n int) Network {
		u := uint64(n)
		return Network{Open: n, Opened: 2 * u, Sent: 3 * u, Received: 4 * u, Refused: map[string]uint64{"loopback": 5 * u}, Backends: Backends{
			Limit: 6 * n, Idle: 7 * n, Used: 8 * n, Waiting: 9 * n, Logins: 10 * u, Failed: 11 * u, Reused: 12 * u, Waits: 13 * u, Exhausted: 14 * u,
			Dead: 15 * u, Expired: 16 * u, Dropped: 17 * u,
		}}
	}
	gone, goneNetwork := pool(100), network(100)
	m.From(func() Snapshot {
		return Snapshot{
			Tenants: []TenantState{
				{Name: "a", State: "serving", Pool: pool(1), Network: network(1), Memory: Memory{1, 2}, Serves: true, Snapshot: 3, Waiting: 4},
				{Name: "b", State: "failed", Pool: pool(10), Network: network(10), Memory: Memory{10, 20}},
				{Name: "c", State: "serving", Pool: pool(20), Memory: Memory{100, 200}, Serves: true, Snapshot: 30},
			},
			Gone: gone, GoneNetwork: goneNetwork, Memory: Memory{5, 6}, Slots: 7, Running: 8, WaitingForSlot: 9, Connections: 10,
		}
	})
	for range 2 { // a second look finds the same: nothing is added to what the source keeps
		wants(t, scrape(t, m),
			`wasgi_tenants{state="serving"} 2`, `wasgi_tenants{state="failed"} 1`,
			`wasgi_instances{state="idle",tenant="a"} 1`, `wasgi_instances{state="busy",tenant="_other"} 260`, `wasgi_instances{state="creating",tenant="a"} 3`,
			`wasgi_queue_length{tenant="a"} 8`, `wasgi_queue_length{tenant="_other"} 520`,
			`wasgi_cold_starts_total{tenant="a"} 5`, `wasgi_cold_starts_total{tenant="_other"} 650`, `wasgi_cold_starts_failed_total{tenant="a"} 6`,
			`wasgi_queue_refused_total{reason="full",tenant="a"} 7`, `wasgi_queue_refused_total{reason="timeout",tenant="a"} 8`,
			`wasgi_queue_refused_total{reason="client-gone",tenant="a"} 9`, `wasgi_queued_total{tenant="a"} 10`, `wasgi_queue_seconds_total{tenant="a"} 1`,
			`wasgi_instances_closed_total{reason="idle",tenant="_other"} 1430`,
			`wasgi_egress_connections{tenant="a"} 1`, `wasgi_egress_connections_total{tenant="_other"} 220`, `wasgi_egress_refused_total{rule="loopback",tenant="_other"} 550`,
			`wasgi_egress_bytes_total{direction="sent",tenant="a"} 3`, `wasgi_egress_bytes_total{direction="received",tenant="_other"} 440`,
			`wasgi_backend_connections_limit{tenant="_other"} 660`, `wasgi_backend_connections{state="idle",tenant="a"} 7`, `wasgi_backend_connections{state="used",tenant="a"} 8`,
			`wasgi_backend_waiting{tenant="a"} 9`, `wasgi_backend_logins_total{result="ok",tenant="a"} 10`, `wasgi_backend_logins_total{result="failed",tenant="a"} 11`,
			`wasgi_backend_reused_total{tenant="a"} 12`, `wasgi_backend_waits_total{tenant="a"} 13`, `wasgi_backend_exhausted_total{tenant="a"} 14`,
			`wasgi_backend_closed_total{reason="dead",tenant="a"} 15`, `wasgi_backend_closed_total{reason="expired",tenant="a"} 16`, `wasgi_backend_closed_total{reason="dropped",tenant="_other"} 1870`,
			`wasgi_memory_bytes{tenant="_other"} 110`, `wasgi_memory_limit_bytes{tenant="a"} 2`,
			`wasgi_snapshots{tenant="_other"} 1`, `wasgi_snapshot_bytes{tenant="a"} 3`,
			`wasgi_guest_memory_bytes 5`, `wasgi_guest_memory_limit_bytes 6`, `wasgi_slots 7`, `wasgi_slots_running 8`, `wasgi_slots_waiting 9`, `wasgi_connections 10`,
		)
	}
}

func TestNothingIsCounted(t *testing.T) {
	var m *Metrics
	m.Tenant("a").Observe(Request{})
	m.Serving("a").Reset(1)
	m.Tenant("a").Dropped(1)
	m.Nobody().Released(true, 1)
	if m.Forget("a") {
		t.Error("nobody had a place")
	}
}

func BenchmarkObserve(b *testing.B) {
	t := New(Options{Tenants: 1}).Serving("a")
	b.ReportAllocs()
	for b.Loop() {
		t.Observe(Request{Status: 200, Duration: time.Millisecond, Wait: time.Microsecond, CPU: time.Microsecond, In: 1, Out: 2})
	}
}
