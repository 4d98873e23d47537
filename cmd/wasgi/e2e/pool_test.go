package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// pooled is a root with the application pooled in both isolations, whose manifests
// have a pool for the database.
func (w world) pooled(t *testing.T, database, pool string, tenants ...string) *server {
	t.Helper()
	root := t.TempDir()
	for _, name := range tenants {
		dir := filepath.Join(root, name)
		copyTree(t, filepath.Join("testdata", "apps", "pooled"), dir)
		write(t, dir, "wasgi.toml", "[network]\nallow = [\""+database+"\"]\n[network.pool]\npostgresql = [\""+database+"\"]\n"+pool+
			"[limits]\nrequest_timeout = \"10s\"\n[env]\nPOSTGRES = \""+database+"\"\n")
		if name != "reuse" {
			prepend(t, dir, "isolation = \"fresh\"\n")
		}
	}
	return w.serve(t, launch{root: root, flags: []string{"--egress", "127.0.0.1:*"}}, tenants...)
}

// number is what a page says that answers with one.
func (a answer) number() (n int) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.status(200).body), &n); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	return n
}

// TestPoolKeepsNothing: one connection, whose sessions leave all that a session can
// leave. Nobody sees anything of the one before.
func TestPoolKeepsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.pooled(t, postgres(t), "size = 1\n", "reuse", "fresh")
	for _, tenant := range []string{"reuse", "fresh"} {
		t.Run(tenant, func(t *testing.T) {
			b := s.site(t, tenant).browser(t)
			page := "/dirty?close"
			if tenant == "fresh" {
				page = "/dirty"
			}
			for range 3 {
				first := b.get(page).number()
				var got struct {
					PID                                                                int
					Application, Timeout, Path, Secret, Sequence                       string
					Temporary, Prepared, Locks, Channels, Cursors, Rows, Notifications int
				}
				a := b.get("/state").status(200)
				if err := json.Unmarshal([]byte(a.body), &got); err != nil {
					t.Fatal(err)
				}
				want := got
				want.PID, want.Application, want.Timeout, want.Path, want.Secret, want.Sequence = first, "", "0", `"$user", public`, "", "55000"
				want.Temporary, want.Prepared, want.Locks, want.Channels, want.Cursors, want.Rows, want.Notifications = 0, 0, 0, 0, 0, 0, 0
				if got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		})
	}
}

// TestPool: what drivers do goes through the pool as it does without one, in each
// isolation.
func TestPool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.pooled(t, postgres(t), "size = 4\n", "reuse", "fresh", "other")
	for _, tenant := range []string{"reuse", "fresh"} {
		t.Run(tenant, func(t *testing.T) {
			b := s.site(t, tenant).browser(t)
			b.get("/orm").status(200).json(`["one", "zwei ✓"]`)
			b.get("/big").status(200).text("6291456")
			b.get("/copied").status(200).text("3")
			b.get("/wrong").status(200).text(`"28P01"`)
			pid := b.get("/pid").number()
			b.get("/wrong").status(200).text(`"28P01"`)
			if b.get("/alive?pid="+strconv.Itoa(pid)).number() != 1 {
				t.Errorf("a wrong password has cost the connection of process %d", pid)
			}
		})
	}
	t.Run("tenants", func(t *testing.T) {
		a, b := s.site(t, "fresh").browser(t).get("/pid").number(), s.site(t, "other").browser(t).get("/pid").number()
		if a == b {
			t.Errorf("two tenants have had the same connection %d", a)
		}
		if again := s.site(t, "fresh").browser(t).get("/pid").number(); again == b {
			t.Errorf("fresh had %d, and now %d of another tenant", a, again)
		}
	})
	t.Run("dead", func(t *testing.T) {
		a, b := s.site(t, "fresh").browser(t), s.site(t, "other").browser(t)
		before := a.get("/pid").number()
		b.get("/ended").status(200).text(`"ended"`)
		if after := a.get("/pid").number(); after == before {
			t.Errorf("the session %d was ended, and answers", before)
		}
	})
}

// TestPoolHasLimits: who finds none free waits, and is told.
func TestPoolHasLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	database := postgres(t)
	s := w.pooled(t, database, "size = 1\nwait = \"1s\"\n", "reuse", "fresh")
	for _, tenant := range []string{"reuse", "fresh"} {
		t.Run(tenant, func(t *testing.T) {
			b := s.site(t, tenant).browser(t)
			b.get("/two").status(200).json(`{"code": "53300", "text": "all 1 connections of network.pool to ` + database +
				` are in use, and none has come free for 1s: raise network.pool.size, or close connections sooner"}`)
			b.get("/pid").number()
		})
	}
}

// TestPoolLosesNobody: a request that is ended in the middle of something leaves
// nothing at the server, and its connection serves nobody else.
func TestPoolLosesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.pooled(t, postgres(t), "size = 1\n", "fresh", "reuse", "watch")
	watch := s.site(t, "watch").browser(t)
	b := s.site(t, "fresh").browser(t)
	before := b.get("/pid").number()
	b.get("/halfway").status(200).text(`"left"`)
	if after := b.get("/pid").number(); after == before {
		t.Errorf("the session %d was left in the middle of COPY, and is used again", before)
	}
	for _, tenant := range []string{"fresh", "reuse"} {
		s.site(t, tenant).browser(t).get("/sleep").status(504)
		watch.get("/others?name=sleeper").status(200).text("0")
		s.site(t, tenant).browser(t).get("/pid").number()
	}
}

// TestPoolOutlivesRestarts of the whole server: who asks meanwhile is told, nobody
// gets a connection of before, and the first request afterwards works.
func TestPoolOutlivesRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	database := postgresDaemon(t).run(t)
	s := w.pooled(t, database.address(), "size = 3\n", "reuse", "fresh")
	down := `{"code": "08001", "text": "the server ` + database.address() + ` of network.pool cannot be reached: connection refused"}`
	held := s.site(t, "reuse").browser(t)
	for range 2 {
		pids := map[string]int{"held": held.get("/held").number()}
		for _, tenant := range []string{"reuse", "fresh"} {
			b := s.site(t, tenant).browser(t)
			pids[tenant] = b.get("/pid").number()
		}
		if pids["held"] == pids["reuse"] || pids["held"] == pids["fresh"] {
			t.Errorf("a connection serves two at once: %v", pids)
		}
		database.end(t)
		for _, tenant := range []string{"reuse", "fresh"} {
			for range 2 {
				s.site(t, tenant).browser(t).get("/asked").status(200).json(down)
			}
		}
		if !database.begin(t) {
			t.Fatal("the database does not start again")
		}
		held.get("/held").status(200).text(`"network error"`) // which pg8000 makes of the server's 57P01 and its end
		for _, tenant := range []string{"reuse", "fresh"} {
			s.site(t, tenant).browser(t).get("/pid").number()
		}
		held.get("/held").number()
	}
}

// TestNetworkCounts: what an application does with the network can be read, in the
// metrics and by who operates it. A worker's bytes come a moment later.
func TestNetworkCounts(t *testing.T) {
	t.Parallel()
	w, root, socket := newWorld(t), t.TempDir(), filepath.Join(t.TempDir(), "admin")
	echo := echoServer(t)
	write(t, root, "talks/wasgi.toml", "[network]\nallow = [\""+echo+"\"]\n[env]\nECHO = \""+echo+"\"\n")
	write(t, root, "talks/wsgi.py", `import os, socket
def application(environ, start_response):
    host, port = os.environ["ECHO"].split(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(b"12345")
        s.recv(5, socket.MSG_WAITALL)
    try:
        socket.create_connection((host, 1))
    except PermissionError:
        pass
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"talked"]
`)
	s := w.serve(t, launch{root: root, flags: []string{"--egress", "127.0.0.1:*", "--admin-listen", "unix:" + socket}}, "talks")
	for range 3 {
		s.site(t, "talks").browser(t).get("/").status(200)
	}
	admin := unixBrowser(t, s, socket)
	wanted := []string{
		`wasgi_egress_connections{tenant="talks"} 0`, `wasgi_egress_connections_total{tenant="talks"} 3`,
		`wasgi_egress_refused_total{rule="loopback",tenant="talks"} 3`,
		`wasgi_egress_bytes_total{direction="sent",tenant="talks"} 15`, `wasgi_egress_bytes_total{direction="received",tenant="talks"} 15`,
	}
	missing := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text := "\n" + admin.get("/metrics").status(200).body
		i := slices.IndexFunc(wanted, func(line string) bool { return !strings.Contains(text, "\n"+line+"\n") })
		if i < 0 {
			return
		}
		missing = wanted[i]
	}
	t.Errorf("the metrics never have %s", missing)
}
