package host

import (
	"net/http"

	"github.com/wasgi/wasgi/host/edge"
	"github.com/wasgi/wasgi/host/static"
	"github.com/wasgi/wasgi/tenants"
)

// staticFiles opens what a release shows by itself.
func staticFiles(a application) (*static.Files, error) {
	m := a.tenant.Manifest
	return static.Open(static.Config{
		Dir: a.folder, Prefixes: m.Static, Dotfiles: m.StaticDotfiles, MaxAge: m.StaticMaxAge.Duration, Release: a.fingerprint,
	})
}

// outright answers what needs no guest, or says what serves the rest. A deployment
// that retires meanwhile shows no files any more: its successor does.
func (x *exchange) outright(match tenants.Match, query string) (d *deployment, answered bool, err error) {
	for try := range 3 {
		if d, err = x.current(); err != nil {
			return nil, false, err
		}
		if try == 0 {
			x.compress(d)
		}
		if x.direct(d, match, query) {
			d.called.Store(x.start.Unix())
			return d, true, nil
		}
		if d.static == nil || x.site.live.Load() == d {
			break
		}
	}
	return d, false, nil
}

// direct answers what needs no guest: redirects, then static files. false leaves
// the request to the application.
func (x *exchange) direct(d *deployment, match tenants.Match, query string) bool {
	if status, location, ok := d.redirects.Find(match.ScriptName, match.PathInfo, query); ok {
		x.redirect(status, location)
		return true
	}
	r := x.Request()
	if d.static == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	file := d.static.Find(match.PathInfo, accepted(r))
	if file == nil {
		return false
	}
	defer file.Close()
	x.linger()
	if file.Size() > mostSqueezed {
		x.plain()
	}
	x.response.Direct(func(w http.ResponseWriter) { file.Serve(w, r) })
	return true
}

// mostSqueezed is the size of the largest static file that is compressed on its
// way, again for each client. Larger ones want a neighbour that is compressed.
const mostSqueezed = 1 << 20

// accepted is what codings a client takes.
func accepted(r *http.Request) string {
	if lines := r.Header["Accept-Encoding"]; len(lines) > 0 {
		return edge.Joined(lines)
	}
	return ""
}

func (x *exchange) redirect(status int, location string) {
	x.linger()
	x.response.Direct(func(w http.ResponseWriter) {
		h := w.Header()
		h["Location"] = []string{location}
		h["Content-Type"] = nil
		h["Content-Length"] = []string{"0"}
		w.WriteHeader(status)
	})
}

// compress has the response compressed if the tenant wants that.
func (x *exchange) compress(d *deployment) {
	m := d.tenant.Manifest
	if !m.Compress || x.front.encoders == nil {
		return
	}
	r := x.Request()
	accept := accepted(r)
	x.response.Through(func(w http.ResponseWriter) http.ResponseWriter {
		x.squeeze = x.front.encoders.Wrap(w, r, m.CompressAbove.Bytes(), func(coding string) bool { return static.Accepts(accept, coding) })
		return x.squeeze
	})
}

// plain sends the response as it is.
func (x *exchange) plain() {
	if x.squeeze != nil {
		x.squeeze.Off()
	}
}

// complete ends the coding of a response that is whole.
func (x *exchange) complete() {
	if x.squeeze == nil {
		return
	}
	if err := x.squeeze.Close(); err != nil {
		x.fault = "client-gone"
	}
}

// abandon lets go of the encoder of a response that is not.
func (x *exchange) abandon() {
	if x.squeeze != nil {
		x.squeeze.Abandon()
	}
}

// sent is how many bytes of body went to the connection.
func (x *exchange) sent() int64 {
	if x.squeeze != nil {
		if n, compressed := x.squeeze.Sent(); compressed {
			return n
		}
	}
	return x.response.Bytes()
}
