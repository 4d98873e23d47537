package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"pgregory.net/rapid"

	"github.com/wasgi/wasgi/tenants"
)

// oneInstance is a tenant whose next request is refused at once while another
// occupies its interpreter.
const oneInstance = "[instances]\nmax = 1\nqueue = 0\n"

// slowClients opens connections that each wait in another way, and asks the
// tenant meanwhile: with one instance and no queue, one that was occupied would
// be a 503.
func slowClients(g *siege) {
	g.hostile("hostile", oneInstance)
	s := g.serve("--header-timeout", "2s", "--idle-timeout", "2s", "--body-timeout", "2s", "--body-rate", "1MiB", "--max-body", "1MiB").site(g.T, "hostile")
	head := "POST /hostile/ HTTP/1.1\r\nHost: h\r\n"
	var silent, slow, idle []wire
	for range 20 {
		for _, text := range []string{"", "G", "PRI * HTTP/2.0", head, head + "X: y", head + "X: y\r\n"} {
			c := dial(g.T, s)
			c.send("%s", text)
			silent = append(silent, c)
		}
		for _, text := range []string{"Content-Length: 1000\r\n\r\n", "Content-Length: 1000\r\n\r\nanswer", "Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"} {
			c := dial(g.T, s)
			c.send("%s%s", head, text)
			slow = append(slow, c)
		}
	}
	for range 5 {
		c := dial(g.T, s)
		c.send("GET /hostile/ HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answers(http.MethodGet).status(200).text("well\n")
		idle = append(idle, c)
	}
	endless := dial(g.T, s)
	endless.send("%sTransfer-Encoding: chunked\r\n\r\n", head)
	go func() { // ends when the server has had enough
		for {
			if _, err := io.WriteString(endless.conn, "10\r\n0123456789abcdef\r\n"); err != nil {
				return
			}
		}
	}()
	for range 50 {
		s.well(g.T)
	}
	for _, c := range append(silent, idle...) { // without an answer, or with one that says that half a head is none
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 && !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") {
			g.Errorf("a silent connection ended with %q, %v", rest, err)
		}
	}
	for _, c := range slow {
		c.answers(http.MethodPost).status(408).closes()
		c.ends()
	}
	endless.answers(http.MethodPost).status(413).closes()
	s.well(g.T)
	g.note("%d connections waited", len(silent)+len(slow)+len(idle))
}

// vanishingClients are gone at every point of a request: in good order, and with
// a reset.
func vanishingClients(g *siege) {
	g.hostile("hostile", "[instances]\nmax = 1\n")
	server := g.serve()
	s := server.site(g.T, "hostile")
	const code = "start_response('200 OK', [])\ndef body():\n  for _ in range(1000): yield bytes(1000)\nresponse = body()"
	request := fmt.Sprintf("POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(code), code)
	b := s.browser(g.T) // one connection, before and after
	b.get("/").status(200)
	before := descriptors(g, server)
	for round := range 2 * len(request) {
		conn, err := net.Dial("tcp", s.host())
		if err != nil {
			g.Fatal(err)
		}
		if _, err := io.WriteString(conn, request[:round/2+1]); err != nil {
			g.Fatal(err)
		}
		if round%2 == 0 {
			err = conn.(*net.TCPConn).SetLinger(0)
		}
		if err = errors.Join(err, conn.Close()); err != nil {
			g.Fatal(err)
		}
	}
	b.get("/").status(200).text("well\n")
	for give := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) { // connections end when their requests do
		if after := descriptors(g, server); after <= before {
			break
		} else if time.Now().After(give) {
			g.Errorf("%d descriptors are open, %d were", after, before)
			break
		}
	}
	g.note("%d clients", 2*len(request))
}

// descriptors is how many files the server has open.
func descriptors(g *siege, s *server) int {
	g.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		g.Fatal(err)
	}
	return len(open)
}

// slowReader takes nothing of a response that is not held for it. It occupies
// the instance, for as long as write_timeout allows.
func slowReader(g *siege) {
	g.hostile("hostile", "[instances]\nmax = 1\nqueue = 8\n[limits]\nrequest_timeout = \"60s\"\n")
	s := g.serve("--write-timeout", "1s", "--queue-timeout", "60s").site(g.T, "hostile")
	for _, code := range []string{
		"start_response('200 OK', []); response = [bytes(64 << 20)]",
		"start_response('200 OK', []); response = (bytes(1 << 20) for _ in range(10 ** 6))",
		"w = start_response('200 OK', [])\nfor _ in range(10 ** 6): w(bytes(1 << 16))\nresponse = []",
	} {
		c := dial(g.T, s)
		c.send("POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(code), code)
		if _, err := http.ReadResponse(c.in, nil); err != nil {
			g.Fatal(err)
		}
		s.well(g.T) // waits in the queue until the reader is given up
		if _, err := io.Copy(io.Discard, c.in); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			g.Errorf("the connection ended with %v", err)
		}
	}
	// A response that fits the buffer frees the instance before it is sent.
	small := "answer = 'x' * 200000"
	var readers []wire
	for range 5 {
		c := dial(g.T, s)
		c.send("POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(small), small)
		readers = append(readers, c)
	}
	s.well(g.T)
	for _, c := range readers {
		c.answers(http.MethodPost).status(200).length(200000)
	}
}

func manyConnections(g *siege) {
	g.hostile("hostile", oneInstance)
	s := g.serve("--max-connections-per-address", "20").site(g.T, "hostile")
	from := func(address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		return d.DialContext(g.T.Context(), "tcp", s.host())
	}
	closed := 0
	for range 40 {
		c, err := from("127.0.0.2")
		if err != nil {
			g.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /hostile/ HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			closed++
			continue
		}
		if n, _ := c.Read(make([]byte, 1)); n == 0 {
			closed++
		}
	}
	if closed != 20 {
		g.Errorf("%d of 40 connections were closed, want 20", closed)
	}
	s.well(g.T) // from another address
	s.server.logs(g.T, `level=WARN .*max_connections_per_address.* last=127\.0\.0\.2`, 0)
}

func expectGames(g *siege) {
	g.hostile("hostile", oneInstance)
	s := g.serve("--max-body", "1KiB").site(g.T, "hostile")
	ask := func(line, text string) wire {
		c := dial(g.T, s)
		c.send("%s\r\nHost: h\r\n%s", line, text)
		return c
	}
	const post, code = "POST /hostile/ HTTP/1.1", "answer = 'heard'"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(code))
	// The body comes with the question: its answer comes all the same, and the
	// connection stays in step.
	c := ask(post, length+"Expect: 100-Continue\r\n\r\n"+code)
	c.expect("HTTP/1.1 100 Continue\r\n\r\n")
	c.answers(http.MethodPost).status(200).text("heard")
	c.send("GET /hostile/ HTTP/1.1\r\nHost: h\r\n\r\n")
	c.answers(http.MethodGet).status(200).text("well\n")
	// No body to wait for, and a version that knows no 100.
	ask(post, "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n").answers(http.MethodPost).status(200).text("well\n")
	ask("GET /hostile/ HTTP/1.1", "Expect: 100-continue\r\n\r\n").answers(http.MethodGet).status(200).text("well\n")
	ask("POST /hostile/ HTTP/1.0", length+"Expect: 100-continue\r\n\r\n"+code).answers(http.MethodPost).status(200).text("heard")
	// An expectation of another kind.
	c = ask(post, length+"Expect: the-unexpected\r\n\r\n"+smuggled)
	c.answers(http.MethodPost).status(417).closes()
	c.ends()
	// A final answer without the body: what comes then is the body, not a request
	// (CVE-2024-24791, seen from the other side).
	for _, target := range []string{"/nobody/", "/hostile/%zz", "/hostile/"} {
		announced := "Content-Length: 2000\r\n"
		c = ask("POST "+target+" HTTP/1.1", announced+"Expect: 100-continue\r\n\r\n")
		a := c.answers(http.MethodPost).closes()
		if a.resp.StatusCode != 404 && a.resp.StatusCode != 400 && a.resp.StatusCode != 413 {
			g.Errorf("%s: %d", target, a.resp.StatusCode)
		}
		c.ends()
	}
	// An early answer, and the body behind it.
	c = ask("POST /nobody/ HTTP/1.1", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(smuggled), smuggled))
	c.answers(http.MethodPost).status(404)
	c.send("GET /hostile/ HTTP/1.1\r\nHost: h\r\n\r\n")
	c.answers(http.MethodGet).status(200).text("well\n")
}

func spoofedHosts(g *siege) {
	g.hostile("alpha", "hosts = [\"alpha.example\", \"[::1]\", \"192.0.2.1\", \"xn--bcher-kva.example\"]\n")
	g.hostile("wild", "hosts = [\"*.wild.example\"]\n")
	s := g.serve().site(g.T, "neighbour")
	const code = `answer = [environ[k] for k in ("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")]`
	ask := func(line, hosts string) answer {
		c := dial(g.T, s)
		c.send("%s HTTP/1.1\r\n%sConnection: close\r\nContent-Length: %d\r\n\r\n%s", line, hosts, len(code), code)
		a := c.answers(http.MethodPost)
		a.what = line + " " + hosts
		return a
	}
	for host, seen := range map[string]string{
		"alpha.example": "'alpha.example', '80'", "ALPHA.Example": "'ALPHA.Example', '80'", "alpha.example.": "'alpha.example.', '80'", "alpha.example:8080": "'alpha.example', '8080'",
		"alpha.example.:81": "'alpha.example.', '81'", "[::1]": "'::1', '80'", "[0:0::1]:81": "'0:0::1', '81'", "192.0.2.1:81": "'192.0.2.1', '81'", "xn--bcher-kva.example": "'xn--bcher-kva.example', '80'",
		"a.wild.example": "'a.wild.example', '80'", "a.b.WILD.example": "'a.b.WILD.example', '80'",
	} {
		ask("POST /x", "Host: "+host+"\r\n").status(200).text("[" + seen + ", '" + host + "', '', '/x']")
		// The absolute form counts, whatever Host says.
		ask("POST http://"+host+"/x", "Host: evil.example\r\n").status(200).text("[" + seen + ", '" + host + "', '', '/x']")
		ask("POST http://evil.example/x", "Host: "+host+"\r\n").status(404)
	}
	unknown := ""
	for _, host := range []string{"evil.example", "alpha.example.evil.example", "xalpha.example", "wild.example", ".wild.example.evil", "alpha", "127.0.0.1", "localhost", "", "alpha.example..", "192.0.2.01", "0xc0.0.2.1", "alpha_example", "[::2]", "b--cher.example"} {
		a := ask("POST /x", "Host: "+host+"\r\n").status(404)
		text := strings.ReplaceAll(a.body, a.resp.Header.Get("X-Request-Id"), "ID")
		if unknown == "" {
			unknown = text
		}
		if text != unknown {
			g.Errorf("%q: %q, want %q like everybody", host, text, unknown)
		}
	}
	for _, host := range []string{
		"alpha.example evil.example", "alpha.example, evil.example", "alpha.example/", "alpha.example@evil.example", "evil.example:80@alpha.example", "alpha.example:x", "alpha.example:80:80", "alpha.example:99999",
		"alpha.example?x", "alpha.example#x", "alpha.example\\x", "b\xc3\xbccher.example", "alpha%2eexample", "[::1", "::1", "[::1]x", "alpha.example\x00", "alpha.example\x0b", "*", "<b>",
	} {
		ask("POST /x", "Host: "+host+"\r\n").status(400).closes().lacks("alpha", "evil")
	}
	ask("POST /x", "Host: alpha.example\r\nHost: alpha.example\r\n").status(400).closes()
	ask("POST /x", "Host: evil.example\r\nHost: alpha.example\r\n").status(400).closes()
	ask("POST /x", "").status(400).closes()
	ask("POST /x", "Host : alpha.example\r\n").status(400).closes()
	ask("POST /x", "X: y\r\n Host: alpha.example\r\nHost: evil.example\r\n").status(400).closes()
	ask("POST /x", "X-Forwarded-Host: alpha.example\r\nForwarded: host=alpha.example\r\nX-Host: alpha.example\r\nHost: evil.example\r\n").status(404)
}

func spoofedAddresses(g *siege) {
	g.hostile("hostile", "")
	const code = `answer = [environ.get(k) for k in ("REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTPS", "SERVER_PORT", "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")]`
	spoof := []option{
		header("X-Forwarded-For", "203.0.113.9, 192.0.2.1"), header("X-Forwarded-Proto", "https"), header("Forwarded", "for=192.0.2.7;proto=http"), header("X-Real-IP", "192.0.2.2"),
	}
	ask := func(s site, want string, o ...option) {
		g.Helper()
		a := shown(g, s, code, o...).status(200)
		if !strings.HasPrefix(a.body, want) {
			g.Errorf("%s, want %s", a.body, want)
		}
	}
	access := func(name string) []string { return []string{"--access-log", "combined", "--access-log-file", name} }
	nobody, folder := g.world.serve(g.T, launch{root: g.root, flags: access("log")}, "hostile"), g.T.TempDir()
	ask(nobody.site(g.T, "hostile"), "['127.0.0.1', '", spoof...)
	shown(g, nobody.site(g.T, "hostile"), strings.ReplaceAll(code, `"REMOTE_PORT", `, ""), spoof...).status(200).text("['127.0.0.1', 'http', None, '" + port(nobody.site(g.T, "hostile")) + "', None, None, None]")
	s := g.serve(append([]string{"--trusted-proxies", "127.0.0.0/8"}, access(folder+"/log")...)...)
	trusted := s.site(g.T, "hostile")
	ask(trusted, "['192.0.2.1', '', 'https', 'on', '"+port(trusted)+"', '203.0.113.9, 192.0.2.1', None, '192.0.2.2']", spoof...)
	ask(trusted, "['127.0.0.1', '", header("X-Other", "1"))
	ask(trusted, "['192.0.2.1', '', 'http', None", header("X-Forwarded-For", "<b>, 192.0.2.1, 127.0.0.2"))
	for _, bad := range []string{"192.0.2.1, x", "192.0.2.1:x", "[192.0.2.1]", "192.0.2.1 192.0.2.2", "fe80::1%lo"} {
		shown(g, trusted, code, header("X-Forwarded-For", bad)).status(400).lacks("192.0.2")
	}
	g.neighbour.leave()
	if err := s.terminate(g.T); err != nil {
		g.Error(err)
	}
	log, err := os.ReadFile(folder + "/log")
	if err != nil || !strings.Contains(string(log), "192.0.2.1 - ") || strings.Contains(string(log), "203.0.113.9") {
		g.Errorf("the access log: %v\n%s", err, head(string(log)))
	}
}

// port is where a site is listened for.
func port(s site) string {
	_, p, _ := net.SplitHostPort(s.host())
	return p
}

// confusedPaths compares who answers and what it sees with what the router says,
// for paths made of what servers read differently.
func confusedPaths(g *siege) {
	claims := map[string][]string{"a": {"/a"}, "ab": {"/ab", "/a/b"}, "capital": {"/A"}, "latin": {"/\u00e9"}}
	var all []tenants.Tenant
	for name, paths := range claims {
		var quoted []string
		for _, p := range paths {
			quoted = append(quoted, fmt.Sprintf("%q", p))
		}
		manifest := "paths = [" + strings.Join(quoted, ", ") + "]\n"
		if name == "ab" {
			manifest += "isolation = \"fresh\"\n"
		}
		g.hostile(name, manifest)
		all = append(all, tenants.Tenant{Name: name, Dir: "/" + name, Manifest: tenants.Manifest{Paths: paths}})
	}
	s := g.serve().site(g.T, "neighbour")
	router, problems := tenants.NewRouter(append(all, tenants.Tenant{Name: "neighbour", Dir: "/neighbour"}))
	if len(problems) > 0 {
		g.Fatal(problems)
	}
	c := dial(g.T, s)
	part := rapid.SampledFrom([]string{
		"/", "//", "a", "b", "A", "ab", "%61", "%41", "%2f", "%2F", "%5c", ".", "..", "%2e%2e", "%2E", "%00", "%ff", "\xff", "%c3%a9", "\xc3\xa9", "%25", "%252f", ";x=1", ":", "*", "+", "%20", "&", "@", "#", "~", "|", "\"", "<", "%0d%0a", "\\", "a/b",
	})
	const code = `answer = ascii([environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["QUERY_STRING"], environ["REQUEST_URI"]])`
	rounds := 0
	rapid.Check(g.T, func(t *rapid.T) {
		rounds++
		raw := "/" + strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "path"), "")
		query := rapid.SampledFrom([]string{"", "?", "?/a?%2f", "?\xff"}).Draw(t, "query")
		match, err := router.Lookup("h", raw)
		c.send("POST %s%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", raw, query, len(code), code)
		a := c.answers(http.MethodPost)
		if err != nil || match.Tenant == "neighbour" {
			if err != nil && a.resp.StatusCode != 404 {
				t.Fatalf("%q: %d %q, want 404: %v", raw, a.resp.StatusCode, a.body, err)
			}
			return
		}
		want := fmt.Sprintf("['%s', '%s', '%s', '%s']", ascii(match.ScriptName), ascii(match.PathInfo), ascii(strings.TrimPrefix(query, "?")), ascii(raw+query))
		if a.resp.StatusCode != 200 || a.body != want {
			t.Fatalf("%q: %d %s\nwant %s of %s", raw, a.resp.StatusCode, a.body, want, match.Tenant)
		}
	})
	g.note("%d paths", rounds)
}

// ascii is the repr of a str of latin-1 in single quotes. The paths have none.
func ascii(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
