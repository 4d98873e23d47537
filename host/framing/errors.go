package framing

import "errors"

// Faults of a request, with the section of RFC 9112 that it breaks. They are for
// logs: nothing in them comes from the client.
var (
	ErrBareCR      = errors.New("framing: a CR that no LF follows (section 2.2)")
	ErrBareLF      = errors.New("framing: a line that ends without CR (section 2.2)")
	ErrRequestLine = errors.New("framing: the request line is not method, target and version (section 3)")
	ErrVersion     = errors.New("framing: not HTTP/1.0 or HTTP/1.1 (section 2.3)")
	ErrHost        = errors.New("framing: not exactly one Host header (section 3.2)")
	ErrName        = errors.New("framing: the name of a header is not a token before a colon (section 5.1)")
	ErrFold        = errors.New("framing: a header line that begins with white space (section 5.2)")
	ErrValue       = errors.New("framing: a control character in a header (section 5)")
	ErrEncoding    = errors.New("framing: a Transfer-Encoding that is not chunked, once, in HTTP/1.1 (section 6.1)")
	ErrLength      = errors.New("framing: a Content-Length that is not one number (section 6.2)")
	ErrBoth        = errors.New("framing: Content-Length beside Transfer-Encoding (section 6.3)")
	ErrChunk       = errors.New("framing: a chunk is not a size, a line end, that many bytes and a line end (section 7.1)")
	ErrTrailer     = errors.New("framing: the trailers are too long or have a header about the message (section 7.1.2)")
)
