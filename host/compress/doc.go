// Package compress makes responses smaller on their way to clients that want it:
// zstd or gzip, by the Accept-Encoding of the request (RFC 9110 section 12.5.3).
//
// A [Writer] stands between whoever writes a response and the connection. When the
// head comes it decides: by status, media type, length, and by what the application
// has said about its response. A response that is compressed loses its
// Content-Length; its strong entity tag becomes a weak one, because the bytes are
// not those that the application tagged; every response that might have been
// compressed says Vary: Accept-Encoding. HEAD gets the headers that GET would get.
// A flush reaches the client with all that was written before it.
//
// # What it must never do
//
// End a response that broke off as if it were whole: only Close writes the end of
// the coding, and who aborts calls Abandon instead. Take more encoders than
// New allows: a response that gets none goes out as it is.
package compress
