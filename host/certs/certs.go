// Package certs keeps the certificates that the host shows to clients: it reads
// them from files, looks at the files before each handshake, and chooses one by
// the name that the client asks for.
//
// A pair that cannot be used never takes the place of one that can. Programs that
// renew certificates write two files, one after the other, and in between they
// do not fit together.
package certs

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// Files are those of one certificate, with its chain, and of its key, both PEM.
// They may be one.
type Files struct{ Cert, Key string }

// Events hear of what happens after Open. Both functions may be nil; they are
// called from handshakes and must not wait.
type Events struct {
	// Loaded hears of a pair that changed and was taken.
	Loaded func(f Files, expires time.Time)
	// Failed hears once of each change that cannot be used. The pair before it goes on.
	Failed func(f Files, err error)
}

// Store is safe for concurrent use.
type Store struct {
	events Events
	now    func() time.Time

	mu    sync.Mutex
	pairs []*pair
}

// pair is what is known of Files.
type pair struct {
	files Files
	seen  [2]stamp // of the files when they were last read
	cert  *tls.Certificate
}

// stamp changes when a file does, and when another one takes its name.
type stamp struct {
	size     int64
	modified time.Time
	info     fs.FileInfo // nil when there is no file
}

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 1 << 20

// Open reads every pair. It fails when there is none, or one cannot be used: its
// errors say which file, why, and what to do.
func Open(files []Files, e Events) (*Store, error) {
	s := &Store{events: e, now: time.Now}
	var errs []error
	for _, f := range files {
		p := &pair{files: f, seen: f.stamps()}
		var err error
		if p.cert, err = f.load(); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, expired(f, p.cert, s.now()))
		s.pairs = append(s.pairs, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(s.pairs) == 0 {
		return nil, errors.New("there is no certificate: name the file of one in tls_cert")
	}
	return s, nil
}

// expired is an error: no client would talk to such a server.
func expired(f Files, cert *tls.Certificate, now time.Time) error {
	if now.After(cert.Leaf.NotAfter) {
		return fmt.Errorf("the certificate in %s expired on %s: renew it", f.Cert, cert.Leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// Expiry is when the first of the certificates expires.
func (s *Store) Expiry() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.pairs[0].cert.Leaf.NotAfter
	for _, p := range s.pairs {
		if end := p.cert.Leaf.NotAfter; end.Before(first) {
			first = end
		}
	}
	return first
}

// GetCertificate is for tls.Config: the first certificate that the client can
// use for the name it asks for, or else the first of all. What a client learns
// from asking for names is therefore what the certificates themselves say.
func (s *Store) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	current := s.current()
	for _, cert := range current {
		if hello.SupportsCertificate(cert) == nil {
			return cert, nil
		}
	}
	return current[0], nil
}

// current looks at the files.
func (s *Store) current() []*tls.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*tls.Certificate, len(s.pairs))
	for i, p := range s.pairs {
		if now := p.files.stamps(); !same(now, p.seen) {
			s.renew(p, now)
		}
		out[i] = p.cert
	}
	return out
}

func (s *Store) renew(p *pair, now [2]stamp) {
	cert, err := p.files.load()
	if err == nil {
		err = expired(p.files, cert, s.now())
	}
	p.seen = now
	switch {
	case err == nil:
		p.cert = cert
		if s.events.Loaded != nil {
			s.events.Loaded(p.files, cert.Leaf.NotAfter)
		}
	case s.events.Failed != nil:
		s.events.Failed(p.files, err)
	}
}

func (f Files) stamps() [2]stamp { return [2]stamp{stampOf(f.Cert), stampOf(f.Key)} }

// stampOf follows links: certbot and Kubernetes change where they lead.
func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime(), info}
}

func same(a, b [2]stamp) bool { return a[0].equal(b[0]) && a[1].equal(b[1]) }

func (s stamp) equal(t stamp) bool {
	if s.info == nil || t.info == nil {
		return s.info == nil && t.info == nil
	}
	return s.size == t.size && s.modified.Equal(t.modified) && os.SameFile(s.info, t.info)
}

func (f Files) load() (*tls.Certificate, error) {
	cert, err := read(f.Cert)
	if err != nil {
		return nil, err
	}
	key, err := read(f.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate in %s with the key in %s: %s: %s", f.Cert, f.Key, strings.TrimPrefix(err.Error(), "tls: "), advice(err, key))
	}
	return &pair, nil
}

// advice is what to do about a pair.
func advice(err error, key []byte) string {
	switch {
	case bytes.Contains(key, []byte("ENCRYPTED")):
		return "the key has a passphrase: write it without one (openssl pkey -in FILE -out FILE)"
	case strings.Contains(err.Error(), "does not match"):
		return "name certificates and keys in the same order; in the file of the certificate its own comes first, then its chain"
	}
	return "both have to be PEM, with BEGIN CERTIFICATE in one and BEGIN … PRIVATE KEY in the other"
}

// read takes a whole file, which is not larger than maxFile.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: give the user of this process the right to read it", err)
	case err != nil:
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than a certificate can be", path)
	}
	return text, err
}
