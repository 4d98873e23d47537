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
	headers map[string]uint16 // number of the environ key by canonical header name, 0 to leave it out
}

// NewEncoder builds the tables.
func NewEncoder() *Encoder {
	e := &Encoder{headers: omitted()}
	for number, key := range abi.WellKnownKeys() {
		if name, ok := strings.CutPrefix(key, "HTTP_"); ok {
			if header := http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-")); !e.has(header) {
				e.headers[header] = uint16(number)
			}
		}
	}
	return e
}

func (e *Encoder) has(header string) bool { _, ok := e.headers[header]; return ok }

// omitted are headers that reach no environ: those about one connection (RFC
// 9110 section 7.6.1), those that have a variable of their own, and Proxy,
// which would become HTTP_PROXY (httpoxy, CVE-2016-5388).
func omitted() map[string]uint16 {
	m := map[string]uint16{}
	for _, name := range []string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Http2-Settings",
		"Content-Type", "Content-Length", "Host", "Expect", "Proxy",
	} {
		m[name] = 0
	}
	return m
}

// Encode writes r's variables into out, which it resets first. It fails as
// [abi.Environ.Bytes] does. The bytes belong to out.
func (e *Encoder) Encode(out *abi.Environ, r *http.Request, c Call) ([]byte, error) {
	out.Reset()
	out.AddKnown(abi.KeyRequestMethod, r.Method)
	out.AddKnown(abi.KeyScriptName, c.ScriptName)
	out.AddKnown(abi.KeyPathInfo, c.PathInfo)
	out.AddKnown(abi.KeyQueryString, c.Query)
	out.AddKnown(abi.KeyRequestURI, r.RequestURI)
	out.AddKnown(abi.KeyRawURI, r.RequestURI)
	out.AddKnown(abi.KeyServerProtocol, r.Proto)
	out.AddKnown(abi.KeyURLScheme, c.Scheme)
	out.AddKnown(abi.KeyRequestID, c.RequestID)
	putPeers(out, r, c.Scheme)
	putBody(out, r, c.Length)
	e.putHeaders(out, r.Header)
	return out.Bytes()
}

func putPeers(out *abi.Environ, r *http.Request, scheme string) {
	if scheme == "https" {
		out.AddKnown(abi.KeyHTTPS, "on")
	}
	if r.Host != "" {
		out.AddKnown(abi.KeyHTTPHost, r.Host)
	}
	name, port := serverName(r, scheme)
	putTLS(func(key, value string) { out.Add(nil, key, value) }, r.TLS)
	out.AddKnown(abi.KeyServerName, name)
	out.AddKnown(abi.KeyServerPort, port)
	host, port, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // a UNIX socket has no address to tell
		host, port = "", ""
	}
	out.AddKnown(abi.KeyRemoteAddr, host)
	out.AddKnown(abi.KeyRemotePort, port)
}

// serverName is what makes up the URL that the client used (PEP 3333, "URL
// Reconstruction"): the Host header, or the listener when that names nobody.
// Neither is ever empty (PEP 3333, "environ Variables").
func serverName(r *http.Request, scheme string) (name, port string) {
	name, port = splitHost(r.Host)
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

// splitHost takes the port off a Host header, "" where there is none.
func splitHost(host string) (name, port string) {
	if strings.IndexByte(host, ':') >= 0 { // else there would be an error to make
		if name, port, err := net.SplitHostPort(host); err == nil {
			return name, port
		}
	}
	return strings.Trim(host, "[]"), ""
}

func putBody(out *abi.Environ, r *http.Request, length int64) {
	if v, ok := r.Header["Content-Type"]; ok {
		out.AddKnown(abi.KeyContentType, strings.Join(v, ","))
	}
	if length >= 0 {
		out.AddKnown(abi.KeyContentLength, strconv.FormatInt(length, 10))
	}
}

func (e *Encoder) putHeaders(out *abi.Environ, h http.Header) {
	for name, values := range h {
		number, known := e.headers[name]
		if known && number == 0 {
			continue
		}
		value, some := join(name, values), true
		if name == "Cookie" {
			value, some = withoutOwn(value)
		}
		switch {
		case !some:
		case known:
			out.AddKnown(number, value)
		default:
			if key := environKey(name); key != "" {
				out.Add(nil, key, value)
			}
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
