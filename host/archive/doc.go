// Package archive writes the host's state as one tar.gz and reads it back:
// `wasgi backup` and `wasgi restore`.
//
//	state.db       a consistent copy, taken while the host serves
//	deployed/      the releases that were uploaded
//	data/          what applications keep in /data, unless it is left out
//	secret.key     only when it is asked for: without it nobody who has the archive
//	               can read the secrets, and neither can the host that it is restored to
//	routes.json    who has had which address
//
// Packages and snapshots are made again and are no part of it. Files of
// applications that write while they are copied may be caught in between, as with
// any copy of a running database: SQLite's own .backup, or a stopped tenant, is
// the way to a consistent one.
//
// An archive is restored into an empty folder only, through an os.Root, and is
// hostile like any other: names that lead out, links and everything that is
// neither file nor folder are refused.
package archive
