// Package framing judges the framing of HTTP/1 requests where they come in,
// at the connection, by the letter of RFC 9112. net/http is lenient where
// leniency lets two servers in a row disagree about where a request ends: it
// drops a Content-Length beside Transfer-Encoding, ignores Transfer-Encoding in
// HTTP/1.0, joins folded lines, takes repeated lengths that agree, and accepts
// lines that end in a bare LF. Who sends such a request smuggles, or is broken.
//
// A [Guard] follows the bytes of one connection, whatever their pieces: head,
// body, next head. It says how many of them are faultless, and keeps nothing of
// them but what it needs to know the length of the body. [Listener] puts one
// before each connection that is accepted.
//
// What happens to a request with a fault: from the first bad byte on net/http
// reads something that no parser takes for HTTP, without end, instead of what the
// client sent. It has no whole head then (or no whole body), so it refuses in its
// own way and in its own order: requests that came before are answered first, a
// bad head gets 400, a bad body is an error of its reader, and the connection
// closes. Nothing behind the fault is ever read as a request.
//
// The invariant, which a fuzz test holds against net/http's own parser: what a
// Guard passes, net/http either refuses or ends at the same byte.
//
// On the way out it does one thing: [Phrase] has a status line carry a reason
// phrase of the application's own, which net/http cannot write.
//
// It must never buffer, never wait for anything but the connection, and never
// pass a byte that it has not judged. It knows nothing of what a request means:
// sizes, methods and hosts are package edge's. HTTP/2 has framing of its own:
// a TLS connection is wrapped after its handshake ([Secured]), if that did not
// choose h2, and a connection without TLS is let alone when it begins with the
// preface of HTTP/2, where that is allowed ([PriorKnowledge]).
package framing
