package certs

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wasgi/wasgi/host/wiretest"
)

// issue writes a certificate of a name and its key.
func issue(t testing.TB, f Files, name string, expires time.Time) {
	t.Helper()
	wiretest.Issue(t, f.Cert, f.Key, expires, name)
}

func files(t testing.TB) Files {
	dir := t.TempDir()
	return Files{filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// shown is the name in the certificate that a client gets.
func shown(t *testing.T, s *Store, name string) string {
	t.Helper()
	c, err := s.GetCertificate(&tls.ClientHelloInfo{
		ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf.Subject.CommonName
}

func TestNamesChoose(t *testing.T) {
	a, b := files(t), files(t)
	issue(t, a, "a.example", tomorrow())
	issue(t, b, "b.example", tomorrow().Add(-time.Hour))
	s, err := Open([]Files{a, b}, Events{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a.example": "a.example", "b.example": "b.example", "c.example": "a.example", "": "a.example"} {
		if got := shown(t, s, name); got != want {
			t.Errorf("%q gets %s, want %s", name, got, want)
		}
	}
	if got, want := s.Expiry(), tomorrow().Add(-time.Hour); want.Sub(got).Abs() > time.Minute {
		t.Errorf("the first expires %s, want %s", got, want)
	}
}

// A pair that changes counts at once; one that does not fit together leaves the
// older one, and is told once.
func TestFilesThatChange(t *testing.T) {
	f, other := files(t), files(t)
	issue(t, f, "old.example", tomorrow())
	var loaded, failed []string
	s, err := Open([]Files{f}, Events{
		Loaded: func(f Files, _ time.Time) { loaded = append(loaded, f.Cert) },
		Failed: func(f Files, err error) { failed = append(failed, err.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	issue(t, other, "new.example", tomorrow())
	swap := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		wiretest.Put(t, to, text)
	}
	swap(other.Cert, f.Cert)
	for range 3 {
		if got := shown(t, s, ""); got != "old.example" {
			t.Fatalf("with half a pair: %s", got)
		}
	}
	if len(failed) != 1 || !strings.Contains(failed[0], "private key does not match public key: name certificates and keys in the same order") {
		t.Errorf("told: %q", failed)
	}
	swap(other.Key, f.Key)
	if got := shown(t, s, ""); got != "new.example" {
		t.Errorf("after both: %s", got)
	}
	if err := os.Remove(f.Key); err != nil {
		t.Fatal(err)
	}
	if got := shown(t, s, ""); got != "new.example" || len(failed) != 2 {
		t.Errorf("without a key: %s, told %q", got, failed)
	}
	issue(t, f, "late.example", time.Now().Add(-time.Hour))
	if got := shown(t, s, ""); got != "new.example" || len(failed) != 3 || !strings.Contains(failed[2], "expired on ") {
		t.Errorf("expired: %s, told %q", got, failed)
	}
	if len(loaded) != 1 || loaded[0] != f.Cert {
		t.Errorf("loaded: %q", loaded)
	}
}

func TestPairsThatCannotBeUsed(t *testing.T) {
	good, bad, old, one := files(t), files(t), files(t), files(t)
	issue(t, good, "a.example", tomorrow())
	issue(t, bad, "b.example", tomorrow())
	issue(t, old, "c.example", time.Now().Add(-time.Hour))
	one.Key = one.Cert
	for _, c := range []struct {
		files Files
		text  string // of the file of the key, if not ""
		want  string
	}{
		{Files{"/nowhere/c.pem", good.Key}, "", "open /nowhere/c.pem: no such file or directory"},
		{Files{good.Cert, "/nowhere/k.pem"}, "", "open /nowhere/k.pem: no such file or directory"},
		{Files{good.Cert, bad.Key}, "", "the certificate in " + good.Cert + " with the key in " + bad.Key + ": private key does not match public key: name certificates"},
		{Files{good.Key, good.Key}, "", "both have to be PEM"},
		{old, "", "the certificate in " + old.Cert + " expired on "},
		{Files{good.Cert, one.Key}, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "the key has a passphrase"},
		{one, strings.Repeat("x", maxFile+1), one.Cert + " is larger than a certificate can be"},
	} {
		if c.text != "" {
			wiretest.Put(t, c.files.Key, []byte(c.text))
		}
		if _, err := Open([]Files{c.files}, Events{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.files, err, c.want)
		}
	}
	if _, err := Open(nil, Events{}); err == nil || !strings.Contains(err.Error(), "tls_cert") {
		t.Errorf("none: %v", err)
	}
}

// One file may hold both.
func TestOneFile(t *testing.T) {
	f := files(t)
	issue(t, f, "a.example", tomorrow())
	var both []byte
	for _, path := range []string{f.Key, f.Cert} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	wiretest.Put(t, f.Cert, both)
	s, err := Open([]Files{{f.Cert, f.Cert}}, Events{})
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(t, s, "a.example"); got != "a.example" {
		t.Error(got)
	}
}

// BenchmarkLook is what each handshake pays to see that nothing has changed.
func BenchmarkLook(b *testing.B) {
	f := files(b)
	issue(b, f, "a.example", tomorrow())
	s, err := Open([]Files{f}, Events{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.current()
	}
}
