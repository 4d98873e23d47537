package edge

import (
	"crypto/tls"
	"net/http"
	"strings"
)

// putTLS writes what mod_ssl's StdEnvVars writes of it, for a connection that
// speaks TLS with this host and not with a proxy.
func putTLS(put func(key, value string), state *tls.ConnectionState) {
	if state == nil {
		return
	}
	put("SSL_PROTOCOL", sslProtocol(state.Version))
	put("SSL_CIPHER", tls.CipherSuiteName(state.CipherSuite))
	if state.ServerName != "" {
		put("SSL_TLS_SNI", state.ServerName)
	}
}

// sslProtocol is OpenSSL's name of a version.
func sslProtocol(version uint16) string {
	return strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1)
}

// forwardedPort is the port that the client used, in the words of a trusted
// proxy; "" when none told. Proxies.Admit has removed the header if anybody else
// wrote it.
func forwardedPort(h http.Header) string {
	lines := h["X-Forwarded-Port"]
	if len(lines) == 0 {
		return ""
	}
	_, last, _ := cutLast(lines[len(lines)-1])
	if !isPort(last) || strings.Trim(last, "0") == "" {
		return ""
	}
	return last
}
