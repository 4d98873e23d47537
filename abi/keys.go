package abi

// Numbers of those well-known keys that a host writes by name; see WellKnownKeys.
const (
	KeyRequestMethod  uint16 = 1
	KeyScriptName     uint16 = 2
	KeyPathInfo       uint16 = 3
	KeyQueryString    uint16 = 4
	KeyContentType    uint16 = 5
	KeyContentLength  uint16 = 6
	KeyServerName     uint16 = 7
	KeyServerPort     uint16 = 8
	KeyServerProtocol uint16 = 9
	KeyRemoteAddr     uint16 = 10
	KeyRemotePort     uint16 = 11
	KeyRequestURI     uint16 = 12
	KeyRawURI         uint16 = 13
	KeyURLScheme      uint16 = 14
	KeyHTTPS          uint16 = 15
	KeyHTTPHost       uint16 = 16
	KeyRequestID      uint16 = 43
)

// WellKnownKeys are the environ keys that travel as a number, so that the
// guest holds one interned str for each. The index is the key's number; number
// 0 means that the key travels as a literal. Only ever append.
func WellKnownKeys() []string {
	return []string{
		"",
		"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING",
		"CONTENT_TYPE", "CONTENT_LENGTH",
		"SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
		"REMOTE_ADDR", "REMOTE_PORT", "REQUEST_URI", "RAW_URI",
		"wsgi.url_scheme", "HTTPS",
		"HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT",
		"HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_CONNECTION",
		"HTTP_COOKIE", "HTTP_REFERER", "HTTP_ORIGIN", "HTTP_CACHE_CONTROL",
		"HTTP_PRAGMA", "HTTP_AUTHORIZATION", "HTTP_IF_NONE_MATCH",
		"HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_UPGRADE_INSECURE_REQUESTS",
		"HTTP_SEC_FETCH_DEST", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE",
		"HTTP_SEC_FETCH_USER", "HTTP_DNT", "HTTP_TRACEPARENT",
		"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO",
		"HTTP_X_FORWARDED_HOST", "HTTP_X_REQUEST_ID", "HTTP_X_REQUESTED_WITH",
		"wasgi.request_id",
	}
}
