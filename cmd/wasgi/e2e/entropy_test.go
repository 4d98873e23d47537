package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestTLSRandomness: OpenSSL's generator was used before the snapshot, and no two
// instances of it, nor two requests in fresh mode, deal the same: neither
// ssl.RAND_bytes nor what a handshake begins with, its random and its key share.
func TestTLSRandomness(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	reuse, fresh := filepath.Join(root, "reuse"), filepath.Join(root, "fresh")
	write(t, reuse, "wsgi.py", `import ssl

context = ssl.create_default_context()


def hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    message = outgoing.read()
    return message[11:43], message[-32:]  # the random; the end of the key share, which comes last


ssl.RAND_bytes(16)
hello()


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"\n".join(value.hex().encode() for value in (ssl.RAND_bytes(16), *hello()))]
`)
	copyTree(t, reuse, fresh)
	prepend(t, fresh, "isolation = \"fresh\"\n")
	s := w.serve(t, launch{root: root}, "reuse", "fresh")
	for _, tenant := range []string{"reuse", "fresh"} {
		dealt := map[string]bool{}
		b := s.site(t, tenant).browser(t)
		for range 5 {
			for value := range strings.Lines(b.get("/").status(200).body) {
				dealt[strings.TrimSpace(value)] = true
			}
		}
		if len(dealt) != 15 {
			t.Errorf("%s dealt %d values of 15: %v", tenant, len(dealt), dealt)
		}
	}
}
