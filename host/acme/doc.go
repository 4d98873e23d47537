// Package acme gets certificates for the tenants' own host names (RFC 8555), with
// certmagic: one for a name when a client first asks for it, renewed before it
// ends, kept in a folder of the host's.
//
// The authority sees that the name leads here in one of two ways: by a request for
// a path below /.well-known/acme-challenge/ (http-01, RFC 8555 section 8.3), where
// clients connect without TLS, or by a handshake (tls-alpn-01, RFC 8737).
//
// What it must never do: ask for a name that no tenant claims in full, which would
// let anybody use up what the authority allows; keep a handshake that nobody waits
// for any more; hold up the end of the host.
package acme
