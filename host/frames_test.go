package host

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/wasgi/wasgi/host/config"
)

// issue writes a certificate of these names, signed by itself, and its key.
func issue(t *testing.T, cert, key string, names ...string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		next := path + ".next"
		if err := errors.Join(os.WriteFile(next, pem.EncodeToMemory(block), 0o600), os.Rename(next, path)); err != nil {
			t.Fatal(err)
		}
	}
}

// secureAt makes a configuration listen with TLS for these names.
func secureAt(t *testing.T, names ...string) func(*Config) {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	issue(t, cert, key, names...)
	return func(c *Config) {
		c.Listen, c.TLSCert, c.TLSKey = "https://127.0.0.1:0", config.List(cert), config.List(key)
	}
}

// secure opens a connection with TLS, for a name, that offers these protocols.
func (r *running) secure(name string, protocols ...string) *tls.Conn {
	r.t.Helper()
	c, err := tls.Dial("tcp", r.addr, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// frames is a client of HTTP/2 that sends whatever it is told to.
type frames struct {
	t *testing.T
	net.Conn
	*http2.Framer
	text    bytes.Buffer
	encoder *hpack.Encoder
	next    uint32
}

// speak begins HTTP/2 on a connection with these settings.
func speak(t *testing.T, c net.Conn, settings ...http2.Setting) *frames {
	t.Helper()
	f := &frames{t: t, Conn: c, Framer: http2.NewFramer(c, c), next: 1}
	f.encoder = hpack.NewEncoder(&f.text)
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f.must(f.WriteSettings(settings...))
	return f
}

func (f *frames) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// block encodes names and values.
func (f *frames) block(pairs ...string) []byte {
	f.t.Helper()
	f.text.Reset()
	for i := 0; i < len(pairs); i += 2 {
		f.must(f.encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return f.text.Bytes()
}

// request begins a stream and returns its number.
func (f *frames) request(end bool, pairs ...string) uint32 {
	f.t.Helper()
	id := f.next
	f.next += 2
	f.must(f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block(pairs...), EndStream: end, EndHeaders: true}))
	return id
}

// get is the head of a request for a path.
func get(path string, more ...string) []string {
	return append([]string{":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", path}, more...)
}

// outcome is how a stream ended.
type outcome struct {
	status string
	body   string
	code   http2.ErrCode
	reset  bool
	gone   bool // the connection ended before
}

// outcome reads frames until a stream ends; those of others are passed over.
func (f *frames) outcome(id uint32) (out outcome) {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			out.gone = true
			return out
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.must(f.WriteSettingsAck())
			}
		case *http2.GoAwayFrame:
			out.code = frame.ErrCode
		case *http2.MetaHeadersFrame:
			if frame.StreamID != id {
				continue
			}
			out.status = frame.PseudoValue("status")
			if frame.StreamEnded() {
				return out
			}
		case *http2.DataFrame:
			if frame.StreamID != id {
				continue
			}
			out.body += string(frame.Data())
			if frame.StreamEnded() {
				return out
			}
		case *http2.RSTStreamFrame:
			if frame.StreamID == id {
				out.reset, out.code = true, frame.ErrCode
				return out
			}
		}
	}
}
