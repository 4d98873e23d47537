package e2e

import (
	"fmt"
	"net"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/wasgi/wasgi/host/admin/api"
)

// traffic moves a mebibyte each way, keeps a connection, or asks for what is refused.
const traffic = `import os, socket
HOST, _, PORT = os.environ["ECHO"].rpartition(":")
kept = []

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/mebibyte":
        with socket.create_connection((HOST, int(PORT))) as s:
            for _ in range(16):
                s.sendall(bytes(65536))
                s.recv(65536, socket.MSG_WAITALL)
    if path == "/keep":
        kept.append(socket.create_connection((HOST, int(PORT))))
    if path == "/drop":
        kept.pop().close()
    if path == "/refused":
        try:
            socket.create_connection((HOST, 1))
        except PermissionError:
            pass
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
`

// network is what the API and the table of wasgi tenants show say of a tenant: the
// rows that begin with network and pool. A worker's bytes come a moment later.
func (o *operator) network(tenant string, want *api.Network, rows ...string) {
	o.Helper()
	var got struct {
		Status struct{ Network *api.Network }
	}
	becomes(o.T, fmt.Sprintf("%s has %+v, but %+v", tenant, want, got.Status.Network), func() bool {
		got.Status.Network = nil
		decode(o.T, o.wasgi("tenants", "show", tenant, "--json").exited(0).stdout, &got)
		return reflect.DeepEqual(got.Status.Network, want)
	})
	var shown []string
	for line := range strings.Lines(o.wasgi("tenants", "show", tenant).exited(0).stdout) {
		if row := regexp.MustCompile(`^(network|pool) +(.*\S)`).FindStringSubmatch(line); row != nil {
			shown = append(shown, row[1]+": "+row[2])
		}
	}
	if !reflect.DeepEqual(shown, rows) {
		o.Errorf("%s: rows %q, want %q", tenant, shown, rows)
	}
}

// TestNetworkIsShown to who operates the host, after traffic that is known.
func TestNetworkIsShown(t *testing.T) {
	t.Parallel()
	echo := echoServer(t)
	o := operated(t, "--egress", "127.0.0.1:*")
	write(t, o.root, "talks/wasgi.toml", "[network]\nallow = [\""+echo+"\"]\n[instances]\nmax = 1\n[env]\nECHO = \""+echo+"\"\n")
	write(t, o.root, "talks/wsgi.py", traffic)
	b := o.server.site(t, "talks").browser(t)
	b.get("/").status(200)
	o.network("talks", nil)
	const mebibyte = 1 << 20
	for range 3 {
		b.get("/mebibyte").status(200)
	}
	o.network("talks", &api.Network{Opened: 3, Sent: 3 * mebibyte, Received: 3 * mebibyte},
		"network: 0 connections of 3 are open, 0 refusals, 3.0 MiB sent, 3.0 MiB received")
	for _, path := range []string{"/keep", "/keep", "/refused"} {
		b.get(path).status(200)
	}
	o.network("talks", &api.Network{Open: 2, Opened: 5, Refused: 1, Sent: 3 * mebibyte, Received: 3 * mebibyte},
		"network: 2 connections of 5 are open, 1 refusals, 3.0 MiB sent, 3.0 MiB received")
	b.get("/drop").status(200)
	o.network("talks", &api.Network{Open: 1, Opened: 5, Refused: 1, Sent: 3 * mebibyte, Received: 3 * mebibyte},
		"network: 1 connections of 5 are open, 1 refusals, 3.0 MiB sent, 3.0 MiB received")
}

// TestPoolIsShown with what is idle and what is used; a login's bytes are the
// driver's matter.
func TestPoolIsShown(t *testing.T) {
	t.Parallel()
	database := postgres(t)
	o := operated(t, "--egress", "127.0.0.1:*")
	dir := o.world.app(t, o.root, "pooled")
	host, port, _ := net.SplitHostPort(database)
	write(t, dir, "wasgi.toml", "[network]\nallow = [\""+database+"\"]\n[network.pool]\npostgresql = [\""+database+"\"]\nsize = 4\n"+
		"[instances]\nmax = 1\n[env]\nPOSTGRES = \""+net.JoinHostPort(host, port)+"\"\n")
	b := o.server.site(t, "pooled").browser(t)
	pool := func(open, opened, idle, used int) {
		t.Helper()
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^network +%d connections of %d are open, 0 refusals, 0\.0 MiB sent, 0\.0 MiB received *\n`+
			`pool +%d idle, %d in use of 4 *$`, open, opened, idle, used))
		becomes(t, "the rows are "+row.String(), func() bool { return row.MatchString(o.wasgi("tenants", "show", "pooled").exited(0).stdout) })
	}
	b.get("/pid").number()
	pool(0, 1, 1, 0)
	held := b.get("/held").number()
	pool(1, 2, 0, 1)
	if other := b.get("/pid").number(); other == held {
		t.Errorf("the connection %d serves two at once", held)
	}
	pool(1, 3, 1, 1)
}
