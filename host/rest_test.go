package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestLostBeforeItServes: whoever opens a dormant release finds a site that serves,
// however early. Everything that a fleet and its reader do is not recovered.
func TestLostBeforeItServes(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: found})
	r.ready("app")
	r.host.events.listen(func(e Event) {
		if s := r.siteOf("late"); s != nil && e.Tenant == "late" {
			s.rouse()
		}
	})
	r.maker.sleep(func(m *fakeMaker) { m.lost = errors.New("it is damaged") })
	r.manifest("late", "isolation = \"fresh\"\n") // there is a hint about that
	r.write("late", "1")
	r.event(EventReady, "late")
	r.want("/late", 200, "1")
}

// TestOlderReleaseIsNotLost: one whose snapshot was written over by a release that
// failed afterwards stays awake.
func TestOlderReleaseIsNotLost(t *testing.T) {
	r := start(t, setup{app: func(c fakeCall) error {
		if c.version == "sick" {
			return c.say(500, "sick")
		}
		return c.say(200, c.version)
	}, maker: func(m *fakeMaker) {
		m.stores = true
		m.building = func(_ application, version string) error {
			m.sleep(func(m *fakeMaker) { m.replaced = version == "sick" })
			return nil
		}
	}})
	r.ready("app")
	r.manifest("app", "[health]\npath = \"/\"\n")
	r.event(EventReady, "app")
	r.write("app", "sick")
	r.event(EventFailed, "app")
	if r.doze("app") {
		t.Error("it sleeps although its snapshot is another one's")
	}
	r.want("/app", 200, "1")
}

// TestShortageIsNoLoss: a machine that is short of descriptors costs a request, not
// the release.
func TestShortageIsNoLoss(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.sleeps("app")
	r.maker.sleep(func(m *fakeMaker) { m.lost = fmt.Errorf("opening it: %w", syscall.EMFILE) })
	for range 2 {
		res, _ := r.dial().send("GET /app HTTP/1.1\nHost: a\nConnection: close\n\n").response("GET")
		if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" {
			t.Errorf("%d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	if s := r.host.Status()[0]; s.State != Serving || s.Err != nil {
		t.Errorf("%+v", s)
	}
	r.maker.sleep(func(m *fakeMaker) { m.lost = nil })
	r.want("/app", 200, "1")
	r.woken(1)
}

// TestLinkIsTurnedUnderASleeper: what serves is the release before, its files
// included, when the new one cannot.
func TestLinkIsTurnedUnderASleeper(t *testing.T) {
	var folders []string
	r := start(t, setup{app: sayVersion, maker: func(m *fakeMaker) {
		m.stores = true
		m.building = cannotImport("broken")
		m.waking = func(a application) { folders = append(folders, a.folder) }
	}})
	r.ready("app")
	away := t.TempDir()
	for name, version := range map[string]string{"v1": "1", "v2": "broken"} {
		dir := filepath.Join(away, name)
		if err := os.MkdirAll(filepath.Join(dir, "s"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.put(filepath.Join(dir, "wsgi.py"), "def application(environ, start_response): pass  # version:"+version+"\n")
		r.put(filepath.Join(dir, "wasgi.toml"), "[static]\n\"/s\" = \"s\"\n")
		r.put(filepath.Join(dir, "s", "a.txt"), name)
	}
	link, next := filepath.Join(r.root, "linked"), filepath.Join(r.root, ".next")
	if err := os.Symlink(filepath.Join(away, "v1"), link); err != nil {
		t.Fatal(err)
	}
	r.event(EventReady, "linked")
	r.sleeps("linked")
	if err := errors.Join(os.Symlink(filepath.Join(away, "v2"), next), os.Rename(next, link)); err != nil {
		t.Fatal(err)
	}
	r.event(EventFailed, "linked")
	r.want("/linked/s/a.txt", 200, "v1")
	if len(folders) != 1 || filepath.Base(folders[0]) != "v1" {
		t.Errorf("woken in %v, want in v1", folders)
	}
}

// TestQuotasAreSharedAfterASleep: everything of a tenant counts together.
func TestQuotasAreSharedAfterASleep(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.sleeps("app")
	r.manifest("app", "[data]\npersistent = true\nquota = \"7MiB\"\n")
	r.event(EventReady, "app")
	s := r.siteOf("app")
	if d := s.live.Load(); d == nil || d.quotas == nil || d.quotas != s.quotasOf(d.tenant) {
		t.Error("what serves has quotas of its own")
	}
}

// TestWakingIsNoQueue: a tenant that lets nobody wait for an instance lets all wait
// for its waking.
func TestWakingIsNoQueue(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.manifest("q", "[instances]\nqueue = 0\nmax = 8\n")
	r.write("q", "1")
	r.event(EventReady, "q")
	r.sleeps("q")
	s := r.siteOf("q")
	z := s.opening() // another request is at it
	var all, begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		all.Go(func() {
			c := r.dial().send("GET /q HTTP/1.1\nHost: a\nConnection: close\n\n")
			begun.Done()
			if res, body := c.response("GET"); res.StatusCode != 200 {
				t.Errorf("%d %q", res.StatusCode, body)
			}
		})
	}
	begun.Wait()
	if err := s.open(z); err != nil {
		t.Error(err)
	}
	all.Wait()
}

// TestNobodySleepsUnderARequest: doze and a request at the same moment.
func TestNobodySleepsUnderARequest(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	r := start(t, setup{app: func(c fakeCall) error {
		close(entered)
		<-leave
		return c.say(200, "whole")
	}, maker: storing})
	r.ready("app")
	c := r.dial().send("GET /app HTTP/1.1\nHost: a\nConnection: close\n\n")
	<-entered
	s := r.siteOf("app")
	if s.doze(time.Now().Add(time.Hour)) {
		t.Error("it sleeps")
	}
	close(leave)
	if res, body := c.response("GET"); res.StatusCode != 200 || body != "whole" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// TestManySleepAndWake: whatever comes together, nobody gets anything but an answer,
// and no call is lost count of.
func TestManySleepAndWake(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	answered := make(chan struct{})
	var dozing, all sync.WaitGroup
	dozing.Go(func() {
		n := 0
		for range answered {
			if n++; n%8 == 0 { // a request tries again three times
				r.doze("app")
			}
		}
	})
	const clients, calls = 4, 100
	for range clients {
		all.Go(func() {
			for range calls {
				r.want("/app", 200, "1")
				answered <- struct{}{}
			}
		})
	}
	all.Wait()
	close(answered)
	dozing.Wait()
	if got := r.backend().Statuses()[0].Requests; got != clients*calls {
		t.Errorf("%d requests are told, want %d", got, clients*calls)
	}
	if woken, _ := r.maker.sleep(nil); woken == 0 {
		t.Error("it never slept")
	}
}

// TestNobodySleepsThroughAnUpgrade: another process may write over the snapshots.
func TestNobodySleepsThroughAnUpgrade(t *testing.T) {
	r := start(t, setup{app: sayVersion, tenants: []string{"a", "b"}, maker: found})
	r.ready("a", "b")
	rest := r.host.fleet.stayAwake(t.Context())
	r.woken(2)
	r.maker.sleep(func(m *fakeMaker) { m.lost = errors.New("made by another guest") })
	r.want("/a", 200, "1")
	r.want("/b", 200, "1")
	rest()
	if r.host.fleet.watchful.Load() {
		t.Error("nobody sleeps any more")
	}
}

// TestNoReleaseOverOneThatCannotBeWoken: what sleeps would be lost, should the new one
// fail after its snapshot was written.
func TestNoReleaseOverOneThatCannotBeWoken(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.sleeps("app")
	_, made := r.maker.sleep(func(m *fakeMaker) { m.lost = syscall.EMFILE })
	r.write("app", "2")
	if e := r.event(EventFailed, "app"); !errors.Is(e.Err, syscall.EMFILE) {
		t.Errorf("failed with %v", e.Err)
	}
	if _, now := r.maker.sleep(func(m *fakeMaker) { m.lost = nil }); now != made {
		t.Error("it was built all the same")
	}
	if s := r.host.Status()[0]; s.State != Serving || s.Err == nil {
		t.Errorf("%+v", s)
	}
	if status, _ := r.get("/app"); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	r.event(EventReady, "app") // it is tried again
	r.want("/app", 200, "2")
}

// until waits for a state.
func (s *site) until(want State) {
	for {
		s.mu.Lock()
		now, changed := s.state, s.change()
		s.mu.Unlock()
		if now == want {
			return
		}
		<-changed
	}
}

// TestLostAtTheEnd: what is opened while its site ends is nobody's.
func TestLostAtTheEnd(t *testing.T) {
	r := start(t, setup{app: sayVersion, tenants: []string{"app", "gone"}, maker: storing})
	r.ready("app", "gone")
	for _, lost := range []error{errors.New("it is damaged"), syscall.EMFILE, nil} {
		r.sleeps("gone")
		s := r.siteOf("gone")
		z := s.opening()
		if err := os.RemoveAll(filepath.Join(r.root, "gone")); err != nil {
			t.Fatal(err)
		}
		r.event(EventStopped, "gone")
		s.until(Stopped)
		r.maker.sleep(func(m *fakeMaker) { m.lost = lost })
		if err := s.open(z); err != nil {
			t.Errorf("%v: %v", lost, err)
		}
		<-s.gone()
		if d, z := s.both(); d != nil || z != nil || s.now() != Stopped {
			t.Errorf("%v: it serves after its end", lost)
		}
		r.maker.sleep(func(m *fakeMaker) { m.lost = nil })
		r.write("gone", "1")
		r.event(EventReady, "gone")
	}
}

// TestNewReleaseWhileTheOldOneIsOpened: what is opened too late does not serve.
func TestNewReleaseWhileTheOldOneIsOpened(t *testing.T) {
	r := start(t, setup{app: sayVersion, maker: storing})
	r.ready("app")
	r.sleeps("app")
	s := r.siteOf("app")
	z := s.opening()
	im, err := r.maker.wake(z.application, z.image)
	if err != nil {
		t.Fatal(err)
	}
	d := deploy(z.application, im, nil, r.host.fleet)
	s.tally.enter(d)
	if old, asleep := s.swap(d); old != nil || asleep != nil {
		t.Errorf("%v, %v", old, asleep)
	}
	if err := s.open(z); err != nil || s.live.Load() != d {
		t.Errorf("what was opened late serves, %v", err)
	}
	r.want("/app", 200, "1")
}
