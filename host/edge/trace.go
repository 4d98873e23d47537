package edge

import (
	"net/http"
	"strings"
)

// TraceID is the trace that a request belongs to: the second field of a
// traceparent header (W3C Trace Context, section 3.2), in 32 hexadecimal digits,
// or "" when the header is absent, invalid or there twice. The header itself goes
// to the application as it came; none is invented.
func TraceID(h http.Header) string {
	values := h["Traceparent"]
	if len(values) != 1 || len(values[0]) < len("00-")+32+len("-")+16+len("-00") {
		return ""
	}
	v := values[0]
	version, trace, parent, flags := v[:2], v[3:35], v[36:52], v[53:55]
	dashes := v[2] == '-' && v[35] == '-' && v[52] == '-'
	tail := len(v) == 55 || version != "00" && v[55] == '-'
	if !dashes || !tail || version == "ff" || !isHex(version) || !isHex(flags) || !isID(trace) || !isID(parent) {
		return ""
	}
	return trace
}

// isID says whether s is a number in small hexadecimal digits, and not 0.
func isID(s string) bool { return isHex(s) && strings.Trim(s, "0") != "" }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
