package e2e

import "testing"

// certificates tells how many authorities a context knows that was made at
// import, and one that is made now, before and after the machine's list is out of
// sight.
const certificates = `import os, ssl
early = ssl.create_default_context()
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    def known(context):
        return context.cert_store_stats()["x509_ca"] > 20
    now, wrapped, later = [ssl.create_default_context() for _ in range(3)]
    seen = known(now), len(now.get_ca_certs()) > 20
    o = wrapped.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a.test")
    os.environ["SSL_CERT_FILE"] = "/dev/null"
    seen += known(early), known(o.context), known(later)
    del os.environ["SSL_CERT_FILE"]
    try:
        later.load_default_certs("x")
    except TypeError as e:
        seen += (repr(e),)
    return [repr(seen).encode()]
`

// TestCertificatesAreReadWhenNeeded: reading the machine's authorities takes a
// guest 9 ms, so a context reads them at its first use, and all that were made at
// import have them in the snapshot.
func TestCertificatesAreReadWhenNeeded(t *testing.T) {
	t.Parallel()
	w, root := newWorld(t), t.TempDir()
	write(t, root, "tls/wsgi.py", certificates)
	s := w.serve(t, launch{root: root}, "tls")
	b := s.site(t, "tls").browser(t)
	for range 2 {
		b.get("/").status(200).text(`(True, True, True, True, False, "TypeError('x')")`)
	}
}
