// Package wiretest has what tests of the connection side need: certificates, and
// a client of HTTP/2 that sends whatever it is told to. Only tests import it.
package wiretest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"testing"
	"time"
)

// Issue writes a certificate of these names, which signs itself, and its key. It
// is valid until expires. Both files are replaced in one step each. believed has
// the certificate.
func Issue(t testing.TB, cert, key string, expires time.Time, names ...string) (believed *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: expires.Add(-48 * time.Hour), NotAfter: expires,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	Put(t, cert, text)
	Put(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	believed = x509.NewCertPool()
	believed.AppendCertsFromPEM(text)
	return believed
}

// Put replaces a file in one step, so that it is another one even within a tick
// of the clock.
func Put(t testing.TB, path string, text []byte) {
	t.Helper()
	next := path + ".next"
	if err := errors.Join(os.WriteFile(next, text, 0o600), os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
}
