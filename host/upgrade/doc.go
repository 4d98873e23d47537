// Package upgrade hands a running server over to another process, which is the
// program's new version as a rule, without closing a socket.
//
//	old                               new
//	 │ Start: sockets, claim, pipe ───► Take
//	 │                                  opens nothing that it was given, starts tenants
//	 │ ◄──────────────────────── Ready  all that the old one serves it serves too
//	 │ drains and ends                  accepts connections
//	 │ ◄─────────── (ends without it)   the old one goes on as if nothing had been
//
// Descriptors are passed from number 3 on, and a variable in the environment says
// what they are. They are duplicated without package os, which would make the
// sockets block for both processes.
//
// What it must never do: end the old process before the new one is ready, leave a
// process behind that is not, let a grandchild find the variable.
package upgrade
