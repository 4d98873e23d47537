package e2e

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// capped makes connections and moves bytes as it is told, and says what came of it.
const capped = `import json, os, select, socket
from urllib.parse import parse_qsl
HOST, _, PORT = os.environ["PEER"].rpartition(":")

def connect():
    return socket.create_connection((HOST, int(PORT)), timeout=60)

def said(call, *args):
    try:
        return call(*args)
    except OSError as e:
        return type(e).__name__ + ": " + str(e)

def connections(n):
    """n at once, one more, and one after one was closed."""
    open = [connect() for _ in range(n)]
    more = said(connect)
    open.pop().close()
    again = said(connect)
    if not isinstance(again, str):
        open.append(again)
    out = [len(open), more]
    for s in open:
        s.close()
    return out

def bytes_(n):
    """Sends and gets back n bytes by one connection, and then another one."""
    with connect() as s:
        s.sendall(bytes(n // 2))
        out = [len(s.recv(n // 2, socket.MSG_WAITALL)), said(s.send, b"x"), said(s.recv, 1)]
    with connect() as s:
        s.sendall(b"y")
        out.append(s.recv(1).decode())
    return out

def rate(n):
    """Sends much more than the rate at once: the next byte has to wait."""
    with connect() as s:
        out = [s.send(bytes(n))]
        s.settimeout(0.01)
        out += [said(s.send, b"x"), said(s.recv, 1)]
        s.setblocking(False)
        out += [said(s.send, b"x"), [len(l) for l in select.select([s], [s], [], 0.01)]]
    return out

def slow(n):
    """Sends a little more than the rate, several times: all comes, later."""
    with connect() as s:
        for _ in range(3):
            s.sendall(bytes(n))
        s.shutdown(socket.SHUT_WR)
        return s.recv(1).decode()

PAGES = {f.__name__: f for f in (connections, bytes_, rate, slow)}

def application(environ, start_response):
    q = dict(parse_qsl(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(PAGES[environ["PATH_INFO"].strip("/")](int(q["n"]))).encode()]
`

// capping is a root with the application capped, a tenant of each name in each
// isolation, with a line of the table [network] for each.
func (w world) capping(t *testing.T, peer string, caps map[string]string, flags ...string) (s *server, metrics func() string) {
	t.Helper()
	root, socket := t.TempDir(), filepath.Join(t.TempDir(), "admin")
	var tenants []string
	for name, line := range caps {
		for _, isolation := range []string{"reuse", "fresh"} {
			tenant := name + "-" + isolation
			write(t, root, tenant+"/wsgi.py", capped)
			write(t, root, tenant+"/wasgi.toml", "isolation = \""+isolation+"\"\n[network]\nallow = [\""+peer+"\"]\n"+line+"\n[instances]\nmax = 1\n[env]\nPEER = \""+peer+"\"\n")
			tenants = append(tenants, tenant)
		}
	}
	s = w.serve(t, launch{root: root, flags: append(flags, "--egress", "127.0.0.1:*", "--admin-listen", "unix:"+socket)}, tenants...)
	admin := unixBrowser(t, s, socket)
	return s, func() string { return "\n" + admin.get("/metrics").status(200).body }
}

// counts waits until the metrics of a tenant have all that is named: a worker
// tells its bytes a moment later.
func counts(t *testing.T, tenant string, metrics func() string, wanted map[string]int) {
	t.Helper()
	for series, n := range wanted {
		name, label, _ := strings.Cut(series, " ")
		if label != "" {
			label += ","
		}
		line := fmt.Sprintf("\nwasgi_egress_%s{%stenant=%q} %d\n", name, label, tenant, n)
		becomes(t, "the metrics have"+line, func() bool { return strings.Contains(metrics(), line) })
	}
}

// sink takes what comes, counts it, and says when a connection has said all.
func sink(t *testing.T) (address string, taken *atomic.Int64) {
	taken = new(atomic.Int64)
	return acceptor(t, func(c net.Conn) {
		b := make([]byte, 1<<16)
		for {
			n, err := c.Read(b)
			taken.Add(int64(n))
			if err == io.EOF {
				_, _ = io.WriteString(c, "k")
			}
			if err != nil {
				return
			}
		}
	}), taken
}

func refusal(rule, peer, hint string) string {
	return fmt.Sprintf("PermissionError: [Errno 76] the network policy refuses %s (rule %s): %s", peer, rule, hint)
}

// TestConnectionsAreCapped by the manifest, and by the host for all tenants.
func TestConnectionsAreCapped(t *testing.T) {
	t.Parallel()
	w, peer := newWorld(t), echoServer(t)
	s, metrics := w.capping(t, peer, map[string]string{"own": "connections = 2", "host": "connections = 50"}, "--egress-connections", "3")
	for name, c := range map[string]struct {
		n          int
		rule, hint string
	}{
		"own":  {2, "network.connections", "the application has as many connections as network.connections allows"},
		"host": {3, "egress_connections", "the applications have as many connections as the host's egress_connections allows"},
	} {
		for _, tenant := range []string{name + "-reuse", name + "-fresh"} {
			b := s.site(t, tenant).browser(t)
			for round := 1; round <= 2; round++ {
				b.get(fmt.Sprintf("/connections?n=%d", c.n)).status(200).json(fmt.Sprintf("[%d, %q]", c.n, refusal(c.rule, peer, c.hint)))
				counts(t, tenant, metrics, map[string]int{
					"connections": 0, "connections_total": round * (c.n + 1), `refused_total rule="` + c.rule + `"`: round,
				})
				s.logs(t, regexp.QuoteMeta(fmt.Sprintf(`msg="the network policy refused the application" tenant=%s rule=%s what=%s count=%d`, tenant, c.rule, peer, round)), 0)
			}
		}
	}
}

// TestBytesAreCapped: a connection ends at its cap, with the last byte delivered;
// the next one has a cap of its own.
func TestBytesAreCapped(t *testing.T) {
	t.Parallel()
	w, peer := newWorld(t), echoServer(t)
	s, metrics := w.capping(t, peer, map[string]string{"few": "bytes = \"4KiB\""})
	const hint = "the connection has carried all that network.bytes allows"
	for _, tenant := range []string{"few-reuse", "few-fresh"} {
		said := refusal("network.bytes", peer, hint)
		s.site(t, tenant).browser(t).get("/bytes_?n=4096").status(200).json(fmt.Sprintf("[2048, %q, %q, %q]", said, said, "y"))
		counts(t, tenant, metrics, map[string]int{
			`bytes_total direction="sent"`: 2049, `bytes_total direction="received"`: 2049, `refused_total rule="network.bytes"`: 1,
			"connections": 0, "connections_total": 2,
		})
		s.logs(t, regexp.QuoteMeta(fmt.Sprintf("tenant=%s rule=network.bytes what=%s count=1", tenant, peer)), 0)
	}
}

// TestRatesAreCapped: who has sent more than the rate waits, which is no refusal. A
// minute's worth at once leaves nothing for the time of a test.
func TestRatesAreCapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	peer, taken := sink(t)
	for name, flags := range map[string][]string{"own": nil, "host": {"--egress-rate", "256"}} {
		line := map[string]string{"own": "rate = \"256\"", "host": ""}[name]
		s, metrics := w.capping(t, peer, map[string]string{name: line}, flags...)
		for _, tenant := range []string{name + "-reuse", name + "-fresh"} {
			if tenant == "host-fresh" {
				continue // the host's bucket is empty already
			}
			taken.Store(0)
			s.site(t, tenant).browser(t).get("/rate?n=65536").status(200).
				json(`[65536, "TimeoutError: timed out", "TimeoutError: timed out", "BlockingIOError: [Errno 6] Resource temporarily unavailable", [0, 0, 0]]`)
			becomes(t, "all has come that was sent", func() bool { return taken.Load() == 65536 })
			counts(t, tenant, metrics, map[string]int{`bytes_total direction="sent"`: 65536, `bytes_total direction="received"`: 0, "connections": 0})
		}
		if text := metrics(); strings.Contains(text, "\nwasgi_egress_refused_total{") {
			t.Errorf("slowness counts as a refusal: %s", text)
		}
	}
	s, metrics := w.capping(t, peer, map[string]string{"some": "rate = \"64KiB\""})
	for _, tenant := range []string{"some-reuse", "some-fresh"} {
		taken.Store(0)
		s.site(t, tenant).browser(t).get("/slow?n=70000").status(200).json(`"k"`)
		if n := taken.Load(); n != 210000 {
			t.Errorf("%s: %d bytes have come", tenant, n)
		}
		counts(t, tenant, metrics, map[string]int{`bytes_total direction="sent"`: 210000, `bytes_total direction="received"`: 1})
	}
}
