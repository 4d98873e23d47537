package accesslog

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Format appends an entry's line, without its end, to b.
type Format func(b []byte, e *Entry) []byte

// Combined is the format of Apache and nginx of that name, and at its end the
// request id, the tenant, and the account of the request: duration, wait and CPU
// time in milliseconds, pages, bytes of the request's body.
func Combined(b []byte, e *Entry) []byte {
	b = escape(b, dash(e.Remote))
	b = append(b, " - - ["...)
	b = e.Time.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, "] \""...)
	b = escape(b, e.Method)
	b = append(b, ' ')
	b = escape(b, e.URI)
	b = append(b, ' ')
	b = escape(b, e.Proto)
	b = append(b, "\" "...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Bytes, 10)
	b = quoted(b, e.Referer)
	b = quoted(b, e.UserAgent)
	b = append(b, ' ')
	b = escape(b, dash(e.RequestID))
	b = append(b, ' ')
	b = escape(b, dash(e.Tenant))
	b = append(b, ' ')
	b = append(millis(b, e.Duration), ' ')
	b = append(millis(b, e.Wait), ' ')
	b = append(millis(b, e.CPU), ' ')
	b = append(strconv.AppendInt(b, int64(e.Pages), 10), ' ')
	return strconv.AppendInt(b, e.Received, 10)
}

func quoted(b []byte, s string) []byte {
	b = append(b, " \""...)
	b = escape(b, dash(s))
	return append(b, '"')
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// JSON is an object in one line. Durations are milliseconds; members without a
// value are left out, so that bytes that are not UTF-8 are the only loss: they
// become \u00XX, as ISO 8859-1 reads them.
func JSON(b []byte, e *Entry) []byte {
	b = append(b, `{"ts":"`...)
	b = e.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","request_id":`...)
	b = jsonString(b, e.RequestID)
	b = member(b, "tenant", e.Tenant)
	b = member(b, "remote", e.Remote)
	b = member(b, "method", e.Method)
	b = member(b, "host", e.Host)
	b = member(b, "uri", e.URI)
	b = member(b, "proto", e.Proto)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, `,"bytes":`...)
	b = strconv.AppendInt(b, e.Bytes, 10)
	b = append(b, `,"bytes_in":`...)
	b = strconv.AppendInt(b, e.Received, 10)
	b = append(b, `,"duration_ms":`...)
	b = millis(b, e.Duration)
	b = append(b, `,"wait_ms":`...)
	b = millis(b, e.Wait)
	b = append(b, `,"cpu_ms":`...)
	b = millis(b, e.CPU)
	b = append(b, `,"pages":`...)
	b = strconv.AppendInt(b, int64(e.Pages), 10)
	b = member(b, "referer", e.Referer)
	b = member(b, "user_agent", e.UserAgent)
	b = member(b, "trace_id", e.TraceID)
	b = member(b, "fault", e.Fault)
	return append(b, '}')
}

func member(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return jsonString(b, value)
}

func millis(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', 3, 64)
}

const hexDigits = "0123456789abcdef"

// escape writes control characters, quotes, backslashes and all that is not
// ASCII as \xNN, as Apache does.
func escape(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

func jsonString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f || r == utf8.RuneError && size == 1:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029': // control characters and line ends beyond ASCII
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}
