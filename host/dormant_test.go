package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wasgi/wasgi/host/sandbox"
)

func storing(m *fakeMaker) { m.stores = true }

func found(m *fakeMaker) { m.stores, m.found = true, true }

func (r *running) siteOf(name string) *site { return r.host.fleet.routes.Load().sites[name] }

// doze has a tenant sleep that keeps no instance.
func (r *running) doze(name string) bool {
	s := r.siteOf(name)
	if d := s.live.Load(); d != nil {
		d.pool.Trim()
	}
	return s.doze(time.Now().Add(time.Hour))
}

func (r *running) sleeps(name string) {
	r.t.Helper()
	if !r.doze(name) {
		r.t.Fatalf("%s does not sleep", name)
	}
}

// opening has the caller open what sleeps, before anybody else.
func (s *site) opening() *dormant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.toOpen()
}

func (r *running) woken(want int) {
	r.t.Helper()
	if got, _ := r.maker.sleep(nil); got != want {
		r.t.Errorf("%d images were opened again, want %d", got, want)
	}
}

func TestUnusedTenantSleeps(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.want("/app", 200, "1")
	before := r.backend().Statuses()
	if r.siteOf("app").doze(time.Now().Add(-time.Hour)) {
		t.Error("it sleeps although it was called a moment ago")
	}
	if r.siteOf("app").doze(time.Now().Add(time.Hour)) {
		t.Error("it sleeps although it has an instance")
	}
	r.sleeps("app")
	if r.doze("app") {
		t.Error("it sleeps twice")
	}
	before[0].Idle = 0 // the one instance
	if diff := cmp.Diff(before, r.backend().Statuses()); diff != "" {
		t.Errorf("its status changes when it sleeps:\n%s", diff)
	}
	if state := r.host.fleet.gather().Tenants[0]; !state.Serves || state.Snapshot != 4096 || state.Pool.Created != 1 {
		t.Errorf("metrics of one that sleeps: %+v", state)
	}
	r.woken(0)
	r.want("/app", 200, "1")
	r.want("/app", 200, "1")
	r.woken(1)
	if s := r.backend().Statuses()[0]; s.Requests != 3 || s.Created != 2 {
		t.Errorf("counters %+v, want 3 requests and 2 instances", s)
	}
}

// TestHostStartsWithSleepers: what an earlier process has left serves without being
// read, and many that call at once wait for one who reads it.
func TestHostStartsWithSleepers(t *testing.T) {
	r := start(t, setup{app: sayVersion, tenants: []string{"a", "b"}, maker: found})
	r.ready("a", "b")
	for _, s := range r.host.Status() {
		if s.State != Serving || s.Release == "" || s.Err != nil {
			t.Errorf("%+v", s)
		}
	}
	if woken, made := r.maker.sleep(nil); woken != 0 || made != 0 {
		t.Errorf("%d opened, %d built, want none", woken, made)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { r.want("/a", 200, "1") })
	}
	all.Wait()
	r.woken(1)
	r.write("b", "2")
	r.event(EventReady, "b")
	r.want("/b", 200, "2")
}

// TestDamagedSnapshotIsFoundBeforeACall: it is made anew, and the first call waits for
// nothing.
func TestDamagedSnapshotIsFoundBeforeACall(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		found(m)
		m.lost = errors.New("it is damaged")
	}})
	r.ready("app")
	r.event(EventReady, "app")
	r.maker.sleep(func(m *fakeMaker) {
		if m.read != 1 || m.woken != 0 || m.made != 1 {
			t.Errorf("%d read, %d opened, %d built; want 1, 0, 1", m.read, m.woken, m.made)
		}
	})
	if s := r.host.Status()[0]; s.State != Serving || s.Err != nil {
		t.Errorf("%+v", s)
	}
	r.want("/app", 200, "1")
}

// TestSettingsChangeForSleepers: what the settings do not concern sleeps on.
func TestSettingsChangeForSleepers(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	c := *r.host.fleet.cfg.now()
	c.RequestTimeout -= time.Second
	r.host.fleet.reconfigure(t.Context(), c, true)
	r.event(EventReady, "app")
	if woken, made := r.maker.sleep(nil); woken != 0 || made != 0 {
		t.Errorf("%d opened, %d built, want none", woken, made)
	}
	r.want("/app", 200, "1")
	if got := r.siteOf("app").live.Load().timeout; got != c.RequestTimeout {
		t.Errorf("the time of a request is %v, want %v", got, c.RequestTimeout)
	}
}

func TestLostSnapshotStartsOver(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	r.maker.sleep(func(m *fakeMaker) { m.lost = errors.New("it is damaged") })
	r.want("/app", 200, "1")
	r.event(EventReady, "app")
	if woken, made := r.maker.sleep(nil); woken != 0 || made != 1 {
		t.Errorf("%d opened, %d built, want one that was built", woken, made)
	}
	if log := r.log.String(); !strings.Contains(log, "has to start again") || !strings.Contains(log, "it is damaged") {
		t.Errorf("the log does not say so:\n%s", log)
	}
	if s := r.host.Status()[0]; s.State != Serving || s.Err != nil {
		t.Errorf("%+v", s)
	}
}

// TestLostSnapshotOfAnOlderRelease: the attempt that finds out goes on, and ends well
// or not.
func TestLostSnapshotOfAnOlderRelease(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.stores = true
		m.building = cannotImport("broken")
	}})
	r.ready("app")
	r.sleeps("app")
	r.maker.sleep(func(m *fakeMaker) { m.lost = errors.New("it is damaged") })
	r.write("app", "2")
	r.event(EventReady, "app")
	r.want("/app", 200, "2")
	r.sleeps("app")
	r.maker.sleep(func(m *fakeMaker) { m.lost = errors.New("it is damaged") })
	r.write("app", "broken")
	r.event(EventFailed, "app")
	if s := r.host.Status()[0]; s.State != Failed || s.Err == nil {
		t.Errorf("%+v", s)
	}
}

// TestLostSnapshotOfABrokenTenant: what cannot be started again is told, and tried
// again.
func TestLostSnapshotOfABrokenTenant(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	r.maker.sleep(func(m *fakeMaker) {
		m.lost = errors.New("it is damaged")
		m.building = cannotImport("1")
	})
	if status, _ := r.get("/app"); status != 502 {
		t.Errorf("status %d, want 502", status)
	}
	if s := r.host.Status()[0]; s.State != Failed || s.Err == nil {
		t.Errorf("%+v", s)
	}
	r.write("app", "2")
	r.event(EventReady, "app")
	r.want("/app", 200, "2")
}

// TestSleeperIsReplaced: the older release is awake before a new one is made, which
// may take the place of its snapshot, and goes on when that fails.
func TestSleeperIsReplaced(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.stores = true
		m.building = func(_ application, version string) error {
			if version == "broken" {
				m.sleep(func(m *fakeMaker) { m.lost = errors.New("written over") })
				return &sandbox.Error{Kind: sandbox.KindException, Op: "load", Detail: "cannot import"}
			}
			return nil
		}
	}})
	r.ready("app")
	r.sleeps("app")
	s := r.siteOf("app")
	old := s.serving().fingerprint
	r.write("app", "broken")
	r.event(EventFailed, "app")
	r.woken(1)
	if status := r.host.Status()[0]; status.State != Serving || status.Release != old || status.Err == nil {
		t.Errorf("%+v", status)
	}
	if status, _ := r.get("/app"); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	r.sleeps("app")
	r.maker.sleep(func(m *fakeMaker) { m.lost = nil })
	r.write("app", "3")
	r.event(EventReady, "app")
	r.want("/app", 200, "3")
}

func TestDeployedTenantSleepsAndGoes(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	if _, err := r.deployed("shop", "1"); err != nil {
		t.Fatal(err)
	}
	r.sleeps("shop")
	r.want("/shop", 200, "1")
	r.sleeps("shop")
	if _, err := r.deployed("shop", "2"); err != nil {
		t.Fatal(err)
	}
	r.want("/shop", 200, "2")
	if !r.doze("shop") || !r.doze("app") {
		t.Fatal("they do not sleep")
	}
	if err := r.backend().Remove(t.Context(), "shop", false, 0); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.get("/shop"); status != 404 {
		t.Errorf("status %d, want 404", status)
	}
}

// TestWhoNeverSleeps: instances that are to be kept, and a health check at the start.
func TestWhoNeverSleeps(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	r.manifest("kept", "[instances]\nmin = 1\n")
	r.write("kept", "1")
	r.event(EventReady, "kept")
	if r.doze("kept") {
		t.Error("instances.min does not hold")
	}
	r.manifest("sick", "[health]\npath = \"/\"\n")
	r.write("sick", "1")
	r.event(EventReady, "sick")
	if d := r.siteOf("sick").live.Load(); d == nil || d.pool.Stats().Requests != 1 {
		t.Error("it serves without its health check")
	}
	if !r.doze("sick") {
		t.Error("one that was found healthy does not sleep")
	}
	r.want("/sick", 200, "1")
}

func TestSleeperShowsFilesAndRunsJobs(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	r.manifest("pages", "[static]\n\"/s\" = \"s\"\n[cron]\n\"/job\" = \"* * * * *\"\n")
	if err := os.MkdirAll(filepath.Join(r.root, "pages", "s"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.put(filepath.Join(r.root, "pages", "s", "a.txt"), "text")
	r.write("pages", "1")
	r.event(EventReady, "pages")
	for range 2 {
		r.doze("pages")
		r.want("/pages/s/a.txt", 200, "text")
	}
	if at := r.backend().Statuses()[1].LastCall; at == nil {
		t.Error("a file that was asked for is no call")
	}
	r.sleeps("pages")
	jobs, err := r.backend().Jobs("pages")
	if err != nil || len(jobs) != 1 {
		t.Errorf("%v, %v", jobs, err)
	}
	if err := r.backend().RunJob(t.Context(), "pages", "/job"); err != nil {
		t.Error(err)
	}
	if len(r.host.fleet.limits("pages")) == 0 {
		t.Error("no limits")
	}
}
