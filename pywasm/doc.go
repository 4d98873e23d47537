// Package pywasm hands out the guest: CPython as a WebAssembly module, its
// root file system, and the manifest that says what went into them.
//
// The guest is made by the command in pywasm/build (run "make guest"), which
// leaves three files in pywasm/artifact. They are embedded when they exist.
// Everything compiles without them; Load then returns ErrMissing.
//
//	guest/       our C extension and the Python bootstrap
//	build/       the command that makes the guest
//	meter/       the pass that makes the guest interruptible
//	artifact/    the finished guest, not in version control
//	conformance/ the command that runs others' test suites in the guest
//
// Who may import it: host/sandbox, cmd and tests. It imports the standard
// library only. DESIGN.md has the decisions and what was measured.
package pywasm
