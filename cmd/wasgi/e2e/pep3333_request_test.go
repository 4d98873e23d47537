package e2e

import (
	"net"
	"regexp"
	"slices"
	"strings"
)

// The lines about what the application is given.

func builtinDict(p pep) {
	for range 2 { // the second must not see the first's mark
		p.get("/called").code(200).text("(True, True, False)")
	}
}

// environ is what the application shows of its environ, without what nobody can
// know.
func (p pep) environ(q query) string {
	p.Helper()
	text := p.ask(q).code(200).rest()
	text = regexp.MustCompile(`(?m)^(REMOTE_PORT=')[0-9]+'$`).ReplaceAllString(text, "$1#'")
	return regexp.MustCompile(`(?m)^(wasgi.request_id=')[0-9a-f]{16}'$`).ReplaceAllString(text, "$1#'")
}

// wantEnviron is the whole of it: a variable of the host's would be one more.
func (p pep) wantEnviron(q query, before, after string) {
	p.Helper()
	_, port, err := net.SplitHostPort(p.site.host())
	if err != nil {
		p.Fatal(err)
	}
	target := p.site.prefix + q.path
	path, query, _ := strings.Cut(q.path, "?")
	if strings.Contains(path, "%") {
		path = `/environ//caf\xc3\xa9%/\xff/a/b`
	}
	method := "GET"
	if q.method != "" {
		method = q.method
	}
	want := p.secureLines() + before + "PATH_INFO='" + path + "'\nQUERY_STRING='" + query + "'\nRAW_URI='" + target + `'
REMOTE_ADDR='127.0.0.1'
REMOTE_PORT='#'
REQUEST_METHOD='` + method + `'
REQUEST_URI='` + target + `'
SCRIPT_NAME='` + p.site.prefix + `'
SERVER_NAME='127.0.0.1'
SERVER_PORT='` + port + `'
SERVER_PROTOCOL='` + p.proto.name() + `'
SERVER_SOFTWARE='wasgi'
SITE_NAME='K\xc3\xa4se'
shop.currency='EUR'
wasgi.request_id='#'
wsgi.early_hints is callable
wsgi.errors has ` + after + `
wsgi.file_wrapper is callable
wsgi.input has __iter__ read readline readlines
wsgi.input_terminated=True
wsgi.multiprocess=True
wsgi.multithread=False
wsgi.run_once=False
wsgi.url_scheme='` + p.site.scheme() + `'
wsgi.version=(1, 0)
`
	lines := strings.SplitAfter(want, "\n")
	slices.Sort(lines)
	want = strings.Join(lines, "")
	if got := p.environ(q); got != want {
		p.Errorf("environ of %s:\n%s\nwant\n%s", q.path, got, want)
	}
}

// secureLines are the variables of TLS.
func (p pep) secureLines() string {
	if p.site.scheme() == "http" {
		return ""
	}
	return "HTTPS='on'\nSSL_CIPHER='TLS_AES_128_GCM_SHA256'\nSSL_PROTOCOL='TLSv1.3'\nSSL_TLS_SNI='shop.example'\n"
}

const streamOut = "write writelines"

func (p pep) hostLine() string { return "HTTP_HOST='" + p.site.host() + "'\n" }

func requiredVariables(p pep) {
	p.wantEnviron(query{path: "/environ"}, p.hostLine(), streamOut)
	p.wantEnviron(query{method: "PUT", path: "/environ?a=1&b=%C3%A9%zz", headers: []string{"Content-Type: text/x-a"}, body: "12345"},
		"CONTENT_LENGTH='5'\nCONTENT_TYPE='text/x-a'\n"+p.hostLine(), streamOut)
	p.wantEnviron(query{method: "POST", path: "/environ", headers: []string{"Content-Length: 0"}}, "CONTENT_LENGTH='0'\n"+p.hostLine(), streamOut)
	if p.proto.chunks() { // the body is received whole, so its length is known
		p.wantEnviron(query{method: "POST", path: "/environ", chunked: true, body: "1234567"}, "CONTENT_LENGTH='7'\n"+p.hostLine(), streamOut)
	}
}

func nativeStrings(p pep) {
	p.wantEnviron(query{path: "/environ//caf%C3%A9%25/%ff/%61%2Fb", headers: []string{"X-Latin: \xe9\xff", "X-Utf: \xe2\x82\xac"}},
		p.hostLine()+"HTTP_X_LATIN='\\xe9\\xff'\nHTTP_X_UTF='\\xe2\\x82\\xac'\n", streamOut)
}

// wsgiVariables looks for what the host's environment has.
func wsgiVariables(p pep) {
	text := p.get("/environ?os").code(200).rest()
	for _, foreign := range []string{"of-the-host", "PEP3333_SECRET", "WASGI_", "GOMAXPROCS", "PWD="} {
		if strings.Contains(text, foreign) {
			p.Errorf("os.environ has %q:\n%s", foreign, text)
		}
	}
}

func inputMethods(p pep) {
	const text = "one\ntwo\nlast"
	calls := map[string]string{
		`i.read(0);i.read(2);i.readline();i.readline(1);i.read(-1);i.read();i.read(5);i.readline();i.readlines();list(i)`: `b''|b'on'|b'e\n'|b't'|b'wo\nlast'|b''|b''|b''|[]|[]`,
		`i.read()`:                    `b'one\ntwo\nlast'`,
		`i.read(100)`:                 `b'one\ntwo\nlast'`,
		`i.readlines()`:               `[b'one\n', b'two\n', b'last']`,
		`i.readlines(5);i.read(None)`: `[b'one\n', b'two\n']|b'last'`,
		`list(i);i.read(1)`:           `[b'one\n', b'two\n', b'last']|b''`,
		`i.readline(100);i.readline(2);i.readline(0);i.readline(-1);i.readline()`: `b'one\n'|b'tw'|b''|b'o\n'|b'last'`,
		`length`: `'12'`,
	}
	for _, chunked := range []bool{false, true} {
		for call, want := range calls {
			if chunked && !p.proto.chunks() {
				continue
			}
			path := "/input?" + strings.NewReplacer(" ", "%20").Replace(call)
			p.ask(query{method: "POST", path: path, body: text, chunked: chunked}).code(200).text(strings.ReplaceAll(want, "|", "\n") + "\n")
		}
	}
	p.get("/input?i.read();i.read(1);i.readline();i.readlines();list(i);length").code(200).text("b''\nb''\nb''\n[]\n[]\nNone\n")
}

func errorsStream(p pep) {
	from := p.mark()
	p.get("/errors?" + p.gate("written")).code(200).text("written\n")
	for _, text := range []string{"euro € snake 🐍 lone", "one line", p.gate("written")} {
		p.logged(text, from)
	}
}

// deFacto looks at variables that no line of PEP 3333 has.
func deFacto(p pep) {
	headers := []string{
		"X-Twice: 1", "x-twice: 2", "Cookie: a=1", "Cookie: b=2", "X_Under: 1", "Proxy: evil", "TE: trailers", "Expect: 100-continue", "X-Empty:",
	}
	if p.proto.name() < "HTTP/2" {
		headers = append(headers, "Connection: close")
	}
	p.wantEnviron(query{path: "/environ", headers: headers}, "HTTP_COOKIE='a=1; b=2'\n"+p.hostLine()+"HTTP_X_EMPTY=''\nHTTP_X_TWICE='1,2'\n", streamOut)
}

func traceparent(p pep) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	p.wantEnviron(query{path: "/environ", headers: []string{"traceparent: " + trace, "tracestate: a=1,b=2"}},
		p.hostLine()+"HTTP_TRACEPARENT='"+trace+"'\nHTTP_TRACESTATE='a=1,b=2'\n", streamOut)
}

// raw is a connection of HTTP/1 for what no client sends.
func (p pep) raw() wire { return p.proto.dial(p.T, p.site).(http1).wire }

func hostNeeded(p pep) {
	if h, ok := p.proto.(http20); ok {
		h.hostNeeded(p)
		return
	}
	for _, hosts := range []string{"", "Host: a\r\nHost: a\r\n"} {
		c := p.raw()
		c.send("GET %s/environ %s\r\n%s\r\n", p.site.prefix, p.proto.name(), hosts)
		c.answers("GET").status(400)
	}
}

// pepTargets: the query is not looked at; of the path an escape that is none is
// refused, as nginx and Apache refuse it.
func pepTargets(p pep) {
	for _, path := range []string{"/%zz", "/%", "/%4"} {
		if h, ok := p.proto.(http20); ok {
			h.refused(p, query{path: "/environ" + path}, "PROTOCOL_ERROR")
			continue
		}
		c := p.raw()
		c.send("GET %s/environ%s %s\r\nHost: a\r\n\r\n", p.site.prefix, path, p.proto.name())
		c.answers("GET").status(400).closes()
	}
	for target, want := range map[string]string{
		"/environ/a/../b/./c":    "PATH_INFO='/environ/a/../b/./c'\n",
		"/environ//a///":         "PATH_INFO='/environ//a///'\n",
		"/environ/;p=1,2:@!$'()": `PATH_INFO="/environ/;p=1,2:@!$'()"` + "\n",
		"/environ?a?b=%&%zz":     "QUERY_STRING='a?b=%&%zz'\n",
		"/environ/\xc3\xa9?\xff": "PATH_INFO='/environ/\\xc3\\xa9'\nQUERY_STRING='\\xff'\n",
	} {
		if got := p.environ(query{path: target}); !strings.Contains(got, want) {
			p.Errorf("%q: the environ lacks %q:\n%s", target, want, got)
		}
	}
}

func oddFraming(p pep) {
	if h, ok := p.proto.(http20); ok {
		h.oddFraming(p)
		return
	}
	for _, headers := range []string{
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Content-Length: 5\r\nContent-Length: 5\r\n", "X-A: 1\r\n folded\r\n", "X-A: 1\n", "X-A : 1\r\n", "Content-Length: 0x5\r\n",
	} {
		c := p.raw()
		c.send("POST %s/input?i.read() %s\r\nHost: %s\r\n%s\r\n0\r\n\r\n", p.site.prefix, p.proto.name(), p.site.host(), headers)
		c.answers("POST").status(400).closes()
	}
}
