// Package spool receives request bodies whole, so that a slow client never
// holds a guest. A body stays in memory up to a threshold and goes to a
// temporary file without a name above it; all bodies together stay within two
// budgets.
//
// It must never keep a body longer than its [Body] is open, leave a file behind
// (not even after a crash: the file is unlinked while it is empty), or hand a
// used buffer on without wiping it.
package spool
