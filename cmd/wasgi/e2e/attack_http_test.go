package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// attacksOnHTTP are the rows in which a client sends what no client should.
func attacksOnHTTP() []attackRow {
	return []attackRow{
		{id: 43, name: "request smuggling", safe: "400 and the end of the connection, nothing behind it is read", run: smuggling},
		{id: 43, name: "CVE-2024-49768 pipelining", safe: "answers in order, and none behind a refusal", run: pipelining},
		{id: 44, name: "HTTP/2 where it is off", safe: "the preface is refused, an offer of h2c ignored", run: noHTTP2},
		{id: 45, name: "odd methods and targets", safe: "CONNECT and TRACE 405, proxies' targets refused", run: oddTargets},
		{id: 46, name: "spoofed variables", safe: "underscores and Proxy are dropped, SERVER_* is the server's", run: spoofedVariables},
		{id: 47, name: "huge heads", safe: "414 and 431", run: hugeHeads},
		{id: 48, name: "slow clients", safe: "each is ended, none occupies the only instance", run: slowClients},
		{id: 48, name: "a slow reader", safe: "its connection ends, the instance is free", run: slowReader},
		{id: 48, name: "connections of one address", safe: "closed above the limit", run: manyConnections},
		{id: 48, name: "CVE-2024-49769 clients that vanish", safe: "no descriptor stays, the next request is answered", run: vanishingClients},
		{id: 49, name: "games with Expect", safe: "100, 417 or a final answer, and the connection in step or closed", run: expectGames},
		{id: 51, name: "static files and redirects of an application without any", safe: "the host shows no file and redirects nobody", run: staticFiles},
		{id: 52, name: "spoofed hosts", safe: "routing and SERVER_NAME agree, others get 400 or 404", run: spoofedHosts},
		{id: 53, name: "spoofed addresses", safe: "REMOTE_ADDR is the peer unless a trusted proxy says otherwise", run: spoofedAddresses},
		{id: 54, name: "paths that two read differently", safe: "the guest sees the bytes that were routed", run: confusedPaths},
		{id: 56, name: "WebSocket", safe: "501, no hijack", run: webSocket},
	}
}

// The list of CVEs behind the catalogue, and the rows that look for them:
//
//	gunicorn CVE-2018-1000164 (35); CVE-2024-1135, CVE-2024-6827, SNYK-541164 (43); #2650 (46)
//	waitress CVE-2019-16785, -16786, -16789, -16792, PYSEC-2020-178, GHSA-m5ff, CVE-2022-24761 (43);
//	         CVE-2024-49768 (43), CVE-2024-49769 (48); CVE-2022-31015, a race of threads it had, is go test -race's
//	net/http CVE-2025-22871, CVE-2023-39326 (43); CVE-2024-24791 (49); GO-2026-6089 (48); GO-2026-6218 (47); HTTP/2's (44)
//	echo     CVE-2020-36565, CVE-2022-40083, CVE-2026-55677, CVE-2026-78667 (51); Scheme() and RealIP() (53)
//	WSGI     CVE-2015-0219, CVE-2016-5385 (46)

// refused sends a stream and wants one answer of this status, and the end.
func refused(g *siege, s site, stream string, status int) {
	g.Helper()
	c := dial(g.T, s)
	if _, err := io.WriteString(c.conn, stream); err != nil {
		g.Fatal(err)
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		g.Fatalf("%.200q: %v", stream, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !resp.Close {
		g.Fatalf("%.200q: %d, %v, closed: %v, want %d and the end", stream, resp.StatusCode, err, resp.Close, status)
	}
	if strings.Contains(string(text), "well") || strings.Contains(string(text), "smuggled") {
		g.Errorf("%.200q: the application answered %q", stream, text)
	}
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		g.Errorf("%.200q: then came %q, %v", stream, rest, err)
	}
}

// smuggled is what an attacker wants to be read as a request of its own.
const smuggled = "POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: 19\r\n\r\nanswer = 'smuggled'\n"

func smuggling(g *siege) {
	g.hostile("hostile", "")
	s := g.serve().site(g.T, "hostile")
	head := "POST /hostile/ HTTP/1.1\r\nHost: h\r\n"
	for _, lines := range []string{
		// CL.TE, TE.CL, TE.TE
		"Content-Length: 6\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 6", "Content-Length: 0\r\ntransfer-encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: xchunked",
		"Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;x",
		"Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: chunked\x0b", "Transfer-Encoding: \x00chunked",
		"Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\n chunked", "X: y\r\n Transfer-Encoding: chunked", " Transfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
		"X: y\rTransfer-Encoding: chunked", "Transfer\\-Encoding: chunked", "Transfer-Encoding", ": chunked", "Transfer Encoding: chunked", "Transfer-Encoding\x00: chunked", "Tr\xe4nsfer-Encoding: chunked",
		// lengths
		"Content-Length: 3\r\nContent-Length: 4", "Content-Length: 3\r\nContent-Length: 3", "Content-Length: +3", "Content-Length: -3", "Content-Length: 0x3", "Content-Length: 3, 3", "Content-Length: 3,4",
		"Content-Length: 1_0", "Content-Length: 3 3", "Content-Length:", "Content-Length: \xb3", "Content-Length: 18446744073709551619", "Content-Length : 3", "Content-Length: 3\n", "Content-Length: 3\rX: y",
		"Content-Length: 3\r\n\tX", "Content-Length: 3\x00", "Content-Length: 3\x0b",
	} {
		refused(g, s, head+lines+"\r\n\r\n0\r\n\r\n"+smuggled, 400)
	}
	for _, body := range []string{
		"0\n\r\n", "0\r\n\n", "\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "-1\r\n\r\n", "1 \r\nx\r\n0\r\n\r\n", "1\nx\n0\n\n", "1;a\nb\r\nx\r\n0\r\n\r\n", "1;\x0b\r\nx\r\n0\r\n\r\n",
		"1\r\nxy\r\n0\r\n\r\n", "1\r\nx\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1;" + strings.Repeat("a", 5000) + "\r\nx\r\n0\r\n\r\n", "ffffffffffffffff\r\nx", "10000000000000001\r\nx\r\n0\r\n\r\n", "1_0\r\n", "g\r\n", "1\r\rx",
		"0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\nX: y\r\n folded\r\n\r\n", "0\r\n" + strings.Repeat("X: y\r\n", 2000) + "\r\n",
	} {
		refused(g, s, head+"Transfer-Encoding: chunked\r\n\r\n"+body+smuggled, 400)
	}
	for _, start := range []string{
		"POST /hostile/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET /hostile/\r\n", "GET /hostile/ HTTP/1.1\nHost: h\r\n\r\n", "\n", "\x00", " ", "GET  /hostile/ HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /hostile/ HTTP/1.1 \r\nHost: h\r\n\r\n", "GET\t/hostile/\tHTTP/1.1\r\nHost: h\r\n\r\n", "GET /hostile/ HTTP/1.1\r\n\r\n", "GET /hostile/ HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "GET /hostile/ HTTP/1.2\r\nHost: h\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET /hostile/ HTTP/1.1\r\nHost: h\r\n\n", "GET /hostile/\x0b HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		refused(g, s, start+smuggled, 400)
	}
	// CVE-2023-39326: little data in much overhead.
	c := dial(g.T, s)
	c.send("%sTransfer-Encoding: chunked\r\n\r\n%s", head, strings.Repeat("1;"+strings.Repeat("a", 200)+"\r\nx\r\n", 1000))
	c.answers(http.MethodPost).status(400).closes()
	s.well(g.T)
}

func pipelining(g *siege) {
	g.hostile("hostile", "")
	s := g.serve().site(g.T, "hostile")
	c := dial(g.T, s)
	slow := "import time; time.sleep(0.2); answer = 'first'"
	c.send("POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%sGET /hostile/ HTTP/1.1\r\nHost: h\r\n\r\nBAD\r\n\r\n%s", len(slow), slow, smuggled)
	c.answers(http.MethodPost).status(200).text("first")
	c.answers(http.MethodGet).status(200).text("well\n")
	c.answers(http.MethodGet).status(400).closes()
	c.ends()
	// A body that ends where the next request begins, byte by byte (CVE-2022-24761).
	c = dial(g.T, s)
	for _, b := range []byte("POST /hostile/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nkept\n\r\n0\r\nX: y\r\n\r\n" + smuggled) {
		if _, err := c.conn.Write([]byte{b}); err != nil {
			g.Fatal(err)
		}
	}
	c.answers(http.MethodPost).status(200).text("well\n")
	c.answers(http.MethodPost).status(200).text("smuggled") // a request like any other: its sender sent it as one
}

func noHTTP2(g *siege) {
	g.hostile("hostile", "")
	s := g.serve().site(g.T, "hostile")
	refused(g, s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 505)
	for _, version := range []string{"HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/0.9"} {
		want := 505
		if version == "HTTP/2" { // not a version of this form
			want = 400
		}
		refused(g, s, "GET /hostile/ "+version+"\r\nHost: h\r\n\r\n"+smuggled, want)
	}
	c := dial(g.T, s)
	for range 2 {
		c.send("GET /hostile/ HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
		c.answers(http.MethodGet).status(200).text("well\n").header("Upgrade")
	}
}

func oddTargets(g *siege) {
	g.hostile("hostile", "")
	s := g.serve().site(g.T, "hostile")
	for line, status := range map[string]int{
		"CONNECT h:80 HTTP/1.1": 405, "CONNECT /hostile/ HTTP/1.1": 405, "TRACE /hostile/ HTTP/1.1": 405, "TRACE * HTTP/1.1": 405,
		"GET * HTTP/1.1": 400, "GET ftp://h/hostile/ HTTP/1.1": 400, "GET http:// HTTP/1.1": 400, "GET http:///hostile/ HTTP/1.1": 400, "GET http://u:p@h/hostile/ HTTP/1.1": 400,
		"GET hostile/ HTTP/1.1": 400, "GET h:80 HTTP/1.1": 400, "GET ?x HTTP/1.1": 400, "GET http:/hostile/ HTTP/1.1": 400, "GET http:hostile HTTP/1.1": 400,
		"GET /hostile/%zz HTTP/1.1": 400, "GET /hostile/% HTTP/1.1": 400, "(GET) /hostile/ HTTP/1.1": 400, "GET\x00 /hostile/ HTTP/1.1": 400,
	} {
		refused(g, s, line+"\r\nHost: h\r\n\r\n"+smuggled, status)
	}
	c := dial(g.T, s)
	for _, line := range []string{"get /hostile/", "X-ODD~1 /hostile/", "GET http://h/hostile/", "GET HTTPS://other:8080/hostile/", "DELETE /hostile/?*", "PRI /hostile/"} {
		c.send("%s HTTP/1.1\r\nHost: h\r\n\r\n", line)
		a := c.answers(http.MethodGet)
		a.what = line
		a.status(200).text("well\n")
	}
	c.send("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
	c.answers(http.MethodOptions).status(200).text("")
}

// shown asks a tenant what it sees of a request.
func shown(g *siege, s site, code string, o ...option) answer {
	g.Helper()
	return s.browser(g.T).send(http.MethodPost, "/", append(o, body("text/x-python", code))...)
}

func spoofedVariables(g *siege) {
	inBoth(g, func(g *siege, s site) {
		c := dial(g.T, s)
		code := "answer = sorted((k, v) for k, v in environ.items() if 'evil' in str(v))"
		lines := "Proxy: evil\r\nX_Forwarded_For: evil\r\nContent_Length: evil\r\nHost_: evil\r\nRemote_User: evil\r\nREMOTE_ADDR: evil\r\nServer_Name: evil\r\nhttp_host: evil\r\nX_A-B: evil\r\n" +
			"Script-Name: evil\r\nPath-Info: evil\r\nRemote-User: evil\r\nwsgi.url-scheme: evil\r\nHTTPS: evil\r\nTransfer_Encoding: evil\r\nGateway-Interface: evil\r\n"
		c.send("POST %s/ HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s", s.prefix, lines, len(code), code)
		// What is left has HTTP_ in front, and no variable of a server has.
		c.answers(http.MethodPost).status(200).text("[('HTTP_GATEWAY_INTERFACE', 'evil'), ('HTTP_HTTPS', 'evil'), ('HTTP_PATH_INFO', 'evil'), " +
			"('HTTP_REMOTE_USER', 'evil'), ('HTTP_SCRIPT_NAME', 'evil'), ('HTTP_WSGI.URL_SCHEME', 'evil')]")
		shown(g, s, "answer = [environ.get(k) for k in ('REMOTE_ADDR', 'wsgi.url_scheme', 'HTTPS', 'SERVER_PROTOCOL', 'REMOTE_USER', 'HTTP_PROXY', 'HTTP_CONTENT_LENGTH', 'HTTP_TRANSFER_ENCODING')]",
			header("Proxy", "evil"), header("X-Forwarded-Proto", "https")).
			status(200).text("['127.0.0.1', 'http', None, 'HTTP/1.1', None, None, None, None]")
	})
}

func hugeHeads(g *siege) {
	g.hostile("hostile", "")
	s := g.serve().site(g.T, "hostile")
	const kilo = 1 << 10
	for text, status := range map[string]int{
		"GET /hostile/" + strings.Repeat("a", 9*kilo) + " HTTP/1.1\r\nHost: h\r\n\r\n":                                 414,
		"GET /hostile/?" + strings.Repeat("%2e", 3*kilo) + " HTTP/1.1\r\nHost: h\r\n\r\n":                              414,
		"GET /hostile/ HTTP/1.1\r\nHost: h\r\nCookie: " + strings.Repeat("a", 9*kilo) + "\r\n\r\n":                     431,
		"GET /hostile/ HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("a", 9*kilo) + ": x\r\n\r\n":                          431,
		"GET /hostile/ HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: x\r\n", 101) + "\r\n":                             431,
		"GET /hostile/ HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: "+strings.Repeat("x", 4*kilo)+"\r\n", 9) + "\r\n": 431,
		"GET /hostile/ HTTP/1.1\r\nHost: " + strings.Repeat("h", 300) + "\r\n\r\n":                                     400,
	} {
		refused(g, s, text, status)
	}
	// Without an end: the head is refused long before.
	for _, text := range []string{"GET /hostile/", "GET /hostile/ HTTP/1.1\r\nHost: h\r\nX: ", "GET /hostile/ HTTP/1.1\r\nHost: h\r\nX"} {
		c := dial(g.T, s)
		if _, err := io.WriteString(c.conn, text); err != nil {
			g.Fatal(err)
		}
		go func() { // ends with the connection
			for piece := []byte(strings.Repeat("a", 4*kilo)); ; {
				if _, err := c.conn.Write(piece); err != nil {
					return
				}
			}
		}()
		c.answers(http.MethodGet).status(431).closes()
	}
	for _, line := range []string{"A: x\r\n", "A" + strings.Repeat("b", 500) + ": x\r\n"} {
		c := dial(g.T, s)
		out := bufio.NewWriter(c.conn)
		_, _ = out.WriteString("GET /hostile/ HTTP/1.1\r\nHost: h\r\n")
		for range 100_000 {
			_, _ = out.WriteString(line) // fails when the server has had enough
		}
		_ = out.Flush()
		c.answers(http.MethodGet).status(431).closes()
	}
	s.well(g.T)
}

func webSocket(g *siege) {
	inBoth(g, func(g *siege, s site) {
		request := "GET " + s.prefix + "/ HTTP/1.1\r\nHost: h\r\nConnection: %s\r\nUpgrade: %s\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
		for _, words := range [][2]string{{"Upgrade", "websocket"}, {"keep-alive, upgrade", "WebSocket"}, {"upgrade", "h2c, websocket"}, {"upgrade", "TLS/1.0"}} {
			refused(g, s, fmt.Sprintf(request, words[0], words[1])+"\x81\x05hello", 501)
		}
		c := dial(g.T, s)
		c.send(request, "keep-alive", "websocket") // no question without its word in Connection
		c.answers(http.MethodGet).status(200).text("well\n")
		shown(g, s, "answer = sorted(k for k in environ if 'UPGRADE' in k or 'CONNECTION' in k)", header("Upgrade", "h2c"), header("Connection", "Upgrade")).status(200).text("[]")
	})
}

// staticFiles asks for what servers of files have given away. Whatever it is, it
// is the application's path: it says "well" to each.
func staticFiles(g *siege) {
	g.hostile("hostile", "paths = [\"/\"]\n")
	s := g.serve().site(g.T, "neighbour")
	c := dial(g.T, s)
	for _, target := range []string{
		"/wsgi.py", "/.env", "/wasgi.toml", "/.git/config", "/..%2f..%2fetc/passwd", "/../../etc/passwd", "/static/../wsgi.py", "/%2e%2e/%2e%2e/etc/passwd", "/..\\..\\etc\\passwd", "//evil.example/..", "//evil.example/%2e%2e", "/\\evil.example/..",
		"/a//", "/a/..", "/data/", "/app/wsgi.py", "/C:/x", "/%5c%5cevil.example/x", "/favicon.ico", "/wsgi.py%00.txt", "/wsgi.py::$DATA",
	} {
		c.send("GET %s HTTP/1.1\r\nHost: h\r\nRange: bytes=0-,%s\r\nIf-Modified-Since: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\n", target, strings.Repeat("0-,", 1000))
		a := c.answers(http.MethodGet)
		a.what = target
		a.status(200).text("well\n").header("Location").header("Content-Range").header("Accept-Ranges").header("Last-Modified")
	}
}
