package compress

import (
	"net/http"
	"strconv"
	"strings"
)

// compressible says whether a response is one that could be compressed, for a
// client that takes it. The length does not count here.
func compressible(status int, h http.Header) bool {
	if status < 200 || status == http.StatusNoContent || status == http.StatusPartialContent || status == http.StatusNotModified {
		return false
	}
	for _, name := range []string{"Content-Encoding", "Content-Range", "Content-Md5", "Digest", "Content-Digest"} {
		if value(h, name) != "" {
			return false // what they say is about these very bytes
		}
	}
	return !strings.Contains(strings.ToLower(value(h, "Cache-Control")), "no-transform") && smaller(value(h, "Content-Type"))
}

// smaller says whether a media type is one that becomes smaller: text, and what is
// text by another name. Streams of events are none: each is sent by itself, and
// too short.
func smaller(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	switch kind {
	case "text/event-stream":
		return false
	case "application/json", "application/javascript", "application/x-javascript", "application/xml", "application/wasm",
		"application/x-ndjson", "application/graphql", "application/rtf", "application/x-www-form-urlencoded",
		"application/vnd.ms-fontobject", "font/ttf", "font/otf", "image/bmp", "image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// value is a header's, however the application has spelled its name.
func value(h http.Header, name string) string {
	if key := spelled(h, name); key != "" && len(h[key]) > 0 {
		return strings.Join(h[key], ",")
	}
	return ""
}

// spelled is the key of a header, "" when there is none.
func spelled(h http.Header, name string) string {
	if _, ok := h[name]; ok {
		return name
	}
	for key := range h {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			return key
		}
	}
	return ""
}

// weaken makes an entity tag a weak one (RFC 9110 section 8.8.3).
func weaken(h http.Header) {
	key := spelled(h, "Etag")
	if key == "" {
		return
	}
	for i, tag := range h[key] {
		if strings.HasPrefix(tag, `"`) {
			h[key][i] = "W/" + tag
		}
	}
}

// vary adds Accept-Encoding to Vary.
func vary(h http.Header) {
	key := spelled(h, "Vary")
	if key == "" {
		h["Vary"] = []string{"Accept-Encoding"}
		return
	}
	for part := range strings.SplitSeq(strings.Join(h[key], ","), ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.EqualFold(part, "Accept-Encoding") {
			return
		}
	}
	h[key] = append(h[key], "Accept-Encoding")
}

// length is what Content-Length says, -1 when it says nothing.
func length(h http.Header) int64 {
	n, err := strconv.ParseInt(value(h, "Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
