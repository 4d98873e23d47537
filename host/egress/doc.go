// Package egress decides whom the applications may connect to, and makes the
// connections. It is the [wasi.Network] behind their sockets.
//
// # The way of a connection
//
//	guest: getaddrinfo("db.example") → Tenant.Resolve: is the name allowed?
//	       → the resolver → the addresses, remembered as those of db.example
//	guest: connect(192.0.2.7, 5432)  → Tenant.Dial
//	       1. what kind of address is it (classify)? Multicast and 0.0.0.0: never
//	       2. does an entry of the manifest admit it (admits)?
//	       3. does an entry of the host's own list admit it?
//	       4. is there room (connections of the tenant, of the host)?
//	       → a non-blocking socket that has been told to connect, or, for a server
//	         in network.pool, one end of a pair with package postgres at the other
//
// What is checked is always the address that the kernel is then given, so that
// it does not matter what a name meant a moment ago, how an address was written
// or where a redirect leads.
//
// # Which entry admits which address
//
//   - An address or network ("10.1.0.0/16:6379") admits what is in it. A special
//     address (loopback, private, link-local, one of this machine …) needs an
//     entry that lies within its kind: 0.0.0.0/0 admits none of them. Metadata
//     services need their very address.
//   - A name ("db.example:5432") admits public addresses that the resolver gave
//     for it within the last ten minutes. What is special needs an entry of its
//     own besides, so that whoever owns a name cannot point it at the inside.
//   - "*" admits every public address.
//
// # What it must never do
//
// Ask a resolver for a name that no entry allows: the question alone carries
// data out. Dial without a check of the address. Wait for a peer.
//
// Who may import it: host, host/worker, cmd. It imports package wasi, the grammar
// of entries, package postgres and golang.org/x/sys. DESIGN.md has the decisions.
package egress
