package policy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"

	"github.com/wasgi/wasgi/wasi"
)

// certificateFiles are where systems keep the certificates of authorities in one
// file, as crypto/x509 knows them.
func certificateFiles() []string {
	return []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Gentoo
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // CentOS, RHEL 7
		"/etc/ssl/cert.pem",                                 // Alpine
	}
}

// SystemCertificates is a folder with the machine's certificates of authorities
// as cert.pem, where the guest's OpenSSL looks for it. They are read once.
func SystemCertificates() (wasi.FS, error) {
	for _, name := range certificateFiles() {
		text, err := os.ReadFile(name)
		if err == nil {
			return OneFile("cert.pem", text)
		}
		if !os.IsNotExist(err) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("none of %v exists: install ca-certificates", certificateFiles())
}

// OneFile is a folder with one file, which cannot be written to.
func OneFile(name string, text []byte) (wasi.FS, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(fs.FileMode(0o444))
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		return nil, err
	}
	return wasi.Archive(r)
}
