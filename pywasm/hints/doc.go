// Command hints tells a compiled guest which of its branches are hardly ever
// taken. It serves requests of an application that does what web applications
// do (folder app), counts what each branch of CPython did meanwhile, and writes
// the outcome into the module: the custom section metadata.code.branch_hint of
// the branch hinting proposal.
//
//	go run ./pywasm/hints --wasm python.wasm --root rootfs.zip --out hinted.wasm
//
// The build's step "hints" runs it. It needs the wazero with patches
// (host/sandbox/wazero), whose compiler counts branches and heeds hints; an
// engine that does not know them ignores the section.
//
// # Why
//
// clang lays CPython's code out without knowing what errors are, and WebAssembly
// has no order of blocks: what handles a failure lies in the middle of what
// succeeds. A Flask request ran through 450 KB of machine code for 9,000 blocks,
// which are 200 KB; over HTTP the caches hold neither, and it waits for each
// line. With hints the compiler puts what hardly ever runs behind the rest of its function.
//
// # What a hint says
//
// A branch gets a hint if one of its ways was taken in fewer than one request of
// fifty, or once for fifty times of the other. What hardly any request came to
// has none: it may be what another application needs. A wrong hint costs a jump, and nothing else.
//
// Two builds count the same, so that they make the same guest: the application
// has one seed for the hashes of strings, and no clock.
package main
