package e2e

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/wasgi/wasgi/host/wiretest"
)

func attacksOnTLS() []attackRow {
	return []attackRow{
		{id: 44, name: "CVE-2023-44487 rapid reset", safe: "one request runs for each stream that is allowed, others are served", run: rapidReset},
		{id: 44, name: "CVE-2023-45288 and other floods of HTTP/2", safe: "the connection ends, or costs no more than its bytes", run: http2Floods},
		{id: 44, name: "HTTP/2 that HTTP/1 would not be", safe: "400, 404, 405, 408, 413, 431 as in HTTP/1", run: http2Requests},
		{id: 48, name: "HTTP/2 that stalls", safe: "streams without window are reset, bodies that do not come 408", run: http2Stalls},
		{id: 52, name: "SNI of another tenant", safe: "421", run: misdirected},
		{id: 53, name: "PROXY headers of strangers", safe: "refused; a trusted proxy's client is the client", run: strangersPROXY},
		{id: 68, name: "TLS downgrade and floods", safe: "1.2 and 1.3 only; a handshake ends with header_timeout", run: tlsFloods},
	}
}

// frames is a client of HTTP/2 without TLS.
type frames struct{ *wiretest.Frames }

func speak(t *testing.T, address string, settings ...http2.Setting) frames {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(patience))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return frames{wiretest.Speak(t, c, settings...)}
}

// ask opens a stream and says what becomes of it: the status, why it was reset,
// or "gone" with the connection.
func (f frames) ask(end bool, pairs ...string) string {
	id, err := f.Begin(end, pairs...)
	if err != nil {
		return "gone"
	}
	if !end { // the answer is wanted, whatever comes after it
		defer func() { _ = f.WriteRSTStream(id, http2.ErrCodeCancel) }()
	}
	switch out := f.Outcome(id); {
	case out.Gone:
		return "gone"
	case out.Status != "":
		return out.Status
	default:
		return out.Code.String()
	}
}

func to(method, path string, more ...string) []string {
	return append([]string{":method", method, ":scheme", "http", ":authority", "h", ":path", path}, more...)
}

// ended says whether an error is that of a connection which the server closed.
func ended(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// served fails the test unless the tenant answers on a new connection.
func served(g *siege, s site) {
	g.Helper()
	f := speak(g.T, s.host())
	if got := f.ask(true, to("GET", "/hostile/")...); got != "200" {
		g.Errorf("afterwards: %s", got)
	}
}

func rapidReset(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--h2c", "--max-streams", "10", "--max-instances", "4").site(g.T, "hostile")
	f := speak(g.T, s.host())
	go func() { _, _ = io.Copy(io.Discard, f.Conn) }() // ends with the connection
	sent := 0
	for range 20_000 {
		id, err := f.Begin(true, to("GET", "/hostile/")...)
		if err == nil {
			err = f.WriteRSTStream(id, http2.ErrCodeCancel)
		}
		if err != nil {
			if !ended(err) {
				g.Errorf("after %d streams: %v", sent, err)
			}
			break
		}
		sent++
	}
	g.note("%d streams", sent)
	served(g, s)
}

func http2Floods(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--h2c").site(g.T, "hostile")
	long := strings.Repeat("x", 4000)
	for name, flood := range map[string]func(f frames, i int) error{
		"CONTINUATION": func(f frames, i int) error {
			if i == 0 {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.Block(to("GET", "/hostile/")...), EndStream: true})
			}
			return f.WriteContinuation(1, false, f.Block("x-"+strconv.Itoa(i), long))
		},
		"PING":         func(f frames, i int) error { return f.WritePing(false, [8]byte{byte(i)}) },
		"SETTINGS":     func(f frames, _ int) error { return f.WriteSettings() },
		"large frames": func(f frames, _ int) error { return f.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 1<<17)) },
		"empty DATA": func(f frames, i int) error {
			if i == 0 {
				_, err := f.Begin(false, to("POST", "/hostile/")...)
				return err
			}
			return f.WriteData(1, false, nil)
		},
	} {
		f := speak(g.T, s.host())
		var err error
		for i := 0; err == nil && i < 100_000; i++ { // nobody reads what comes back
			err = flood(f, i)
		}
		if err != nil && !ended(err) {
			g.Errorf("%s: %v", name, err)
		}
		f.Close()
		served(g, s)
	}
	// A table of headers that is said to be huge (CVE-2022-41723).
	f := speak(g.T, s.host(), http2.Setting{ID: http2.SettingHeaderTableSize, Val: 1<<32 - 1}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1<<24 - 1})
	if got := f.ask(true, to("GET", "/hostile/")...); got != "200" {
		g.Errorf("a large table: %s", got)
	}
}

func http2Requests(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--h2c").site(g.T, "hostile")
	f := speak(g.T, s.host())
	many := to("GET", "/hostile/")
	for i := range 101 {
		many = append(many, "x-"+strconv.Itoa(i), "1")
	}
	for want, heads := range map[string][][]string{
		"200": {to("GET", "/hostile/"), to("GET", "/hostile/", "host", "h")},
		"400": {
			to("GET", "/hostile/", "host", "other"), to("GET", "http://h/hostile/"), to("GET", "/hostile/ HTTP/1.1"), to("GET", "*"),
			to("POST", "/hostile/", "content-length", "5"), to("POST", "/hostile/", "content-length", "0", "content-length", "0"),
			to("GET", "/hostile/", "transfer-encoding", "chunked"), to("GET", "/hostile/", "connection", "close"), to("GET", "/hostile/", "upgrade", "h2c"),
			{":method", "GET", ":scheme", "http", ":authority", "a b", ":path", "/hostile/"},
		},
		"404":            {to("GET", "/nothing/")},
		"405":            {{":method", "CONNECT", ":authority", "h:80"}, to("TRACE", "/hostile/")},
		"414":            {to("GET", "/hostile/"+strings.Repeat("x", 9<<10))},
		"431":            {many, to("GET", "/hostile/", "x", strings.Repeat("x", 9<<10))},
		"PROTOCOL_ERROR": {to("GET", "/hostile/", "X-Upper", "1"), to("GET", "/hostile/", "x", "a\r\nb: c"), {":method", "GET", ":scheme", "http", ":authority", "h"}},
	} {
		for _, head := range heads {
			if got := f.ask(true, head...); got != want {
				g.Errorf("%.200q: %s, want %s", head, got, want)
			}
		}
	}
	if got := f.ask(false, to("POST", "/hostile/", "content-length", "99999999")...); got != "413" {
		g.Errorf("a large body: %s", got)
	}
}

func http2Stalls(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--h2c", "--write-timeout", "300ms", "--body-timeout", "300ms", "--max-instances", "1").site(g.T, "hostile")
	f := speak(g.T, s.host(), http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
	if got := f.ask(false, to("POST", "/hostile/")...); got != "408" {
		g.Errorf("a body that does not come: %s", got)
	}
	id, err := f.Begin(false, to("POST", "/hostile/")...)
	if err == nil {
		err = f.WriteData(id, true, []byte("answer = 'x' * 1000000"))
	}
	if err != nil {
		g.Fatal(err)
	}
	if got := f.Outcome(id); got.Status != "200" || len(got.Body) != 100 || !got.Reset || got.Code != http2.ErrCodeInternal {
		g.Errorf("a response without window: %s, %d bytes, %v", got.Status, len(got.Body), got.Code)
	}
	if got := f.ask(true, to("GET", "/hostile/")...); got != "200" {
		g.Errorf("the next: %s", got)
	}
}

func misdirected(g *siege) {
	g.hostile("one", "hosts = [\"one.example\"]\n")
	g.hostile("two", "hosts = [\"two.example\"]\n")
	cert := certificate(g.T, "one.example", "two.example", "neighbour.example")
	s := g.serve(append(cert.flags(), "--listen", "http://127.0.0.1:0,https://127.0.0.1:0")...)
	address := s.addresses(g.T, 2)[1]
	for _, c := range []struct {
		name, host string
		status     int
	}{{"one.example", "one.example", 200}, {"one.example", "two.example", 421}, {"two.example", "one.example", 421}, {"neighbour.example", "two.example", 200}} {
		for _, http2 := range []bool{false, true} {
			b := cert.browser(g.T, "", address)
			transport := b.client.Transport.(*http.Transport)
			transport.ForceAttemptHTTP2, transport.TLSClientConfig.ServerName = http2, c.name
			b.site.prefix = ""
			a := b.get("/", host(c.host))
			a.what = fmt.Sprintf("%s to %s, HTTP/2 %v", c.name, c.host, http2)
			a.status(c.status)
		}
	}
}

func strangersPROXY(g *siege) {
	g.hostile("hostile", "")
	s := g.serve("--trusted-proxies", "127.0.0.9", "--proxy-protocol", "optional").site(g.T, "hostile")
	const code = "answer = environ['REMOTE_ADDR']"
	request := fmt.Sprintf("POST /hostile/ HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(code), code)
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x9c\x40\x01\xbb"
	for _, header := range []string{"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n", "PROXY UNKNOWN\r\n", v2} {
		refused(g, s, header+request, 400)
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}
		conn, err := d.DialContext(g.Context(), "tcp", s.host())
		if err != nil {
			g.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, header+strings.Replace(request, "Host: h\r\n", "Host: h\r\nConnection: close\r\n", 1)); err != nil {
			g.Fatal(err)
		}
		b, err := io.ReadAll(conn)
		want := "192.0.2.7"
		if strings.Contains(header, "UNKNOWN") {
			want = ""
		}
		if _, body, _ := strings.Cut(string(b), "\r\n\r\n"); err != nil || body != want {
			g.Errorf("the proxy's %q: %q, %v", header, b, err)
		}
	}
}

func tlsFloods(g *siege) {
	g.hostile("hostile", "")
	cert := certificate(g.T, "one.example")
	s := g.serve(append(cert.flags(), "--listen", "http://127.0.0.1:0,https://127.0.0.1:0", "--header-timeout", "500ms", "--max-connections", "300")...)
	address := s.addresses(g.T, 2)[1]
	for _, c := range []*tls.Config{
		{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
		{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}},
	} {
		c.InsecureSkipVerify = true
		if conn, err := tls.Dial("tcp", address, c); err == nil {
			conn.Close()
			g.Errorf("spoken: %+v", conn.ConnectionState())
		}
	}
	// Half a ClientHello on many connections, and silence.
	var silent []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			g.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00"); err != nil {
			g.Fatal(err)
		}
		silent = append(silent, c)
	}
	cert.browser(g.T, "hostile", address).get("/").status(200).text("well\n")
	for _, c := range silent {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			g.Fatal(err)
		}
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			g.Fatal("a handshake without an end is waited for")
		}
	}
}
