// Package script runs Python programs in the sandbox for the command line:
// `wasgi python -c …`, `-m …`, a script, or standard input, with the
// arguments, streams and exit status of CPython. It decides which folders the
// program sees, and nothing more: the interpreter runs in host/sandbox.
//
// A program sees the standard library, a /tmp of its own, the folders named by
// --mount, and either the current folder read-only at /work, or, when it runs
// for an application, that application as the host would serve it: /app
// read-only, its packages, its environment, and its /data writable.
package script
