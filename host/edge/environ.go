package edge

import (
	"cmp"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/wasgi/wasgi/abi"
)

// Call is what the host knows about a request besides the request itself.
type Call struct {
	ScriptName string // where the tenant is mounted, percent-decoded bytes
	PathInfo   string // the rest of the path, percent-decoded bytes
	Query      string // raw, without the question mark
	Length     int64  // bytes of the body; below 0 when the request has none
	RequestID  string
	Scheme     string // http or https, as the client used it
}

// Encoder writes environ messages. It is immutable and safe for concurrent use.
type Encoder struct {
	numbers map[string]uint16 // abi.KeyNumbers
	headers map[string]string // environ key by canonical header name, "" to leave it out
}

// NewEncoder builds the tables.
func NewEncoder() *Encoder {
	e := &Encoder{numbers: abi.KeyNumbers(), headers: omitted()}
	for _, key := range abi.WellKnownKeys() {
		if name, ok := strings.CutPrefix(key, "HTTP_"); ok {
			if header := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")); !e.has(header) {
				e.headers[header] = key
			}
		}
	}
	return e
}

func (e *Encoder) has(header string) bool { _, ok := e.headers[header]; return ok }

// omitted are headers that reach no environ: those about one connection (RFC
// 9110 section 7.6.1), those that have a variable of their own, and Proxy,
// which would become HTTP_PROXY (httpoxy, CVE-2016-5388).
func omitted() map[string]string {
	m := map[string]string{}
	for _, name := range []string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
		"Content-Type", "Content-Length", "Host", "Expect", "Proxy",
	} {
		m[name] = ""
	}
	return m
}

// Encode writes r's variables into out, which it resets first. It fails as
// [abi.Environ.Bytes] does. The bytes belong to out.
func (e *Encoder) Encode(out *abi.Environ, r *http.Request, c Call) ([]byte, error) {
	out.Reset()
	put := func(key, value string) { out.Add(e.numbers, key, value) }
	put("REQUEST_METHOD", r.Method)
	put("SCRIPT_NAME", c.ScriptName)
	put("PATH_INFO", c.PathInfo)
	put("QUERY_STRING", c.Query)
	put("REQUEST_URI", r.RequestURI)
	put("RAW_URI", r.RequestURI)
	put("SERVER_PROTOCOL", r.Proto)
	put("wsgi.url_scheme", c.Scheme)
	put("wasgi.request_id", c.RequestID)
	e.putPeers(put, r, c.Scheme)
	e.putBody(put, r, c.Length)
	e.putHeaders(put, r.Header)
	return out.Bytes()
}

func (e *Encoder) putPeers(put func(key, value string), r *http.Request, scheme string) {
	if scheme == "https" {
		put("HTTPS", "on")
	}
	if r.Host != "" {
		put("HTTP_HOST", r.Host)
	}
	name, port := serverName(r, scheme)
	putTLS(put, r.TLS)
	put("SERVER_NAME", name)
	put("SERVER_PORT", port)
	host, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // a UNIX socket has no address to tell
		host, port = "", ""
	}
	put("REMOTE_ADDR", host)
	put("REMOTE_PORT", port)
}

// serverName is what makes up the URL that the client used (PEP 3333, "URL
// Reconstruction"): the Host header, or the listener when that names nobody.
// Neither is ever empty (PEP 3333, "environ Variables").
func serverName(r *http.Request, scheme string) (name, port string) {
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil { // no port
		name = strings.Trim(r.Host, "[]")
	}
	if name != "" {
		return name, cmp.Or(port, forwardedPort(r.Header), defaultPort(scheme))
	}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if host, port, err := net.SplitHostPort(a.String()); err == nil {
			return host, port
		}
	}
	return "localhost", defaultPort(scheme)
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

func (e *Encoder) putBody(put func(key, value string), r *http.Request, length int64) {
	if v, ok := r.Header["Content-Type"]; ok {
		put("CONTENT_TYPE", strings.Join(v, ","))
	}
	if length >= 0 {
		put("CONTENT_LENGTH", strconv.FormatInt(length, 10))
	}
}

func (e *Encoder) putHeaders(put func(key, value string), h http.Header) {
	for name, values := range h {
		key, known := e.headers[name]
		if !known {
			key = environKey(name)
		}
		value, some := join(name, values), true
		if name == "Cookie" {
			value, some = withoutOwn(value)
		}
		if key != "" && some {
			put(key, value)
		}
	}
}

// environKey leaves out names with an underscore, which would pass for the
// same name with a dash and so speak for a proxy in front.
func environKey(name string) string {
	if strings.Contains(name, "_") {
		return ""
	}
	b := make([]byte, 0, len("HTTP_")+len(name))
	b = append(b, "HTTP_"...)
	for i := range len(name) {
		b = append(b, environByte(name[i]))
	}
	return string(b)
}

func environByte(c byte) byte {
	switch {
	case c == '-':
		return '_'
	case c >= 'a' && c <= 'z':
		return c - ('a' - 'A')
	}
	return c
}

// join makes one value of repeated headers (RFC 9110 section 5.3; cookies RFC
// 6265 section 5.4).
func join(name string, values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	if name == "Cookie" {
		return strings.Join(values, "; ")
	}
	return strings.Join(values, ",")
}
