package policy

import (
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestCertificates: the guest finds the machine's file, and cannot change it.
func TestCertificates(t *testing.T) {
	const text = "-----BEGIN CERTIFICATE-----\n"
	fs, err := OneFile("cert.pem", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	f, errno := fs.OpenFile("cert.pem", sys.O_RDONLY, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer f.Close()
	b := make([]byte, 100)
	if n, errno := f.Read(b); errno != 0 || string(b[:n]) != text {
		t.Errorf("%q, %v", b[:n], errno)
	}
	if _, errno := fs.OpenFile("cert.pem", sys.O_RDWR, 0); errno != sys.EROFS {
		t.Errorf("opening it for writing: %v", errno)
	}
	a := testApp(t)
	a.Certificates = fs
	if got := mounts(t, a); got[len(got)-1] != CertificatesDir {
		t.Errorf("%v", got)
	}
}
