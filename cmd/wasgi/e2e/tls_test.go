package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/wiretest"
)

// certificateFiles are a certificate for some names that signs itself, its key,
// and who believes it.
type certificateFiles struct {
	cert, key string
	names     []string
	pool      *x509.CertPool
}

func certificate(t *testing.T, names ...string) *certificateFiles {
	t.Helper()
	dir := t.TempDir()
	c := &certificateFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), names: names}
	c.renew(t)
	return c
}

// renew replaces both files.
func (c *certificateFiles) renew(t *testing.T) {
	t.Helper()
	c.pool = wiretest.Issue(t, c.cert, c.key, time.Now().Add(48*time.Hour-time.Minute), c.names...)
}

func (c *certificateFiles) flags() []string {
	return []string{"--tls-cert", c.cert, "--tls-key", c.key}
}

// browser speaks TLS, and HTTP/2 where it can, as the first name, from an
// address of its own.
func (c *certificateFiles) browser(t *testing.T, tenant, address string) *browser {
	t.Helper()
	b := site{tenant: tenant, origin: "https://" + address, prefix: "/" + tenant}.browser(t)
	transport := b.client.Transport.(*http.Transport)
	transport.DialContext = from127005
	transport.ForceAttemptHTTP2 = true
	transport.TLSClientConfig = &tls.Config{RootCAs: c.pool, ServerName: c.names[0]}
	return b
}

func listeningLine() *regexp.Regexp { return regexp.MustCompile(`(?m)` + listening) }

// TestTLS: HTTP/1 and HTTP/2 by a client that is not ours, streams, errors,
// renewal, and what else listens beside it.
func TestTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cert := certificate(t, "shop.example")
	socket := filepath.Join(t.TempDir(), "s")
	server := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: append(cert.flags(),
		"--listen", "https://127.0.0.1:0,http://127.0.0.1:0,unix:"+socket,
	)}, "bare")
	s := server.site(t, "bare")
	addresses := server.addresses(t, 3)
	if s.origin != "https://"+addresses[0] {
		t.Errorf("served at %s, listening at %v", s.origin, addresses)
	}
	t.Run("curl", func(t *testing.T) { tlsCurl(t, cert, addresses[0]) })
	t.Run("http2", func(t *testing.T) { tlsHTTP2(t, server, cert.browser(t, "bare", addresses[0])) })
	t.Run("plain", func(t *testing.T) {
		away(t, "bare", addresses[1]).get("/environ").status(200).has("wsgi.url_scheme='http'\n").lacks("HTTPS=", "SSL_")
		away(t, "bare", addresses[0]).get("/").status(400).has("HTTPS only")
		c := connect(t, "unix", socket)
		c.send("GET /bare/environ HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answers(http.MethodGet).status(200).has("REMOTE_ADDR=''\n")
	})
	t.Run("renewed", func(t *testing.T) {
		cert.renew(t)
		cert.browser(t, "bare", addresses[0]).get("/").status(200)
		server.logs(t, "a certificate was renewed", 0)
	})
}

func tlsCurl(t *testing.T, cert *certificateFiles, address string) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is missing: make tools installs it")
	}
	for version, want := range map[string]string{"--http1.1": "HTTP/1.1", "--http2": "HTTP/2.0"} {
		_, port, _ := strings.Cut(address, ":")
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", version, "--cacert", cert.cert, "--resolve", "shop.example:"+port+":127.0.0.1",
			"--data-binary", hello, "https://shop.example:"+port+"/bare/echo", "--next", "-sS", version, "--cacert", cert.cert, "--resolve", "shop.example:"+port+":127.0.0.1",
			"https://shop.example:"+port+"/bare/environ").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), hello) {
			t.Fatalf("%s: %v\n%s", version, err, out)
		}
		for _, line := range []string{"SERVER_PROTOCOL='" + want + "'\n", "HTTPS='on'\n", "SERVER_PORT='" + port + "'\n", "SSL_PROTOCOL='TLSv1.3'\n"} {
			if !strings.Contains(string(out), line) {
				t.Errorf("%s: no %q in\n%s", version, line, out)
			}
		}
	}
}

func tlsHTTP2(t *testing.T, s *server, b *browser) {
	a := b.get("/environ", header("Cookie", "a=1; b=2")).status(200).has("SERVER_PROTOCOL='HTTP/2.0'\n", "HTTP_COOKIE='a=1; b=2'\n", "wsgi.url_scheme='https'\n").
		lacks("CONTENT_LENGTH", "HTTP_CONNECTION")
	if a.resp.Proto != "HTTP/2.0" {
		t.Fatalf("answered in %s", a.resp.Proto)
	}
	b.send("POST", "/echo", body("text/x", hello)).status(200).length(6).text(hello)
	b.send("POST", "/echo", chunked(hello)).status(200).text(hello)
	large := strings.Repeat("0123456789abcdef", 1<<17)
	b.send("POST", "/echo", body("text/x", large)).status(200).length(2 << 20).text(large)
	silent, end := io.Pipe() // a body of which nothing comes, until it is not wanted any more
	b.send("POST", "/echo", func(r *http.Request) { r.ContentLength, r.Body = 70<<20, silent }).status(413)
	end.Close()
	b.send("HEAD", "/").status(200).length(17).text("")
	b.get("/status/204").status(204).text("")
	b.get("/status/304").status(304).text("")
	b.get("/write").status(200).text("written first\nwritten second\nreturned last\n")
	b.get("/fail").status(500)
	b.begin("/stream?pause=0.05").expect("chunk 1 of 5\n").expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
	from := s.log.size()
	b.begin("/stream?pause=0.05").expect("chunk 1 of 5\n").leave()
	s.site(t, "bare").logged(t, "stream closed after", from)
}

// TestHTTP2InFresh: the same with a new interpreter for each request.
func TestHTTP2InFresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cert := certificate(t, "shop.example")
	root := w.rootOf(t, "bare")
	prepend(t, filepath.Join(root, "bare"), "isolation = \"fresh\"\n")
	server := w.serve(t, launch{root: root, flags: append(cert.flags(), "--listen", "https://127.0.0.1:0")}, "bare")
	tlsHTTP2(t, server, cert.browser(t, "bare", server.addresses(t, 1)[0]))
}

// TestBadCertificates: the server does not start, and says what is wrong.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := certificate(t, "a.example"), certificate(t, "b.example")
	for want, flags := range map[string][]string{
		"tls_cert: the certificate in " + one.cert + " with the key in " + two.key + ": private key does not match public key": {"--tls-cert", one.cert, "--tls-key", two.key},
		"tls_cert: open /nowhere.pem: no such file or directory":                                                               {"--tls-cert", "/nowhere.pem", "--tls-key", two.key},
		"tls_cert: listen has an https:// address":                                                                             nil,
		"--tls-key: there are 2 certificates and 1 keys":                                                                       {"--tls-cert", one.cert + "," + two.cert, "--tls-key", one.key},
	} {
		l := launch{root: w.rootOf(t, "bare"), flags: slices.Concat([]string{"--listen", "https://127.0.0.1:0"}, flags)}
		c := exec.CommandContext(t.Context(), w.binary, l.args()...)
		c.Dir, c.Env = t.TempDir(), environment(w.cache, t.TempDir())
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%q: %v\n%s\nwant %q", flags, err, out, want)
		}
	}
}
