package accesslog

import "time"

// Entry is one request. Texts from the client are raw.
type Entry struct {
	Time      time.Time // when the head was read
	RequestID string
	Tenant    string // "" when no tenant was found
	Remote    string // address of the peer, without port
	Method    string
	URI       string
	Proto     string
	Host      string
	Status    int   // 0 when nothing was sent
	Bytes     int64 // of the response's body, as it was sent
	Received  int64 // of the request's body
	Duration  time.Duration
	Wait      time.Duration // for an instance
	CPU       time.Duration // of the guest, 0 when unknown
	// Pages of 4 KiB of the snapshot that were written to: by this request where the
	// guest is put back after it (isolation fresh, in the server's process), otherwise
	// by its instance since that was made, when somebody last looked. 0 when unknown.
	Pages     int
	Referer   string
	UserAgent string
	TraceID   string // of the W3C traceparent header, 32 hexadecimal digits; "" for none
	Fault     string // why the response is not the application's own, or is cut short; "" for none
}
