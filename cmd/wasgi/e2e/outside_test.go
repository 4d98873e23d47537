package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// outside is a root with the application outside, as reaching has it.
// Of its requirements it gets those that are named.
func (w world) outside(t *testing.T, places map[string]string, more string, requirements ...string) *server {
	t.Helper()
	return w.reaching(t, "outside", places, more, append(requirements, "flask")...)
}

// reaching is a root with an application, as tenants outside and fresh, that
// knows where servers are and may reach all of 127.0.0.1.
// Of its requirements it gets those that are named, or all if none is.
func (w world) reaching(t *testing.T, app string, places map[string]string, more string, requirements ...string) *server {
	t.Helper()
	root := t.TempDir()
	reuse, fresh := filepath.Join(root, "outside"), filepath.Join(root, "fresh")
	copyTree(t, filepath.Join("testdata", "apps", app), reuse)
	if file := places["authority"]; file != "" {
		write(t, reuse, "authority.pem", read(t, file))
	}
	manifest := more + "[network]\nallow = [\"127.0.0.1:*\", \"localhost:*\"]\n[instances]\nmax = 1\n[env]\n"
	for _, name := range slices.Sorted(keysOf(places)) {
		if name != "authority" {
			manifest += fmt.Sprintf("%s = %q\n", name, places[name])
		}
	}
	write(t, reuse, "wasgi.toml", manifest)
	if len(requirements) > 0 {
		write(t, reuse, "requirements.txt", linesOf(read(t, filepath.Join(reuse, "requirements.txt")), requirements))
	}
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	return w.serve(t, launch{root: root, flags: []string{"--egress", "*:*,127.0.0.1:*"}}, "outside", "fresh")
}

// linesOf are the lines of a list of requirements that name one of some packages.
func linesOf(list string, packages []string) string {
	var out strings.Builder
	for line := range strings.Lines(list) {
		if name, _, _ := strings.Cut(line, "=="); slices.Contains(packages, name) {
			out.WriteString(line)
		}
	}
	return out.String()
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// inEach runs a test against both tenants of outside.
func inEach(t *testing.T, s *server, play func(t *testing.T, b *browser)) {
	for _, tenant := range []string{"outside", "fresh"} {
		t.Run(tenant, func(t *testing.T) { play(t, s.site(t, tenant).browser(t)) })
	}
}

// json compares an answer with what a test expects, written as JSON.
func (a answer) json(want string) answer {
	a.t.Helper()
	var got, wanted any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		a.t.Errorf("%s: %v: %s", a.what, err, a.body)
		return a
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		a.t.Fatalf("%s: %v", want, err)
	}
	if !reflect.DeepEqual(got, wanted) {
		a.t.Errorf("%s:\n got %s\nwant %s", a.what, a.body, want)
	}
	return a
}

// TestSockets: what POSIX and asyncio have, against a server that echoes.
func TestSockets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.outside(t, map[string]string{"ECHO": echoServer(t), "NOBODY": "127.0.0.1:" + freePort(t)}, "", "asgiref")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/socket").status(200).json(`{"options": [1, 1, 0], "names": [true, "0.0.0.0", true, true], "lines": ["one\n", "two\n"],
			"peek": ["peek", "peek"], "timeout": "timed out", "blocking": "BlockingIOError", "megabyte": true, "end": "",
			"udp": ["datagram", true, "again"], "refused": "ConnectionRefusedError"}`)
		b.get("/messages").status(200).json(`{"sent": 13, "peeked": "one ", "scattered": [[13, [], 0, null], ["one ", "", "two three"]],
			"whole": ["more", [], 0, null], "descriptors": "[Errno 58] Not supported", "limit": "EMSGSIZE", "end": [0, [], 0, null],
			"udp": ["datagram", [], 0, true], "cut": [7, true, ["dat", "agra"], true], "large": "EMSGSIZE", "lines": ["_write_sendmsg", true]}`)
		b.get("/async").status(200).json(`{"texts": ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"], "thread": "in this thread"}`)
		b.get("/threads").status(200).json(`{"asgiref": true, "locks": true, "pool": [0, 1, 4, 9, 16], "start": "can't start new thread: a guest has one thread; thread pools, asyncio.to_thread and asgiref do their work in it"}`)
	})
}

// TestConnectionsLive: as long as the interpreter that opened them, and never
// longer than its request where each one has its own.
func TestConnectionsLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	silent, ended := silentServer(t)
	s := w.outside(t, map[string]string{"ECHO": echoServer(t), "SILENT": silent}, "[limits]\nrequest_timeout = \"1s\"\n")
	kept := s.site(t, "outside").browser(t)
	for _, count := range []string{"1", "2", "3"} {
		kept.get("/keep").status(200).text(count)
	}
	fresh := s.site(t, "fresh").browser(t)
	for range 3 {
		fresh.get("/keep").status(200).text("1")
	}
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/hang").status(504)
		closes(t, ended, "a request that ran out of time")
		b.get("/").status(200).text("ready\n")
	})
}

// TestFreshConnectionsClose: with the request, whatever the application kept.
func TestFreshConnectionsClose(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	silent, ended := silentServer(t)
	write(t, root, "keeps/wasgi.toml", "isolation = \"fresh\"\n[network]\nallow = [\"127.0.0.1:*\"]\n[env]\nSILENT = \""+silent+"\"\n")
	write(t, root, "keeps/wsgi.py", `import os, socket
kept = []
def application(environ, start_response):
    host, port = os.environ["SILENT"].split(":")
    kept.append(socket.create_connection((host, int(port))))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"kept\n"]
`)
	b := w.serve(t, launch{root: root, flags: []string{"--egress", "127.0.0.1:*"}}, "keeps").site(t, "keeps").browser(t)
	for range 3 {
		b.get("/").status(200).text("kept\n")
		closes(t, ended, "a request that is over")
	}
}

// TestOpenSocketsRefuseSnapshots names the line that opened them.
func TestOpenSocketsRefuseSnapshots(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	silent, _ := silentServer(t)
	host, port, _ := net.SplitHostPort(silent)
	const rest = "\ndef application(environ, start_response):\n    start_response(\"200 OK\", [])\n    return []\n"
	allow := "[network]\nallow = [\"127.0.0.1:*\"]\n"
	write(t, root, "connected/wasgi.toml", allow)
	write(t, root, "connected/wsgi.py", "import socket\n\nkept = socket.create_connection((\""+host+"\", "+port+"))\n"+rest)
	write(t, root, "paired/wasgi.toml", allow)
	write(t, root, "paired/wsgi.py", "import socket\n\n\nkept = socket.socketpair()\n"+rest)
	s := w.serve(t, launch{root: root, flags: []string{"--egress", "127.0.0.1:*"}})
	s.logs(t, `the application keeps files open: a socket to `+silent+` \(opened at /app/wsgi\.py:3\): open them in the request`, 0)
	s.logs(t, `the application keeps files open: a socket of a pair \(opened at /app/wsgi\.py:4\), a socket of a pair`, 0)
}

// TestNetworkPolicy: nothing is allowed until it is named, and Python is told by
// which rule. Row 64 of the catalogue through the whole way; its table is in
// host/egress.
func TestNetworkPolicy(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	echo := echoServer(t)
	host, port, _ := net.SplitHostPort(echo)
	for name, manifest := range map[string]string{
		"nothing": "", "named": "[network]\nallow = [\"127.0.0.1:" + port + "\", \"169.254.0.0/16:80\"]\n",
		"above": "[network]\nallow = [\"127.0.0.2:80\", \"*:*\"]\n", "few": "[network]\nallow = [\"127.0.0.1:*\"]\nconnections = 0\n",
	} {
		copyTree(t, filepath.Join("testdata", "apps", "outside"), filepath.Join(root, name))
		write(t, root, name+"/wasgi.toml", manifest)
		write(t, root, name+"/requirements.txt", "flask==3.1.3\n")
	}
	s := w.serve(t, launch{root: root, flags: []string{"--egress", "*:*,127.0.0.1:*,169.254.0.0/16:*"}}, "nothing", "named", "above", "few")
	try := func(tenant, host, port string) answer {
		t.Helper()
		q := url.Values{"host": {host}, "port": {port}}
		return s.site(t, tenant).browser(t).get("/connect?" + q.Encode()).status(200)
	}
	try("named", host, port).json(`{"answer": "hello"}`)
	for _, c := range []struct{ tenant, host, port, rule string }{
		{"nothing", host, port, "loopback"}, {"nothing", "8.8.8.8", "80", "network.allow"}, {"nothing", "db.example", "5432", "network.allow"},
		{"named", host, "1", "loopback"}, {"named", "127.0.0.2", port, "loopback"}, {"named", "169.254.169.254", "80", "metadata"},
		{"named", "::ffff:169.254.169.254", "80", "metadata"}, {"named", "2130706433", port, "network.allow"},
		{"named", "0.0.0.0", port, "unspecified"}, {"named", "::1", port, "loopback"}, {"named", "::", port, "unspecified"},
		{"above", "127.0.0.2", "80", "loopback"}, {"few", host, port, "network.connections"},
	} {
		a := try(c.tenant, c.host, c.port)
		a.has(`"error":"PermissionError"`, "(rule "+c.rule+")")
	}
	for _, text := range []string{"rule=loopback what=" + echo, "rule=metadata what=169.254.169.254:80", "rule=network.connections"} {
		s.logs(t, regexp.QuoteMeta(text), 0)
	}
}

// TestPostgreSQL: pg8000 and SQLAlchemy, and a kill in the middle of a query.
func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.outside(t, map[string]string{"POSTGRES": postgres(t)}, "[limits]\nrequest_timeout = \"8s\"\n", "pg8000", "sqlalchemy")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/postgres").status(200).json(`{"text": "Zürich ✓", "count": 1}`)
		b.get("/postgres/count").status(200).text("42")
		b.get("/postgres/count").status(200).text("42")
		b.get("/sqlalchemy").status(200).json(`{"titles": ["one", "two"]}`)
		b.get("/postgres/sleep").status(504)
		b.get("/postgres/sleeping").status(200).text("0 still sleep\n")
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.outside(t, map[string]string{"REDIS": redisServer(t)}, "", "redis")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/redis").status(200).json(`{"value": "value ✓", "list": [1, 2, 3], "ttl": true}`)
	})
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.outside(t, map[string]string{"MARIADB": mariadb(t)}, "", "pymysql")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/mariadb").status(200).json(`{"texts": ["eins", "zwei ✓"]}`)
	})
}

func TestMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	smtp, mails := mailServer(t)
	s := w.outside(t, map[string]string{"SMTP": smtp}, "")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/mail").status(200).json(`{"refused": {}}`)
		mail := <-mails
		for _, text := range []string{"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n", "\r\n\r\nHello from the sandbox.\r\n"} {
			if !strings.Contains(mail, text) {
				t.Errorf("the mail lacks %q:\n%s", text, mail)
			}
		}
	})
}

// TestWebClients: HTTP and HTTPS with urllib, requests, urllib3 and httpx, where
// the server's certificate counts.
func TestWebClients(t *testing.T) {
	t.Parallel()
	w, a := newWorld(t), newAuthority(t)
	plain, secure := webServer(t, a)
	_, port, _ := net.SplitHostPort(secure)
	s := w.outside(t, map[string]string{"HTTP": plain, "HTTPS": "localhost:" + port, "authority": a.authority}, "", "requests", "urllib3", "httpx")
	page := `[[200, "a page of nginx\n"], [200, "a page of nginx\n"]]`
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/fetch").status(200).json(`{"urllib_": ` + page + `, "requests_": ` + page + `, "urllib3_": ` + page +
			`, "httpx_": ` + page + `, "httpx_async": ` + page + `}`)
		b.get("/tls").status(200).json(`{"version": "TLSv1.3", "subject": {"commonName": "localhost"},
			"stranger": "unable to get local issuer certificate",
			"name": "Hostname mismatch, certificate is not valid for 'other.example'.", "authorities": true}`)
		b.get("/moved").status(200).json(`{"error": "PermissionError", "metadata": true}`)
	})
}

// TestPythonConnects: a command reaches whom its command line names, and nobody
// else.
func TestPythonConnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	echo := echoServer(t)
	host, port, _ := net.SplitHostPort(echo)
	const program = `import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as s:
        s.sendall(b"hello")
        print(s.recv(10))
except PermissionError as e:
    print(e)
`
	w.python(t, "--allow", echo, "-c", program, host, port).exited(0).printed("b'hello'\n")
	w.python(t, "--allow", "127.0.0.2:*", "-c", program, host, port).exited(0).printed("the network policy refuses " + echo + " (rule loopback)")
	w.python(t, "--allow", "nowhere", "-c", program, host, port).exited(2)
}

// TestNobodyListens: each kind of socket that does more than connect is refused
// by a rule of its own, whatever the policy allows, and the log says so.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	const program = `import asyncio, socket
def say(name, call, *args):
    try:
        print(name, "works", call(*args))
    except PermissionError as e:
        print(name, str(e).rpartition("(")[2].partition(")")[0])
async def serve():
    await asyncio.start_server(print, "127.0.0.1", 0)
async def datagrams():
    await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 5353))
say("bind", socket.socket().bind, ("127.0.0.1", 8080))
say("listen", socket.socket().listen)
say("server", socket.create_server, ("", 0))
say("asyncio", asyncio.run, serve())
say("datagrams", asyncio.run, datagrams())
say("raw", socket.socket, socket.AF_INET, 3)
say("unix", socket.socket, 3)
`
	o := newWorld(t).python(t, "--allow", "*:*", "--allow", "127.0.0.1:*", "-c", program).exited(0).
		printed("bind rule bind\nlisten rule listen\nserver rule listen\nasyncio rule bind\ndatagrams rule bind\nraw rule raw\nunix rule unix\n")
	o.lacked("works")
	o.complained("rule=listen", "rule=raw", "rule=unix", "rule=bind")
}

// TestUpgradesAreRefused with the reason, in both isolations.
func TestUpgradesAreRefused(t *testing.T) {
	t.Parallel()
	s := newWorld(t).outside(t, nil, "")
	inEach(t, s, func(t *testing.T, b *browser) {
		b.get("/", header("Connection", "Upgrade"), header("Upgrade", "websocket")).status(501).has("This server speaks HTTP only: it cannot change to WebSocket or another protocol")
	})
}
