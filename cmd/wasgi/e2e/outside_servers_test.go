package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/wiretest"
)

// echoServer gives back what it gets, on one port of TCP and UDP.
func echoServer(t *testing.T) string {
	t.Helper()
	l := acceptor(t, func(c net.Conn) { _, _ = io.Copy(c, c) })
	u, err := net.ListenPacket("udp", l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	go func() { // ends with the socket
		b := make([]byte, 1<<16)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = u.WriteTo(b[:n], from)
		}
	}()
	return l
}

// acceptor runs a server, each connection in a goroutine that ends with it.
func acceptor(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// silent takes connections and says nothing; ended gets one value for each that
// the other side has closed.
func silentServer(t *testing.T) (address string, ended chan struct{}) {
	ended = make(chan struct{}, 100)
	return acceptor(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
		ended <- struct{}{}
	}), ended
}

// closes waits until the other side has closed a connection.
func closes(t *testing.T, ended chan struct{}, what string) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Errorf("%s: the connection stays open", what)
	}
}

// mailServer takes mail as RFC 5321 has it, and keeps what it got.
func mailServer(t *testing.T) (address string, mails chan string) {
	mails = make(chan string, 10)
	return acceptor(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		fmt.Fprint(c, "220 test ESMTP\r\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch word := strings.ToUpper(strings.TrimSpace(line)); {
			case word == "DATA":
				fmt.Fprint(c, "354 go on\r\n")
				mails <- mailBody(r)
				fmt.Fprint(c, "250 taken\r\n")
			case word == "QUIT":
				fmt.Fprint(c, "221 bye\r\n")
				return
			default:
				fmt.Fprint(c, "250 fine\r\n")
			}
		}
	}), mails
}

func mailBody(r *bufio.Reader) string {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

// daemon is a server of a Debian package.
type daemon struct {
	name    string
	user    string // who runs it when the tests are root's; "" is root
	command func(dir, port string) *exec.Cmd
	prepare func(dir string) *exec.Cmd // nil for nothing
	ready   func(port string) error
}

// running is a daemon that a test may end and begin again, at the same address.
type running struct {
	daemon
	dir, port  string
	credential *syscall.Credential
	command    *exec.Cmd
	out        *transcript
	ended      chan struct{}
}

// start runs a daemon on a free port of 127.0.0.1. Where it is not installed the
// test is skipped.
func (d daemon) start(t *testing.T) (address string) {
	t.Helper()
	return d.run(t).address()
}

func (d daemon) run(t *testing.T) *running {
	t.Helper()
	dir, err := os.MkdirTemp("", "wasgi-"+d.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	r := &running{daemon: d, dir: dir, credential: d.credential(t, dir)}
	if d.prepare != nil {
		c := d.prepare(dir)
		c.Dir, c.SysProcAttr = dir, &syscall.SysProcAttr{Credential: r.credential}
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("preparing %s: %v\n%s", d.name, err, out)
		}
	}
	// Somebody may take the port before the daemon does.
	for range 3 {
		r.port = freePort(t)
		if r.begin(t) {
			t.Cleanup(func() { r.end(t) })
			return r
		}
	}
	t.Fatalf("%s does not start", d.name)
	return nil
}

func (r *running) address() string { return "127.0.0.1:" + r.port }

// begin says whether the daemon answers.
func (r *running) begin(t *testing.T) bool {
	t.Helper()
	r.command, r.out, r.ended = r.daemon.command(r.dir, r.port), newTranscript(), make(chan struct{})
	r.command.Dir, r.command.Stdout, r.command.Stderr = r.dir, r.out, r.out
	r.command.SysProcAttr = &syscall.SysProcAttr{Credential: r.credential, Pdeathsig: syscall.SIGKILL}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	c, ended := r.command, r.ended
	go func() { _ = c.Wait(); close(ended) }()
	if r.await(r.port, ended) {
		return true
	}
	_ = c.Process.Kill()
	<-ended
	t.Logf("%s did not start:\n%s", r.name, r.out)
	return false
}

// end ends it in order, and waits.
func (r *running) end(t *testing.T) { stopDaemon(t, r.name, r.command, r.ended, r.out) }

// await asks the daemon until it answers, or has ended.
func (d daemon) await(port string, ended chan struct{}) bool {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if d.ready(port) == nil {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
	return false
}

func stopDaemon(t *testing.T, name string, c *exec.Cmd, ended chan struct{}, out *transcript) {
	_ = c.Process.Signal(syscall.SIGINT) // of PostgreSQL: at once, but in order
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = c.Process.Kill()
		<-ended
	}
	if t.Failed() {
		t.Logf("%s:\n%s", name, out)
	}
}

// credential is the daemon's user when the tests run as root, and the folder's
// new owner.
func (d daemon) credential(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 || d.user == "" {
		return nil
	}
	u, err := user.Lookup(d.user)
	if err != nil {
		t.Skipf("there is no user %s: make tools installs what %s needs", d.user, d.name)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// program finds one of Debian's, or skips the test.
func programOf(t *testing.T, what string, patterns ...string) string {
	t.Helper()
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Skipf("%s is missing: make tools installs it", what)
	return ""
}

// greets says whether who listens speaks first, or answers, with a prefix.
func greets(port, says, prefix string) error {
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.WriteString(c, says); err != nil {
		return err
	}
	b := make([]byte, len(prefix))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	if string(b) != prefix {
		return errors.New("it says something else")
	}
	return nil
}

// postgres has the user wasgi, whose password is secret. It looks ten times a
// second whether the client of a long query is still there.
func postgres(t *testing.T) (address string) {
	t.Helper()
	return postgresDaemon(t).start(t)
}

func postgresDaemon(t *testing.T) daemon {
	t.Helper()
	bin := filepath.Dir(programOf(t, "PostgreSQL", "/usr/lib/postgresql/*/bin/initdb"))
	password := filepath.Join(t.TempDir(), "password")
	write(t, filepath.Dir(password), "password", "secret\n")
	for _, dir := range []string{filepath.Dir(filepath.Dir(password)), filepath.Dir(password)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return daemon{
		name: "postgres", user: "postgres",
		prepare: func(dir string) *exec.Cmd {
			return exec.Command(filepath.Join(bin, "initdb"), "-D", dir+"/data", "-U", "wasgi", "--auth=scram-sha-256", "--pwfile="+password, "-N", "--locale=C.UTF-8")
		},
		command: func(dir, port string) *exec.Cmd {
			return exec.Command(filepath.Join(bin, "postgres"), "-D", dir+"/data", "-p", port, "-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories="+dir, "-c", "fsync=off", "-c", "client_connection_check_interval=100ms")
		},
		// To a request for TLS it answers with one letter: it has none.
		ready: func(port string) error { return greets(port, "\x00\x00\x00\x08\x04\xd2\x16\x2f", "N") },
	}
}

func redisServer(t *testing.T) string {
	t.Helper()
	binary := programOf(t, "Redis", "/usr/bin/redis-server")
	return daemon{
		name: "redis", user: "redis",
		command: func(dir, port string) *exec.Cmd {
			return exec.Command(binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir)
		},
		ready: func(port string) error { return greets(port, "PING\r\n", "+PONG") },
	}.start(t)
}

// mariadb has the database test and the user wasgi, whose password is secret and
// who may make others.
func mariadb(t *testing.T) string {
	t.Helper()
	binary, install := programOf(t, "MariaDB", "/usr/sbin/mariadbd"), programOf(t, "MariaDB", "/usr/bin/mariadb-install-db")
	return daemon{
		name: "mariadb", user: "mysql",
		prepare: func(dir string) *exec.Cmd {
			script := `printf "%s\n" "create database if not exists test;" "create user wasgi@127.0.0.1 identified by 'secret';" ` +
				`"grant all on *.* to wasgi@127.0.0.1;" >start.sql && mkdir data && exec "$0" --no-defaults --datadir="$PWD/data" ` +
				`--auth-root-authentication-method=normal --skip-test-db`
			return exec.Command("sh", "-c", script, install)
		},
		command: func(dir, port string) *exec.Cmd {
			return exec.Command(binary, "--no-defaults", "--datadir="+dir+"/data", "--port="+port, "--bind-address=127.0.0.1",
				"--socket="+dir+"/s", "--pid-file="+dir+"/pid", "--init-file="+dir+"/start.sql", "--innodb-flush-log-at-trx-commit=0", "--character-set-server=utf8mb4")
		},
		ready: func(port string) error {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(2 * time.Second))
				_, err = io.ReadFull(c, make([]byte, 5)) // its greeting
			}
			return err
		},
	}.start(t)
}

// authority is a certificate authority of the test's own, and a certificate that
// it has given to localhost.
type authority struct{ authority, cert, key string }

func newAuthority(t *testing.T) authority {
	t.Helper()
	return authorityFor(t, "localhost", net.IPv4(127, 0, 0, 1))
}

// authorityFor has given a certificate to a name, and addresses.
func authorityFor(t *testing.T, name string, addresses ...net.IP) authority {
	t.Helper()
	dir := t.TempDir()
	a := authority{filepath.Join(dir, "authority.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte("authority"),
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: addresses, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	rootKey, leafKey := newKey(t), newKey(t)
	wiretest.Put(t, a.authority, signed(t, root, root, rootKey, rootKey))
	wiretest.Put(t, a.cert, signed(t, leaf, root, leafKey, rootKey))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	wiretest.Put(t, a.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signed(t *testing.T, c, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// server is one of Go's with the certificate that the authority has given.
func (a authority) server(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // of clients that trust nobody
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// localhost is a server's address by the name that its certificate has.
func localhost(s *httptest.Server) string {
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

// webServer is nginx with a page, over HTTP and HTTPS.
func webServer(t *testing.T, a authority) (plain, secure string) {
	t.Helper()
	at := nginx(t, 2, `http {
	access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen %[1]s;
		listen %[2]s ssl;
		ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate `+a.cert+`; ssl_certificate_key `+a.key+`;
		location = /page { default_type text/plain; return 200 "a page of nginx\n"; }
		location = /moved { return 302 http://169.254.169.254/; }
	}
}`)
	return at[0], at[1]
}
