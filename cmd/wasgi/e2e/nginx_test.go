package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nginx runs Debian's with the blocks of a configuration, in which %[1]s, %[2]s
// and so on are the addresses where it listens. It returns them. They are
// sockets that this process opened, so that no port is taken twice.
func nginx(t *testing.T, addresses int, blocks string) []string {
	t.Helper()
	binary, err := exec.LookPath("/usr/sbin/nginx")
	if err != nil {
		t.Skip("nginx is missing: make tools installs it")
	}
	dir := t.TempDir()
	c := exec.Command(binary, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	var sockets, names []string
	var args []any
	for i := range addresses {
		l := listenAt(t, "", "tcp", "127.0.0.1:0")
		c.ExtraFiles = append(c.ExtraFiles, fileOf(t, l.Listener))
		sockets, names = append(sockets, fmt.Sprintf("%d;", 3+i)), append(names, l.Addr().String())
		args = append(args, l.Addr().String())
		defer l.Close() // nginx has its own copy
	}
	write(t, dir, "nginx.conf", "daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;\n"+nginxGlobals(t, blocks)+
		"events { worker_connections 64; }\n"+fmt.Sprintf(blocks, args...))
	out := newTranscript()
	c.Env, c.Stdout, c.Stderr = []string{"NGINX=" + strings.Join(sockets, "")}, out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range c.ExtraFiles {
		f.Close() // a nginx that has ended must leave nobody who listens
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil || t.Failed() {
			t.Logf("nginx: %v\n%s", err, out)
		}
	})
	return names
}

// nginxGlobals loads what Debian has in a module of its own. Workers of root's
// stay root's, who may enter folders of tests.
func nginxGlobals(t *testing.T, blocks string) (lines string) {
	t.Helper()
	const stream = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if strings.HasPrefix(blocks, "stream") {
		if _, err := os.Stat(stream); err != nil {
			t.Skip("nginx lacks its stream module: make tools installs it")
		}
		lines = "load_module " + stream + ";\n"
	}
	if os.Getuid() == 0 {
		lines += "user root;\n"
	}
	return lines
}

// httpBlock is nginx as a proxy of one upstream, as its manual and those of
// frameworks have it.
func httpBlock(upstream string) string {
	return `http {
	access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	upstream wasgi { server ` + upstream + `; keepalive 4; }
	server {
		listen %[1]s;
		client_max_body_size 100m;
		location / {
			proxy_pass http://wasgi;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto https;
			proxy_set_header X-Forwarded-Port 8443;
			proxy_buffering off;
			proxy_request_buffering off;
		}
	}
}`
}

// away is a browser at an address of its own, so that nobody takes it for the
// proxy.
func away(t *testing.T, tenant, address string) *browser {
	t.Helper()
	b := site{tenant: tenant, origin: "http://" + address, prefix: "/" + tenant}.browser(t)
	b.client.Transport.(*http.Transport).DialContext = from127005
	return b
}

func from127005(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 5)}}
	return d.DialContext(ctx, network, address)
}

func TestBehindNginxOverTCP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{"--trusted-proxies", "127.0.0.1"}}, "bare").site(t, "bare")
	behindNginx(t, s, nginx(t, 1, httpBlock(s.host()))[0])
}

func TestBehindNginxOverAUnixSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "s")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: []string{
		"--listen", "unix:" + path + "?mode=0666", "--trusted-proxies", "unix",
	}}, "bare").site(t, "bare")
	behindNginx(t, s, nginx(t, 1, httpBlock("unix:"+path))[0])
}

// behindNginx is what applications see and clients get, whichever way nginx
// reaches the server.
func behindNginx(t *testing.T, s site, address string) {
	b := away(t, "bare", address)
	for range 3 { // on connections that are kept
		b.get("/").status(200).contentType(plain).length(17).text("Hello from WSGI!\n")
	}
	b.get("/environ", header("X-Forwarded-For", "203.0.113.9"), header("X-Real-IP", "203.0.113.9"), host("shop.example")).status(200).ordered(
		"HTTPS='on'\n", "HTTP_HOST='shop.example'\n", "HTTP_X_FORWARDED_FOR='203.0.113.9, 127.0.0.5'\n", "REMOTE_ADDR='127.0.0.5'\n",
		"SERVER_NAME='shop.example'\n", "SERVER_PORT='8443'\n", "SERVER_PROTOCOL='HTTP/1.1'\n", "wsgi.url_scheme='https'\n")
	b.send("POST", "/echo", body("text/x", hello)).status(200).text(hello)
	b.send("POST", "/echo", chunked(hello)).status(200).text(hello)
	large := strings.Repeat("0123456789abcdef", 1<<16)
	b.send("POST", "/echo", body("text/x", large)).status(200).length(1 << 20).text(large)
	b.send("HEAD", "/").status(200).length(17).text("")
	b.get("/status/204").status(204).text("")
	b.get("/fail").status(500)
	from := s.server.log.size()
	b.begin("/stream?pause=0.05").expect("chunk 1 of 5\n").expect("chunk 2 of 5\n").leave()
	s.logged(t, "stream closed after", from)
	b.begin("/stream?pause=0.05").expect("chunk 1 of 5\n").expect("chunk 2 of 5\nchunk 3 of 5\nchunk 4 of 5\nchunk 5 of 5\n").ends()
}

// TestBehindNginxWithPROXY: nginx passes connections on as they are and says
// before them whose they are, those with TLS too.
func TestBehindNginxWithPROXY(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cert := certificate(t, "shop.example")
	server := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: append(cert.flags(),
		"--listen", "127.0.0.1:0,https://127.0.0.1:0", "--trusted-proxies", "127.0.0.1", "--proxy-protocol", "require",
	)}, "bare")
	addresses := server.addresses(t, 2)
	at := nginx(t, 2, `stream {
	server { listen %[1]s; proxy_pass `+addresses[0]+`; proxy_protocol on; }
	server { listen %[2]s; proxy_pass `+addresses[1]+`; proxy_protocol on; }
}`)
	b := away(t, "bare", at[0])
	b.get("/environ", header("X-Forwarded-For", "203.0.113.9")).status(200).has("REMOTE_ADDR='127.0.0.5'\n", "wsgi.url_scheme='http'\n").
		lacks("203.0.113.9", "REMOTE_PORT=''\n", "HTTP_X_FORWARDED")
	b.send("POST", "/echo", chunked(hello)).status(200).text(hello)

	secure := cert.browser(t, "bare", at[1])
	secure.get("/environ").status(200).has("REMOTE_ADDR='127.0.0.5'\n", "wsgi.url_scheme='https'\n", "SERVER_PROTOCOL='HTTP/2.0'\n", "SSL_TLS_SNI='shop.example'\n")

	// Who goes past the proxy is nobody.
	past := site{server: server, tenant: "bare", origin: "http://" + addresses[0], prefix: "/bare"}
	for _, c := range []struct {
		dial func(context.Context, string, string) (net.Conn, error)
		text string
	}{
		{from127005, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /bare/ HTTP/1.1\r\nHost: h\r\n\r\n"},
		{(&net.Dialer{}).DialContext, "GET /bare/ HTTP/1.1\r\nHost: h\r\n\r\n"},
	} {
		conn, err := c.dial(t.Context(), "tcp", past.host())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_, _ = conn.Write([]byte(c.text)) // the server may have closed already
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if n, err := conn.Read(make([]byte, 100)); n > 0 || err == nil {
			t.Errorf("%q is answered", c.text)
		}
	}
}

// TestBehindNginxWithTLS: nginx speaks HTTP/2 with clients and TLS with the
// server.
func TestBehindNginxWithTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cert := certificate(t, "shop.example")
	s := w.serve(t, launch{root: w.rootOf(t, "bare"), flags: append(cert.flags(),
		"--listen", "https://127.0.0.1:0", "--trusted-proxies", "127.0.0.1",
	)}, "bare").site(t, "bare")
	block := strings.ReplaceAll(httpBlock(s.host()), "proxy_pass http:", "proxy_ssl_server_name on; proxy_ssl_name upstream.internal; proxy_pass https:")
	block = strings.ReplaceAll(block, "listen %[1]s;", "listen %[1]s ssl http2; ssl_certificate "+cert.cert+"; ssl_certificate_key "+cert.key+";")
	b := cert.browser(t, "bare", nginx(t, 1, block)[0])
	a := b.get("/environ").status(200).ordered("REMOTE_ADDR='127.0.0.5'\n", "SERVER_PROTOCOL='HTTP/1.1'\n", "SSL_TLS_SNI='upstream.internal'\n", "wsgi.url_scheme='https'\n")
	if a.resp.Proto != "HTTP/2.0" {
		t.Errorf("nginx answers in %s", a.resp.Proto)
	}
	b.send("POST", "/echo", body("text/x", hello)).status(200).text(hello)
}

// addresses are where the server says that it listens, in the order of the
// setting.
func (s *server) addresses(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	for end := 0; len(out) < n; {
		var match []string
		match, end = s.log.wait(t, listeningLine(), end)
		_, address, _ := strings.Cut(match[1], "://")
		out = append(out, address)
	}
	return out
}
