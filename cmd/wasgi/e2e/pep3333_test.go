package e2e

import (
	"crypto/tls"
	"path/filepath"
	"strconv"
	"testing"
)

// pepLine is a numbered line of the checklist that was made of PEP 3333, or one
// of what servers have added to it, and its test.
type pepLine struct {
	name string
	run  func(pep)
	not  map[string]string // protocols that the line does not apply to, and why
	but  map[string]string // what of the line a protocol has not, or has in another way
}

func pepLines() []pepLine {
	in10 := func(why string) map[string]string { return map[string]string{"HTTP/1.0": why} }
	in20 := func(why string) map[string]string { return map[string]string{"HTTP/2.0": why} }
	return []pepLine{
		{name: "01_builtin_dict", run: builtinDict},
		{name: "02_required_variables", run: requiredVariables},
		{name: "03_native_strings", run: nativeStrings},
		{name: "04_wsgi_variables", run: wsgiVariables},
		{name: "05_input", run: inputMethods},
		{name: "06_errors", run: errorsStream},
		{name: "07_headers_are_stored", run: headersAreStored},
		{name: "08_second_call", run: secondCall},
		{name: "09_exc_info", run: excInfo},
		{name: "10_status_and_headers", run: statusAndHeaders, but: in20("there is no reason phrase (RFC 9113 section 8.3.1)")},
		{name: "11_hop_by_hop", run: hopByHop},
		{name: "12_date_server_cookies", run: dateServerCookies},
		{name: "13_iteration_and_close", run: iterationAndClose},
		{name: "14_piece_by_piece", run: pieceByPiece},
		{name: "15_write", run: writeCallable},
		{name: "16_length_or_chunks", run: lengthOrChunks, but: in20("frames end a body, there are no chunks (RFC 9113 section 8.1)")},
		{name: "17_content_length", run: contentLength},
		{name: "18_exceptions", run: exceptions},
		{name: "19_not_bytes", run: notBytes},
		{name: "20_no_body", run: noBody},
		{name: "21_continue", run: expectContinue, but: in10("a client does not know Expect")},
		{name: "22_file_wrapper", run: fileWrapper},
		{name: "23_extensions", run: extensions},
		{name: "24_single_threaded", run: singleThreaded},
		{name: "de_facto_variables", run: deFacto, but: in20("Connection is an error (RFC 9113 section 8.2.2)")},
		{name: "de_facto_early_hints", run: earlyHints, but: in10("a client does not know answers before the answer")},
		{name: "de_facto_traceparent", run: traceparent},
		{name: "client_leaves", run: clientLeaves},
		{name: "shared_connection", run: sharedConnection, not: map[string]string{
			"HTTP/1.0": "a connection has one request", "HTTP/1.1": "a connection has one request after the other",
		}},
		{name: "net_http_a_host", run: hostNeeded, not: in10("HTTP/1.0 has no Host header")},
		{name: "net_http_h_target", run: pepTargets},
		{name: "net_http_i_framing", run: oddFraming, not: in10("Transfer-Encoding is refused as a whole: see TestProtocol"),
			but: in20("frames are the framing; what of it headers say as well is refused (RFC 9113 sections 8.1.1, 8.2)")},
	}
}

// pep is a tenant that runs the applications of testdata/apps/pep3333, spoken to
// in one protocol.
type pep struct {
	*testing.T
	site  site
	proto protocol
}

// TestPEP3333 holds every line in both isolations and in every protocol.
func TestPEP3333(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	reuse, fresh := w.app(t, root, "pep3333"), filepath.Join(root, "fresh")
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	state := t.TempDir()
	env := append(environment(w.cache, state), "PEP3333_SECRET=of-the-host", "SERVER_ADMIN=of-the-host")
	cert := certificate(t, "shop.example")
	s := w.serve(t, launch{root: root, state: state, env: env, flags: append(cert.flags(), "--h2c", "--listen", "http://127.0.0.1:0,https://127.0.0.1:0")}, "pep3333", "fresh")
	ways := pepWays(t, s, cert)
	for _, line := range pepLines() {
		t.Run(line.name, func(t *testing.T) {
			for _, tenant := range []string{"pep3333", "fresh"} {
				for _, way := range ways {
					t.Run(tenant+"_"+way.name, func(t *testing.T) { line.hold(t, way, s.site(t, tenant)) })
				}
			}
		})
	}
}

// pepWay is a protocol and where it is spoken.
type pepWay struct {
	name   string
	proto  protocol
	origin string
}

// pepWays are all that the suite is run with.
func pepWays(t *testing.T, s *server, cert *certificateFiles) []pepWay {
	t.Helper()
	secure := &tls.Config{RootCAs: cert.pool, ServerName: cert.names[0]}
	at := s.addresses(t, 2)
	http, https := "http://"+at[0], "https://"+at[1]
	return []pepWay{
		{"1.0", http10{}, http},
		{"1.1", http11{}, http},
		{"2.0", http20{}, http},
		{"1.1_tls", http11{secure}, https},
		{"2.0_tls", http20{secure}, https},
	}
}

// hold runs the line in one way, on one tenant.
func (l pepLine) hold(t *testing.T, way pepWay, s site) {
	if why := l.not[way.proto.name()]; why != "" {
		t.Skip("does not apply: " + why)
	}
	if what := l.but[way.proto.name()]; what != "" {
		t.Log("other than elsewhere: " + what)
	}
	s.origin = way.origin
	l.run(pep{t, s, way.proto})
}

// ask makes a request on a connection of its own.
func (p pep) ask(q query) *reply {
	p.Helper()
	return p.proto.dial(p.T, p.site).begin(q)
}

// get asks for a path.
func (p pep) get(path string) *reply {
	p.Helper()
	return p.ask(query{path: path})
}

// gate names something that an application waits for.
func (p pep) gate(name string) string {
	way, scheme := p.proto.name()[len("HTTP/"):], p.site.scheme()
	return way + "-" + scheme + "-" + name
}

// open lets the application go on.
func (p pep) open(gate string) {
	p.Helper()
	p.get("/gate?" + gate).code(200).text("open\n")
}

// logged waits for a line of the tenant's log.
func (p pep) logged(text string, from int) {
	p.Helper()
	p.site.logged(p.T, text, from)
}

// mark is the end of the log now.
func (p pep) mark() int { return p.site.server.log.size() }

// once says that a line is in the log, and that it is there once: what follows it
// there was written after the application's next request.
func (p pep) once(text string, from int) {
	p.Helper()
	p.logged(text, from)
	after := p.gate("after-" + strconv.Itoa(p.mark()))
	p.get("/errors?" + after).code(200)
	p.logged(after, from)
	if n := p.site.count(text, from); n != 1 {
		p.Errorf("%q was logged %d times; the log:\n%s", text, n, p.site.server.log.String()[from:])
	}
}

// fails asks for a path whose application fails before it has sent a byte.
func (p pep) fails(path, logged string) {
	p.Helper()
	from := p.mark()
	r := p.get(path).code(500)
	if body := r.rest(); body == "" {
		p.Errorf("%s: no page", path)
	}
	p.logged(logged, from)
}
