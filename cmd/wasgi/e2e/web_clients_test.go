package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestWebClientsDo: redirects, connections that are kept, timeouts, strangers,
// compression, large bodies and uploads, with requests, httpx and urllib3.
func TestWebClientsDo(t *testing.T) {
	t.Parallel()
	w, a, stranger := newWorld(t), newAuthority(t), newAuthority(t)
	dir := t.TempDir()
	large := strings.Repeat("0123456789abcdef", 1<<18)
	write(t, dir, "large.bin", large)
	write(t, dir, "text.txt", strings.Repeat("text\n", 1000))
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	silent, _ := silentServer(t)
	plain, secure := busyServer(t, a, dir, silent)
	s := w.reaching(t, "clients", map[string]string{"STRANGER": localhost(stranger.server(t, http.NotFoundHandler())), "authority": a.authority}, "")
	const rest = `"gzip": ["gzip", true], "upload": {"field": "wert", "name": "grüße.bin", "type": "application/x-test", "size": 100000}, "large": ["%x", true]}`
	sum := sha256.Sum256([]byte(large))
	inEach(t, s, func(t *testing.T, b *browser) {
		for client, words := range map[string]string{
			"requests": `"loop": "TooManyRedirects", "timeout": "ReadTimeout", "stranger": "SSLError", "nobody": "SSLError",`,
			"httpx":    `"loop": "TooManyRedirects", "timeout": "ReadTimeout", "stranger": "ConnectError", "nobody": "ConnectError",`,
			"urllib3":  `"loop": "MaxRetryError", "timeout": "ReadTimeoutError", "stranger": "SSLError", "nobody": "SSLError",`,
		} {
			for _, base := range []string{"http://" + plain, "https://" + secure} {
				b.get("/" + client + "?base=" + url.QueryEscape(base)).status(200).
					json(fmt.Sprintf(`{"moved": [200, "a page of nginx\n", [302, 301]], "connections": ["kept\n", "kept\n", "kept\n"], `+words+rest, sum))
			}
		}
	})
}

// TestWebClientsAreRefused: each client stops at a certificate for another name, and
// at a redirection to where the tenant may not go, and has Python's own exception
// within its own. Nobody has come to the address behind the redirection.
func TestWebClientsAreRefused(t *testing.T) {
	t.Parallel()
	w, other := newWorld(t), authorityFor(t, "other.example")
	secure := other.server(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was served", r.URL) }))
	inside, err := net.Listen("tcp", "127.0.0.2:0") // of 127.0.0.1 the tenants may reach everything
	must(t, err)
	t.Cleanup(func() { inside.Close() })
	came := make(chan string, 100)
	go func() { // ends with the listener
		for {
			c, err := inside.Accept()
			if err != nil {
				return
			}
			came <- c.RemoteAddr().String()
			c.Close()
		}
	}()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+inside.Addr().String()+"/", http.StatusFound)
	}))
	t.Cleanup(plain.Close)
	s := w.reaching(t, "outside", map[string]string{"authority": other.authority}, "", "flask", "requests", "urllib3", "httpx")
	inEach(t, s, func(t *testing.T, b *browser) {
		refused := func(at, root, text string, wrappers [5]string) {
			var want []string
			for i, client := range []string{"urllib_", "requests_", "urllib3_", "httpx_", "httpx_async"} {
				want = append(want, fmt.Sprintf("%q: [%q, %q, %q]", client, wrappers[i], root, text))
			}
			b.get("/refused?url=" + url.QueryEscape(at)).status(200).json("{" + strings.Join(want, ", ") + "}")
		}
		refused(localhost(secure), "SSLCertVerificationError", "Hostname mismatch, certificate is not valid for 'localhost'.",
			[5]string{"URLError", "SSLError", "MaxRetryError", "ConnectError", "ConnectError"})
		to := inside.Addr().String()
		refused(plain.URL, "PermissionError", "[Errno 76] the network policy refuses "+to+` (rule loopback): only an entry for the address itself allows it: [network] allow = ["`+to+`"]`,
			[5]string{"URLError", "ConnectionError", "MaxRetryError", "ConnectError", "ConnectError"})
		s.logs(t, regexp.QuoteMeta("tenant="+b.site.tenant+" rule=loopback what="+to+" count=5"), 0)
	})
	if len(came) > 0 {
		t.Errorf("%s has reached the server inside", <-came)
	}
}

// busyServer is nginx over HTTP and HTTPS, in front of one that takes uploads and
// one that says nothing.
func busyServer(t *testing.T, a authority, files, silent string) (plain, secure string) {
	t.Helper()
	uploads := httptest.NewServer(http.HandlerFunc(takeUpload))
	t.Cleanup(uploads.Close)
	at := nginx(t, 2, `http {
	access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	map $connection_requests $kept { 1 "new"; default "kept"; }
	server {
		listen %[1]s;
		listen %[2]s ssl;
		ssl_certificate `+a.cert+`; ssl_certificate_key `+a.key+`;
		gzip on; gzip_types text/plain; gzip_min_length 1; default_type application/octet-stream; types { text/plain txt; }
		location = /page { default_type text/plain; return 200 "a page of nginx\n"; }
		location = /moved { return 302 /further; }
		location = /further { return 301 /page; }
		location = /loop { return 302 /loop; }
		location = /connection { default_type text/plain; return 200 "$kept\n"; }
		location /files/ { alias `+files+`/; }
		location = /slow { proxy_pass http://`+silent+`; }
		location = /upload { proxy_pass `+uploads.URL+`; }
	}
}`)
	_, port, _ := net.SplitHostPort(at[1])
	return at[0], "localhost:" + port
}

// takeUpload says what a form with a field and a file has.
func takeUpload(w http.ResponseWriter, r *http.Request) {
	file, head, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	size, _ := io.Copy(io.Discard, file)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"field": r.FormValue("field"), "name": head.Filename, "type": head.Header.Get("Content-Type"), "size": size})
}
