// Package postgres keeps connections to a PostgreSQL server for a tenant, logged
// in and reset, and plays the server's part towards the guests that ask for one.
//
// # The way of a session
//
//	guest                        host                              server
//	 │ (connects) ────────────────► Pool.Serve
//	 │ SSLRequest ────────────────► 'N'
//	 │ StartupMessage ────────────►
//	 │ ◄── AuthenticationCleartextPassword
//	 │ PasswordMessage ───────────► who: user, database, parameters, password
//	 │                              an idle connection of that who, or a new one
//	 │                                login with that password ────────► SCRAM …
//	 │ ◄──── AuthenticationOk, ParameterStatus …, BackendKeyData, ReadyForQuery
//	 │ Query … ◄──────────────── relayed, ends of messages counted ───────────►
//	 │ Terminate, or closes ──────►
//	                              settled?  ROLLBACK, DISCARD ALL ────► idle again
//	                              else      cancel the query, close ──►
//
// # Who may use a connection
//
// Who presents what the server has taken before: the same user, database,
// startup parameters and password. The password is kept as a keyed hash only;
// another one makes a connection of its own, and the server decides.
//
// # What it must never do
//
// Give a connection to anybody while something of its last session may be left in
// it: only a server that has said so, after DISCARD ALL, has a clean one. Wait
// without looking whether the guest is still there. Tell a guest the addresses of
// this machine. Keep a password.
//
// Who may import it: host/egress and host. It knows no policy: Network decides.
package postgres
